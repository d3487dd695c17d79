internal import DRModel

/// The pages that make up one volume of one point, or its manifests. Its name is the SHA-256 of its bytes.
struct PageIndex: Equatable {
    /// The numbers are part of the format.
    enum Kind: UInt8, Sendable {
        case filesystem = 1
        case block = 2
        case manifests = 3

        init(_ kind: VolumeKind) { self = kind == .filesystem ? .filesystem : .block }
    }

    struct Entry: Equatable, Sendable {
        let content: ContentHash
        /// The SHA-256 of the page: of its content and of the places of its chunks.
        let page: ContentHash
        let location: ChunkLocation
        let contentLength: UInt32
        let placesLength: UInt32
    }

    let kind: Kind
    let entries: [Entry]
    /// Every pack that the pages and their chunks stand in, in order of their ids.
    let packs: [PackID]

    /// Names the content wherever its chunks are stored: equal tokens, equal trees.
    var token: ContentToken {
        var writer = ByteWriter()
        writer.put(raw: "DRTREE1\n".utf8)
        writer.put(kind.rawValue)
        for entry in entries { writer.put(entry.content) }
        return ContentToken(ContentHash(of: writer.bytes).hex)
    }

    func object() -> [UInt8] {
        var writer = ByteWriter()
        writer.put(raw: "DRINDEX1".utf8)
        writer.put(UInt16(2))
        writer.put(kind.rawValue)
        writer.put(UInt8(0))
        var numbers: [PackID: UInt32] = [:]
        for (number, pack) in packs.enumerated() { numbers[pack] = UInt32(truncatingIfNeeded: number) }
        writer.put(UInt32(truncatingIfNeeded: packs.count))
        for pack in packs { writer.put(raw: pack.bytes) }
        writer.put(UInt32(truncatingIfNeeded: entries.count))
        for entry in entries {
            writer.put(entry.content)
            writer.put(entry.page)
            writer.put(numbers[entry.location.pack] ?? 0)
            writer.put(entry.location.offset)
            writer.put(entry.location.stored)
            writer.put(entry.contentLength)
            writer.put(entry.placesLength)
            writer.put(entry.location.codec.rawValue)
        }
        return writer.bytes
    }

    /// `packs`: those of the chunks.
    init(kind: Kind, entries: [Entry], packs: some Sequence<PackID>) {
        self.kind = kind
        self.entries = entries
        self.packs = Set(packs).union(entries.map(\.location.pack)).sorted()
    }

    init(parsing object: [UInt8], name: ContentHash) throws(Malformed) {
        guard ContentHash(of: object) == name else { throw Malformed("its checksum is wrong") }
        var reader = ByteReader(object)
        try reader.expect("DRINDEX1")
        guard try reader.number(UInt16.self) == 2, let kind = Kind(rawValue: try reader.number()), try reader.number(UInt8.self) == 0 else {
            throw .newer
        }
        self.kind = kind
        var packs: [PackID] = []
        for _ in 0..<(try reader.count(ofItems: PackID.size)) { packs.append(PackID(raw: try reader.raw(PackID.size))) }
        let count = try reader.count(ofItems: 2 * ContentHash.size + 21)
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let content = try reader.hash()
            let page = try reader.hash()
            let pack = Int(try reader.number(UInt32.self))
            let offset: UInt32 = try reader.number()
            let stored: UInt32 = try reader.number()
            let lengths: (UInt32, UInt32) = (try reader.number(), try reader.number())
            // A page is small: this keeps a damaged length from asking for gigabytes.
            guard pack < packs.count, Int(lengths.0) + Int(lengths.1) <= 1 << 28, stored <= 1 << 28 else {
                throw Malformed("a page's place is wrong")
            }
            guard let codec = Codec(rawValue: try reader.number()) else { throw .newer }
            entries.append(
                Entry(
                    content: content, page: page,
                    location: ChunkLocation(pack: packs[pack], offset: offset, stored: stored, codec: codec), contentLength: lengths.0,
                    placesLength: lengths.1))
        }
        guard packs.elementsEqual(Set(packs).sorted()) else { throw Malformed("its packs are out of order") }
        self.entries = entries
        self.packs = packs
    }
}
