/// A Lua string: any bytes, mostly UTF-8.
public struct LuaString: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ text: some StringProtocol) {
        bytes = Array(text.utf8)
    }

    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// The text, or nil when the bytes are not UTF-8.
    public var text: String? {
        String(validating: bytes, as: UTF8.self)
    }

    /// The text with replacement characters where the bytes are not UTF-8.
    public var description: String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Bytewise, as `pairs` orders keys.
    public static func < (a: LuaString, b: LuaString) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }
}
