package import Crypto

/// SHA-256 in the form everything here writes it: 64 lower-case hex digits.
package enum Digest {
    package static func hex(of bytes: some Sequence<UInt8>) -> String {
        hex(SHA256.hash(data: Array(bytes)))
    }

    /// The 32 bytes themselves.
    package static func bytes(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    package static func hex(of text: String) -> String { hex(of: Array(text.utf8)) }

    package static func hex(_ digest: SHA256.Digest) -> String { hex(Array(digest)) }

    /// The bytes themselves, two digits each.
    package static func hex(_ bytes: [UInt8]) -> String {
        func digit(_ number: UInt8) -> UInt8 { number + (number < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) }
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 2 * bytes.count) { text, count in
            for byte in bytes {
                unsafe text[count] = digit(byte >> 4)
                unsafe text[count + 1] = digit(byte & 15)
                count += 2
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
