/// A place in a chunk: `runbooks/shop.lua:12`.
public struct LuaLocation: Hashable, Sendable, CustomStringConvertible {
    /// The name the chunk was loaded with.
    public let source: String
    /// From 1.
    public let line: Int

    public init(source: String, line: Int) {
        self.source = source
        self.line = line
    }

    public var description: String {
        "\(source):\(line)"
    }
}
