/// A `Codable` value as argument or result of a host function: `{ (options: LuaCoded<Options>) in options.value }`.
public struct LuaCoded<Value> {
    public var value: Value

    public init(_ value: Value) {
        self.value = value
    }
}

extension LuaCoded: LuaReadable where Value: Decodable {
    public static var luaTypeName: String { "table" }

    public static func read(from stack: LuaStack, at index: Int) throws -> LuaCoded? {
        LuaCoded(try LuaDecoder().decode(Value.self, from: stack.value(at: index), in: stack.lua))
    }
}

extension LuaCoded: LuaWritable where Value: Encodable {
    public func write(to stack: LuaStack) throws {
        try stack.push(LuaEncoder(depth: stack.lua.limits.depth).encode(value, in: stack.lua))
    }
}
