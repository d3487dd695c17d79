/// Names a pack: eight bytes of the session that wrote it, eight random ones. Never given to two packs with different bytes.
struct PackID: Hashable, Sendable, CustomStringConvertible {
    static let size = 16
    let bytes: [UInt8]

    init(session: Session, random: UInt64) {
        bytes = session.bytes + (0..<8).map { UInt8(truncatingIfNeeded: random >> (8 * $0)) }
    }

    init(raw: some Collection<UInt8>) { bytes = Array(raw) }
    var description: String { Hex.text(bytes) }
}

/// Where the bytes of a chunk stand.
struct ChunkLocation: Hashable, Sendable {
    let pack: PackID
    let offset: UInt32
    /// Bytes in the pack.
    let stored: UInt32
    let codec: Codec
}

/// What a pack's footer says of one chunk.
struct PackedChunk: Hashable, Sendable {
    static let size = ContentHash.size + 16
    let hash: ContentHash
    let length: UInt32
    let location: ChunkLocation
}

/// A pack in the making: chunks one after another in memory, up to the object size, with a footer that says what and where.
///
/// Layout in docs/formats.md.
struct PackBuilder {
    static let headerSize = 64
    static let trailerSize = 52

    let id: PackID
    private let capacity: Int
    private var writer = ByteWriter()
    private(set) var chunks: [PackedChunk] = []

    init(id: PackID, ordinal: UInt32, capacity: Int) {
        self.id = id
        self.capacity = capacity
        writer.put(raw: "DRPACK1\n".utf8)
        writer.put(UInt16(1))
        writer.put(UInt8(1))
        writer.put(UInt8(0))
        writer.put(ordinal)
        writer.put(raw: id.bytes)
        writer.put(raw: [UInt8](repeating: 0, count: 32))
    }

    func hasRoom(for stored: Int) -> Bool {
        chunks.isEmpty || writer.bytes.count + stored + (chunks.count + 1) * PackedChunk.size + Self.trailerSize <= capacity
    }

    mutating func add(_ hash: ContentHash, length: Int, codec: Codec, stored: [UInt8]) -> ChunkLocation {
        let location = ChunkLocation(
            pack: id, offset: UInt32(truncatingIfNeeded: writer.bytes.count), stored: UInt32(truncatingIfNeeded: stored.count), codec: codec
        )
        writer.put(raw: stored)
        chunks.append(PackedChunk(hash: hash, length: UInt32(truncatingIfNeeded: length), location: location))
        return location
    }

    /// The whole object.
    consuming func finished() -> [UInt8] {
        let footer = writer.bytes.count
        for chunk in chunks {
            writer.put(chunk.hash)
            writer.put(chunk.location.offset)
            writer.put(chunk.location.stored)
            writer.put(chunk.length)
            writer.put(UInt32(chunk.location.codec.rawValue))
        }
        writer.put(UInt32(truncatingIfNeeded: chunks.count))
        writer.put(UInt64(footer))
        writer.put(ContentHash(of: writer.bytes))
        writer.put(raw: "DRPACKE\n".utf8)
        return writer.bytes
    }
}

/// A pack that was read: its own checksum holds and its footer is sound.
struct Pack {
    let id: PackID
    let chunks: [PackedChunk]

    init(parsing bytes: [UInt8]) throws(Malformed) {
        guard bytes.count >= PackBuilder.headerSize + PackBuilder.trailerSize else { throw Malformed("it is too short") }
        var trailer = ByteReader(bytes, from: bytes.count - 40)
        let checksum = try trailer.hash()
        try trailer.expect("DRPACKE\n")
        let body = bytes.count - 40
        let actual = unsafe bytes.withUnsafeBytes { unsafe ContentHash(of: UnsafeRawBufferPointer(rebasing: $0[..<body])) }
        guard actual == checksum else { throw Malformed("its checksum is wrong") }
        var reader = ByteReader(bytes, to: body)
        try reader.expect("DRPACK1\n")
        guard try reader.number(UInt16.self) == 1, try reader.number(UInt8.self) == 1, try reader.number(UInt8.self) == 0 else {
            throw Malformed("its version, hash or cipher is not known here")
        }
        _ = try reader.number(UInt32.self)
        id = PackID(raw: try reader.raw(PackID.size))
        var counts = ByteReader(bytes, from: body - 12, to: body)
        let count = Int(try counts.number(UInt32.self))
        let footer = try counts.number(UInt64.self)
        guard footer <= UInt64(body - 12), count == (body - 12 - Int(footer)) / PackedChunk.size else {
            throw Malformed("its footer is wrong")
        }
        var table = ByteReader(bytes, from: Int(footer), to: body - 12)
        var chunks: [PackedChunk] = []
        chunks.reserveCapacity(count)
        for _ in 0..<count {
            let hash = try table.hash()
            let offset = try table.number(UInt32.self)
            let stored = try table.number(UInt32.self)
            let length = try table.number(UInt32.self)
            guard let codec = Codec(rawValue: UInt8(truncatingIfNeeded: try table.number(UInt32.self))),
                UInt64(offset) + UInt64(stored) <= footer
            else { throw Malformed("its footer is wrong") }
            let location = ChunkLocation(pack: id, offset: offset, stored: stored, codec: codec)
            chunks.append(PackedChunk(hash: hash, length: length, location: location))
        }
        self.chunks = chunks
    }
}
