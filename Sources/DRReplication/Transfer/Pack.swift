internal import DRModel

/// A pack in the making: chunks one after another in memory, up to the object size, with a footer that says what and where.
///
/// Layout in docs/formats.md.
struct PackBuilder: Sendable {
    static let headerSize = 64
    static let trailerSize = 68

    let id: PackID
    private let capacity: Int
    private var writer = ByteWriter()
    private(set) var chunks: [PackedChunk] = []

    /// `buffer`: memory of an earlier pack.
    init(id: PackID, ordinal: UInt32, capacity: Int, buffer: consuming [UInt8] = []) {
        self.id = id
        self.capacity = capacity
        swap(&writer.bytes, &buffer)
        writer.bytes.removeAll(keepingCapacity: true)
        writer.bytes.reserveCapacity(capacity)
        writer.put(raw: "DRPACK1\n".utf8)
        writer.put(UInt16(2))
        writer.put(UInt8(1))
        writer.put(UInt8(0))
        writer.put(ordinal)
        writer.put(raw: id.bytes)
        writer.put(raw: [UInt8](repeating: 0, count: 32))
    }

    var isEmpty: Bool { chunks.isEmpty }

    func hasRoom(for stored: Int) -> Bool {
        chunks.isEmpty || writer.bytes.count + stored + (chunks.count + 1) * PackedChunk.size + Self.trailerSize <= capacity
    }

    mutating func add(_ hash: ContentHash, length: Int, codec: Codec, stored: UnsafeRawBufferPointer) -> ChunkLocation {
        let location = ChunkLocation(
            pack: id, offset: UInt32(truncatingIfNeeded: writer.bytes.count), stored: UInt32(truncatingIfNeeded: stored.count), codec: codec
        )
        unsafe writer.bytes.append(contentsOf: stored)
        chunks.append(PackedChunk(hash: hash, length: UInt32(truncatingIfNeeded: length), location: location))
        return location
    }

    /// The whole object; the builder has nothing any more. Called on a builder that nobody else holds, it copies nothing.
    mutating func finish() -> [UInt8] {
        let footer = writer.bytes.count
        // Chunks carry their own hash; this one only has to notice what an accident did to them.
        let mark = unsafe writer.bytes.withUnsafeBytes { unsafe ChunkMark(of: $0) }
        for chunk in chunks {
            writer.put(chunk.hash)
            writer.put(chunk.location.offset)
            writer.put(chunk.location.stored)
            writer.put(chunk.length)
            writer.put(UInt32(chunk.location.codec.rawValue))
        }
        writer.put(UInt32(truncatingIfNeeded: chunks.count))
        writer.put(UInt64(footer))
        mark.write(to: &writer)
        let seal = unsafe writer.bytes.withUnsafeBytes { all in
            unsafe ContentHash(
                of: UnsafeRawBufferPointer(rebasing: all[..<Self.headerSize]), and: UnsafeRawBufferPointer(rebasing: all[footer...]))
        }
        writer.put(seal)
        writer.put(raw: "DRPACKE\n".utf8)
        var object: [UInt8] = []
        swap(&object, &writer.bytes)
        return object
    }
}

/// A pack that was read: its own checksums hold and its footer is sound.
struct Pack {
    let id: PackID
    let chunks: [PackedChunk]

    /// Chunks must still be compared with their hashes by whoever uses them.
    init(parsing bytes: [UInt8]) throws(Malformed) {
        guard bytes.count >= PackBuilder.headerSize + PackBuilder.trailerSize else { throw Malformed("it is too short") }
        var trailer = ByteReader(bytes, from: bytes.count - PackBuilder.trailerSize + 4)
        let footer: UInt64 = try trailer.number()
        let mark = try ChunkMark(reading: &trailer)
        guard footer >= UInt64(PackBuilder.headerSize), footer <= UInt64(bytes.count - PackBuilder.trailerSize) else {
            throw Malformed("its footer is wrong")
        }
        let header = Array(bytes[..<PackBuilder.headerSize])
        let end = Array(bytes[Int(footer)...])
        (id, chunks) = try Self.chunks(header: header, end: end, footer: footer)
        let actual = unsafe bytes.withUnsafeBytes { unsafe ChunkMark(of: UnsafeRawBufferPointer(rebasing: $0[..<Int(footer)])) }
        guard actual == mark else { throw Malformed("its checksum is wrong") }
    }

    private static func id(_ header: [UInt8]) throws(Malformed) -> PackID {
        var reader = ByteReader(header)
        try reader.expect("DRPACK1\n")
        guard try reader.number(UInt16.self) == 2, try reader.number(UInt8.self) == 1, try reader.number(UInt8.self) == 0 else {
            throw .newer
        }
        _ = try reader.number(UInt32.self)
        return PackID(raw: try reader.raw(PackID.size))
    }

    /// `end`: everything from `footer` on. What is before it, but for the header, is not looked at.
    static func chunks(header: [UInt8], end: [UInt8], footer: UInt64) throws(Malformed) -> (id: PackID, chunks: [PackedChunk]) {
        let table = end.count - PackBuilder.trailerSize
        guard header.count == PackBuilder.headerSize, table >= 0, table % PackedChunk.size == 0 else {
            throw Malformed("its footer is wrong")
        }
        let sealed = end.count - 40
        var seal = ByteReader(end, from: sealed)
        let hash = try seal.hash()
        try seal.expect("DRPACKE\n")
        let actual = unsafe header.withUnsafeBytes { first in
            unsafe end.withUnsafeBytes { second in
                unsafe ContentHash(of: first, and: UnsafeRawBufferPointer(rebasing: second[..<sealed]))
            }
        }
        guard actual == hash else { throw Malformed("its checksum is wrong") }
        // Only now: a version that an accident changed is not a later one.
        let id = try Self.id(header)
        var trailer = ByteReader(end, from: table)
        let count = Int(try trailer.number(UInt32.self))
        guard count == table / PackedChunk.size, try trailer.number(UInt64.self) == footer else { throw Malformed("its footer is wrong") }
        var reader = ByteReader(end, to: table)
        var chunks: [PackedChunk] = []
        chunks.reserveCapacity(count)
        for _ in 0..<count {
            let hash = try reader.hash()
            let offset = try reader.number(UInt32.self)
            let stored = try reader.number(UInt32.self)
            let length = try reader.number(UInt32.self)
            let number = try reader.number(UInt32.self)
            guard UInt64(offset) + UInt64(stored) <= footer else { throw Malformed("its footer is wrong") }
            guard let codec = UInt8(exactly: number).flatMap(Codec.init(rawValue:)) else {
                throw Malformed("its footer is wrong: codec \(number) is not known here", isNewer: true)
            }
            let location = ChunkLocation(pack: id, offset: offset, stored: stored, codec: codec)
            chunks.append(PackedChunk(hash: hash, length: length, location: location))
        }
        return (id, chunks)
    }
}
