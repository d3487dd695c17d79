/// Names a pack: eight bytes of the session that wrote it, eight random ones. Never given to two packs with different bytes.
struct PackID: Hashable, Sendable, Comparable, CustomStringConvertible {
    static let size = 16
    // Big-endian, so that numbers sort as bytes do.
    private let first: UInt64
    private let second: UInt64

    init(session: Session, random: UInt64) {
        self.init(raw: session.bytes + (0..<8).map { UInt8(truncatingIfNeeded: random >> (8 * $0)) })
    }

    /// Exactly 16 bytes.
    init(raw: some Collection<UInt8>) {
        precondition(raw.count == Self.size)
        func number(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        first = number(raw.prefix(8))
        second = number(raw.dropFirst(8))
    }

    init?(text: some StringProtocol) {
        guard let bytes = Hex.bytes(String(text)), bytes.count == Self.size else { return nil }
        self.init(raw: bytes)
    }

    var bytes: [UInt8] {
        [first, second].flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
    }

    /// The one that wrote it.
    var session: Session { Session(self) }

    static func < (a: PackID, b: PackID) -> Bool { (a.first, a.second) < (b.first, b.second) }
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
