/// Bytes that are not what a format says.
struct Malformed: Error, Equatable {
    let what: String
    /// Sound perhaps, but written by a later program: nobody may draw conclusions from it, or remove it.
    let isNewer: Bool

    init(_ what: String, isNewer: Bool = false) {
        self.what = what
        self.isNewer = isNewer
    }

    static let newer = Malformed("its format is newer than this program", isNewer: true)
}

/// Little-endian numbers and length-prefixed bytes, one after another.
struct ByteWriter {
    var bytes: [UInt8] = []

    /// `room`: bytes that are about to come.
    init(room: Int = 0) { bytes.reserveCapacity(room) }

    mutating func put(_ number: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }
    mutating func put(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }
    mutating func put(_ hash: ContentHash) { hash.append(to: &bytes) }

    /// The length as 32 bits, then the bytes.
    mutating func put(counted: some Collection<UInt8>) {
        put(UInt32(truncatingIfNeeded: counted.count))
        bytes.append(contentsOf: counted)
    }
}

/// Reads what a ByteWriter wrote; never past the end, whatever the bytes claim.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var position: Int
    let end: Int

    init(_ bytes: [UInt8], from start: Int = 0, to end: Int? = nil) {
        self.bytes = bytes
        position = max(0, start)
        self.end = min(bytes.count, end ?? bytes.count)
    }

    var isAtEnd: Bool { position >= end }
    var left: Int { max(0, end - position) }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(Malformed) -> Number {
        let size = MemoryLayout<Number>.size
        guard left >= size else { throw Malformed("it ends too early") }
        defer { position += size }
        return unsafe bytes.withUnsafeBytes { Number(littleEndian: unsafe $0.loadUnaligned(fromByteOffset: position, as: Number.self)) }
    }

    mutating func raw(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
        guard count >= 0, left >= count else { throw Malformed("it ends too early") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func counted() throws(Malformed) -> [UInt8] { Array(try raw(Int(try number(UInt32.self)))) }

    mutating func skipCounted() throws(Malformed) { _ = try raw(Int(try number(UInt32.self))) }

    mutating func hash() throws(Malformed) -> ContentHash { ContentHash(raw: try raw(ContentHash.size)) }

    mutating func expect(_ magic: StaticString) throws(Malformed) {
        let expected = Array(magic.description.utf8)
        guard left >= expected.count, try raw(expected.count).elementsEqual(expected) else {
            throw Malformed("it does not begin as its kind does")
        }
    }

    /// How many items of at least `size` bytes follow, if the rest has room for so many.
    mutating func count(ofItems size: Int) throws(Malformed) -> Int {
        let count = Int(try number(UInt32.self))
        guard count <= left / size else { throw Malformed("it counts more than it holds") }
        return count
    }
}
