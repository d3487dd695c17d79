internal import DRModel

/// A page of a volume's map as a scan cache keeps it: the page, where it is stored, and the marks of its entries and chunks.
struct CachedPage: Sendable {
    let number: Int
    let payload: [UInt8]
    let entry: PageIndex.Entry
    let endsItself: Bool
    let beginsAtBoundary: Bool
    /// Of its chunks, uncompressed.
    let size: Int64
    private let content: Range<Int>
    private let places: Range<Int>
    private let tail: Int

    init(_ finished: MapBuilder.Finished, as page: StoredPage, at location: ChunkLocation) {
        let entry = PageIndex.Entry(
            content: page.contentHash, page: page.name, location: location,
            contentLength: UInt32(truncatingIfNeeded: page.content.count), placesLength: UInt32(truncatingIfNeeded: page.places.count))
        let marks = finished.identities.count * (1 + FileIdentity.size) + finished.marks.count * ChunkMark.size
        var writer = ByteWriter(room: 256 + page.content.count + page.places.count + marks)
        writer.put(entry.content)
        writer.put(entry.page)
        writer.put(raw: location.pack.bytes)
        writer.put(location.offset)
        writer.put(location.stored)
        writer.put(location.codec.rawValue)
        writer.put(UInt8((finished.endsItself ? 1 : 0) | (finished.beginsAtBoundary ? 2 : 0)))
        writer.put(finished.size)
        writer.put(counted: page.content)
        writer.put(counted: page.places)
        writer.put(UInt32(truncatingIfNeeded: finished.identities.count))
        for identity in finished.identities {
            writer.put(UInt8(identity == nil ? 0 : 1))
            identity?.write(to: &writer)
        }
        writer.put(UInt32(truncatingIfNeeded: finished.marks.count))
        for mark in finished.marks { mark.write(to: &writer) }
        number = 0
        payload = writer.bytes
        self.entry = entry
        endsItself = finished.endsItself
        beginsAtBoundary = finished.beginsAtBoundary
        size = finished.size
        content = 0..<0
        places = 0..<0
        tail = 0
    }

    init(_ payload: [UInt8], number: Int) throws(Malformed) {
        var reader = ByteReader(payload)
        let hashes = (try reader.hash(), try reader.hash())
        let pack = PackID(raw: try reader.raw(PackID.size))
        let offset: UInt32 = try reader.number()
        let stored: UInt32 = try reader.number()
        guard let codec = Codec(rawValue: try reader.number()) else { throw Malformed("a page's place is wrong") }
        let flags: UInt8 = try reader.number()
        size = try reader.number()
        let contentLength = Int(try reader.number(UInt32.self))
        content = reader.position..<reader.position + contentLength
        _ = try reader.raw(contentLength)
        let placesLength = Int(try reader.number(UInt32.self))
        places = reader.position..<reader.position + placesLength
        _ = try reader.raw(placesLength)
        tail = reader.position
        entry = PageIndex.Entry(
            content: hashes.0, page: hashes.1, location: ChunkLocation(pack: pack, offset: offset, stored: stored, codec: codec),
            contentLength: UInt32(truncatingIfNeeded: contentLength), placesLength: UInt32(truncatingIfNeeded: placesLength))
        endsItself = flags & 1 != 0
        beginsAtBoundary = flags & 2 != 0
        self.payload = payload
        self.number = number
    }

    func prior() throws(Malformed) -> PriorIndex.Page {
        let page = try MapPage(content: Array(payload[content]), places: Array(payload[places]))
        var reader = ByteReader(payload, from: tail)
        let identities = try self.identities(&reader)
        var marks: [ChunkMark] = []
        let count = try reader.count(ofItems: ChunkMark.size)
        marks.reserveCapacity(count)
        for _ in 0..<count { marks.append(try ChunkMark(reading: &reader)) }
        return PriorIndex.Page(number: number, page: page, identities: identities, marks: marks, entry: entry)
    }

    /// Those that its chunks stand in.
    func packs() throws(Malformed) -> [PackID] {
        var reader = ByteReader(payload, from: places.lowerBound, to: places.upperBound)
        return try MapPage.packs(&reader)
    }

    private func identities(_ reader: inout ByteReader) throws(Malformed) -> [FileIdentity?] {
        let count = try reader.count(ofItems: 1)
        var identities: [FileIdentity?] = []
        identities.reserveCapacity(count)
        for _ in 0..<count {
            identities.append(try reader.number(UInt8.self) == 1 ? try FileIdentity(reading: &reader) : nil)
        }
        return identities
    }

    // MARK: Only names and marks

    struct Entries {
        let paths: [[UInt8]]
        let identities: [FileIdentity?]
        /// Chunks of the last file of the page before come first.
        let hasHead: Bool
    }

    /// What a capture compares a volume with.
    func entries() throws(Malformed) -> Entries {
        var reader = ByteReader(payload, from: content.lowerBound, to: content.upperBound)
        var paths: [[UInt8]] = []
        var hasHead = false
        while !reader.isAtEnd {
            switch try reader.number(UInt8.self) {
            case 1:
                let kind = try reader.number(UInt8.self)
                paths.append(try reader.counted())
                _ = try reader.raw(4 + 4 + 4 + 8)
                for _ in 0..<(try reader.count(ofItems: 8)) {
                    try reader.skipCounted()
                    try reader.skipCounted()
                }
                switch kind {
                case 0: break
                case 1, 2: _ = try reader.raw(8 + 4)
                case 3, 4, 5: try reader.skipCounted()
                default: throw .newer
                }
            case 2:
                if paths.isEmpty { hasHead = true }
                try reader.skipCounted()
                _ = try reader.raw(8 + 4)
            case 3:
                _ = try reader.raw(8)
                _ = try reader.raw(try reader.count(ofItems: ContentHash.size) * ContentHash.size)
            default: throw .newer
            }
        }
        var marks = ByteReader(payload, from: tail)
        return Entries(paths: paths, identities: try identities(&marks), hasHead: hasHead)
    }
}
