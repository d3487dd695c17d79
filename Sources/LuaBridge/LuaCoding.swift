/// A `Codable` value as argument or result of a host function: `{ (options: LuaCoded<Options>) in options.value }`.
public struct LuaCoded<Value> {
    public var value: Value

    @inlinable public init(_ value: Value) {
        self.value = value
    }
}

extension LuaCoded: LuaReadable where Value: Decodable {
    public static var luaTypeName: String { "table" }

    @inlinable public static func read(from stack: LuaStack, at index: Int) throws -> LuaCoded? {
        LuaCoded(try LuaDecoder().decode(from: stack, at: index))
    }
}

extension LuaCoded: LuaWritable where Value: Encodable {
    @inlinable public func write(to stack: LuaStack) throws {
        try LuaEncoder.encode(value, to: stack)
    }
}

// The place of a value that is being coded, from the inside out. Made for containers only: a field that is a number or a string adds its key
// when it fails.
final class LuaCodingPlace {
    let outer: LuaCodingPlace?
    let key: any CodingKey

    init(_ outer: LuaCodingPlace?, _ key: any CodingKey) {
        self.outer = outer
        self.key = key
    }
}

extension LuaCodingPlace? {
    var path: [any CodingKey] {
        var keys: [any CodingKey] = []
        var place = self
        while let inner = place {
            keys.append(inner.key)
            place = inner.outer
        }
        return keys.reversed()
    }
}
