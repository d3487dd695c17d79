package import Crypto

/// SHA-256 in the form everything here writes it: 64 lower-case hex digits.
package enum Digest {
    package static func hex(of bytes: some Sequence<UInt8>) -> String {
        var hasher = SHA256()
        hasher.update(data: Array(bytes))
        return hex(hasher.finalize())
    }

    /// The 32 bytes themselves.
    package static func bytes(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    package static func hex(of text: String) -> String { hex(of: Array(text.utf8)) }

    package static func hex(_ digest: SHA256.Digest) -> String { hex(Array(digest)) }

    /// The bytes themselves, two digits each.
    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
