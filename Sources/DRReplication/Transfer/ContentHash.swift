internal import Crypto

/// SHA-256 of some bytes: equal hashes, equal bytes.
struct ContentHash: Hashable, Sendable, CustomStringConvertible {
    static let size = 32

    private let a: UInt64
    private let b: UInt64
    private let c: UInt64
    private let d: UInt64

    init(of bytes: UnsafeRawBufferPointer) {
        var hasher = SHA256()
        unsafe hasher.update(bufferPointer: bytes)
        self.init(hasher.finalize())
    }

    /// Of both, one after the other.
    init(of first: UnsafeRawBufferPointer, and second: UnsafeRawBufferPointer) {
        var hasher = SHA256()
        unsafe hasher.update(bufferPointer: first)
        unsafe hasher.update(bufferPointer: second)
        self.init(hasher.finalize())
    }

    init(of bytes: [UInt8]) { self = unsafe bytes.withUnsafeBytes { unsafe ContentHash(of: $0) } }

    init(_ digest: SHA256.Digest) { self = unsafe digest.withUnsafeBytes { unsafe ContentHash(loading: $0) } }

    /// Exactly 32 bytes.
    init(raw: ArraySlice<UInt8>) {
        precondition(raw.count == Self.size)
        self = unsafe raw.withUnsafeBytes { unsafe ContentHash(loading: $0) }
    }

    private init(loading bytes: UnsafeRawBufferPointer) {
        a = unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        b = unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        c = unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        d = unsafe bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    // Its four words stand in memory as its bytes do.
    func append(to bytes: inout [UInt8]) { unsafe withUnsafeBytes(of: self) { unsafe bytes.append(contentsOf: $0) } }

    static func append(_ hashes: [ContentHash], to bytes: inout [UInt8]) {
        unsafe hashes.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// True for one hash in `count`, evenly.
    func isOneIn(_ count: UInt64) -> Bool { UInt64(littleEndian: a) % count == 0 }

    /// 64 lower-case hex digits.
    var hex: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return Hex.text(bytes)
    }

    init?(hex: String) {
        guard let bytes = Hex.bytes(hex), bytes.count == Self.size else { return nil }
        self.init(raw: bytes[...])
    }

    var description: String { hex }
}

enum Hex {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func bytes(_ text: String) -> [UInt8]? {
        func value(_ digit: UInt8) -> UInt8? {
            switch digit {
            case 48...57: digit - 48
            case 97...102: digit - 87
            default: nil
            }
        }
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
