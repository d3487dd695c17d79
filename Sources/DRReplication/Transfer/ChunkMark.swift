internal import CStorage
internal import DRModel

/// XXH3 of some bytes, 128 bits: a tenth of what their SHA-256 costs.
///
/// Where a mark stands for content it is made with a secret that never leaves the source, so that nobody can aim at it; and it only ever says that a chunk
/// is the same as last time.
struct ChunkMark: Hashable, Sendable {
    static let size = 16
    private let low: UInt64
    private let high: UInt64

    init(of bytes: UnsafeRawBufferPointer) { self = unsafe Self.mark(bytes, nil, 0) }

    init(of bytes: UnsafeRawBufferPointer, _ secret: MarkSecret) {
        self = unsafe secret.bytes.withUnsafeBytes { unsafe Self.mark(bytes, $0.baseAddress, $0.count) }
    }

    private static func mark(_ bytes: UnsafeRawBufferPointer, _ secret: UnsafeRawPointer?, _ length: Int) -> ChunkMark {
        var both: (UInt64, UInt64) = (0, 0)
        unsafe withUnsafeMutablePointer(to: &both) { place in
            unsafe place.withMemoryRebound(to: UInt64.self, capacity: 2) {
                // Of no bytes at all there may be no address.
                if let start = bytes.baseAddress { unsafe cstorage_fast_hash(start, bytes.count, secret, length, $0) }
            }
        }
        return ChunkMark(low: both.0, high: both.1)
    }

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    init(reading reader: inout ByteReader) throws(Malformed) {
        low = try reader.number()
        high = try reader.number()
    }

    func write(to writer: inout ByteWriter) {
        writer.put(low)
        writer.put(high)
    }
}

/// 192 random bytes of one volume at one source.
struct MarkSecret: Hashable, Sendable {
    static let size = 192
    let bytes: [UInt8]

    init(_ random: any RandomSource) {
        var writer = ByteWriter()
        for _ in 0..<(Self.size / 8) { writer.put(random.next()) }
        bytes = writer.bytes
    }

    init(reading reader: inout ByteReader) throws(Malformed) { bytes = Array(try reader.raw(Self.size)) }
}
