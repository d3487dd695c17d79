internal import DRModel

/// A piece of a volume's map: entries with their metadata, which chunks make up the files, and where those chunks are stored.
///
/// A page stands alone: a file whose chunks go on from the page before is named again (`more`). What is stored has two parts, so that moving chunks to
/// another pack changes no content hash.
struct MapPage {
    enum Item: Equatable {
        case node(TreeNode)
        case more(path: [UInt8], size: Int64, chunkSize: UInt32)
        /// Chunks without a gap from chunk number `first` of the file; what no run covers is zero.
        case run(first: Int64, hashes: [ContentHash])
    }

    /// Runs end at multiples of this many chunks, so that a change in one place of a file moves nothing elsewhere.
    ///
    /// A page of a small run is little to send when one of its chunks changes; a volume of many short runs has a long index.
    static func runLength(_ size: Int64) -> Int64 { size <= 16 << 30 ? 128 : 1024 }

    /// Beyond any file, and far from overflow.
    private static let mostBytes: Int64 = 1 << 60

    static func isPossible(_ size: Int64, _ chunkSize: UInt32) -> Bool {
        (0...mostBytes).contains(size) && (1...(1 << 24)).contains(chunkSize)
    }

    let items: [Item]
    /// Of all chunks of all runs, in order.
    let locations: [ChunkLocation]

    init(items: [Item], locations: [ChunkLocation]) {
        self.items = items
        self.locations = locations
    }

    /// What chunks at the beginning of the next page belong to; nil where that cannot have any.
    var lastFile: (path: [UInt8], size: Int64, chunkSize: UInt32)? {
        for item in items.reversed() {
            switch item {
            case .run: continue
            case .more(let path, let size, let chunkSize): return (path, size, chunkSize)
            case .node(let node):
                guard case .file(let size, let chunkSize, _) = node.content else { return nil }
                return (node.path, size, chunkSize)
            }
        }
        return nil
    }

    func content() -> [UInt8] {
        var writer = ByteWriter(room: 64 << 10)
        for item in items {
            switch item {
            case .node(let node):
                writer.put(UInt8(1))
                node.write(to: &writer)
            case .more(let path, let size, let chunkSize):
                writer.put(UInt8(2))
                writer.put(counted: path)
                writer.put(size)
                writer.put(chunkSize)
            case .run(let first, let hashes):
                writer.put(UInt8(3))
                writer.put(first)
                writer.put(UInt32(truncatingIfNeeded: hashes.count))
                ContentHash.append(hashes, to: &writer.bytes)
            }
        }
        return writer.bytes
    }

    func places() -> [UInt8] {
        var numbers: [PackID: UInt32] = [:]
        var packs: [PackID] = []
        var table = ByteWriter(room: locations.count * 13)
        for location in locations {
            let number = numbers[location.pack] ?? UInt32(truncatingIfNeeded: packs.count)
            if number == packs.count {
                numbers[location.pack] = number
                packs.append(location.pack)
            }
            table.put(number)
            table.put(location.offset)
            table.put(location.stored)
            table.put(location.codec.rawValue)
        }
        var writer = ByteWriter()
        writer.put(UInt32(truncatingIfNeeded: packs.count))
        for pack in packs { writer.put(raw: pack.bytes) }
        writer.put(UInt32(truncatingIfNeeded: locations.count))
        writer.put(raw: table.bytes)
        return writer.bytes
    }

    init(content: [UInt8], places: [UInt8]) throws(Malformed) {
        var items: [Item] = []
        var chunks = 0
        var reader = ByteReader(content)
        while !reader.isAtEnd {
            switch try reader.number(UInt8.self) {
            case 1: items.append(.node(try TreeNode(reading: &reader)))
            case 2:
                let path = try reader.counted()
                let size: Int64 = try reader.number()
                let chunkSize: UInt32 = try reader.number()
                guard TreeNode.isSafe(path), Self.isPossible(size, chunkSize) else {
                    throw Malformed("a file's size is wrong")
                }
                items.append(.more(path: path, size: size, chunkSize: chunkSize))
            case 3:
                let first: Int64 = try reader.number()
                let count = try reader.count(ofItems: ContentHash.size)
                guard (0...Self.mostBytes).contains(first), count > 0 else { throw Malformed("a run of chunks is wrong") }
                var hashes: [ContentHash] = []
                hashes.reserveCapacity(count)
                for _ in 0..<count { hashes.append(try reader.hash()) }
                chunks += count
                items.append(.run(first: first, hashes: hashes))
            default: throw .newer
            }
        }
        self.items = items
        locations = try Self.locations(in: places, count: chunks)
    }

    /// What places begin with.
    static func packs(_ reader: inout ByteReader) throws(Malformed) -> [PackID] {
        var packs: [PackID] = []
        for _ in 0..<(try reader.count(ofItems: PackID.size)) { packs.append(PackID(raw: try reader.raw(PackID.size))) }
        return packs
    }

    private static func locations(in places: [UInt8], count: Int) throws(Malformed) -> [ChunkLocation] {
        var reader = ByteReader(places)
        let packs = try packs(&reader)
        guard try reader.count(ofItems: 13) == count else { throw Malformed("its chunks and their places do not match") }
        var locations: [ChunkLocation] = []
        locations.reserveCapacity(count)
        for _ in 0..<count {
            let pack = Int(try reader.number(UInt32.self))
            let offset: UInt32 = try reader.number()
            let stored: UInt32 = try reader.number()
            guard pack < packs.count else { throw Malformed("a chunk's place is wrong") }
            guard let codec = Codec(rawValue: try reader.number()) else { throw .newer }
            locations.append(ChunkLocation(pack: packs[pack], offset: offset, stored: stored, codec: codec))
        }
        guard reader.isAtEnd else { throw Malformed("something follows its end") }
        return locations
    }
}

/// A page as it is stored: both parts one after the other, as one chunk of a pack. Its name is the SHA-256 of both.
struct StoredPage: Sendable {
    let content: [UInt8]
    let places: [UInt8]
    let contentHash: ContentHash
    let name: ContentHash

    var bytes: [UInt8] { content + places }

    init(content: [UInt8], places: [UInt8]) {
        self.content = content
        self.places = places
        contentHash = ContentHash(of: content)
        name = unsafe content.withUnsafeBytes { first in unsafe places.withUnsafeBytes { unsafe ContentHash(of: first, and: $0) } }
    }

    /// Throws when the bytes are not the page that the entry names.
    init(_ bytes: [UInt8], of entry: PageIndex.Entry) throws(Malformed) {
        guard bytes.count == Int(entry.contentLength) + Int(entry.placesLength) else { throw Malformed("its length is wrong") }
        self.init(content: Array(bytes[..<Int(entry.contentLength)]), places: Array(bytes[Int(entry.contentLength)...]))
        guard name == entry.page, contentHash == entry.content else { throw Malformed("its checksum is wrong") }
    }

    func page() throws(Malformed) -> MapPage { try MapPage(content: content, places: places) }
}
