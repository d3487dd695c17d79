/// The last argument of a host function that takes any number more: `{ (first: Int, rest: LuaRest<String>) in rest.values }`.
public struct LuaRest<Value: LuaReadable>: LuaReadable {
    public let values: [Value]

    public init(_ values: [Value]) {
        self.values = values
    }

    public static var luaTypeName: String { Value.luaTypeName }

    public static func read(from stack: LuaStack, at index: Int) throws -> LuaRest? {
        var values: [Value] = []
        for position in stride(from: index, through: stack.count, by: 1) {
            guard let value = try Value.read(from: stack, at: position) else {
                throw LuaComplaint("argument #\(position): \(Value.luaTypeName) expected, got \(stack.typeName(at: position))")
            }
            values.append(value)
        }
        return LuaRest(values)
    }
}

/// Several results of a host function: `return LuaResults(quotient, remainder)`. As an element of something else only the first counts.
public struct LuaResults: LuaWritable {
    private let writers: [(LuaStack) throws -> Void]

    public init<each Value: LuaWritable>(_ values: repeat each Value) {
        var writers: [(LuaStack) throws -> Void] = []
        for value in repeat each values { writers.append { stack in try value.write(to: stack) } }
        self.writers = writers
    }

    public func write(to stack: LuaStack) throws {
        guard let first = writers.first else { return stack.pushNil() }
        try first(stack)
    }

    public func writeResults(to stack: LuaStack) throws -> Int32 {
        try stack.ensure(writers.count + 8)
        for write in writers { try write(stack) }
        return Int32(writers.count)
    }
}

/// An enum whose raw values are strings or numbers is one in Lua: `enum Mode: String, LuaReadable, LuaWritable`.
extension LuaReadable where Self: RawRepresentable, RawValue: LuaReadable {
    public static var luaTypeName: String { "\(Self.self)" }

    public static func read(from stack: LuaStack, at index: Int) throws -> Self? {
        guard let raw = try RawValue.read(from: stack, at: index) else { return nil }
        guard let value = Self(rawValue: raw) else { throw LuaComplaint("'\(raw)' is no \(Self.self)\(choices(near: raw))") }
        return value
    }

    private static func choices(near raw: RawValue) -> String {
        guard let all = (Self.self as? any CaseIterable.Type)?.rawTexts, !all.isEmpty else { return "" }
        return ": expected \(all.map { "'\($0)'" }.joined(separator: ", "))"
    }
}

extension LuaWritable where Self: RawRepresentable, RawValue: LuaWritable {
    public func write(to stack: LuaStack) throws { try rawValue.write(to: stack) }
}

extension CaseIterable {
    fileprivate static var rawTexts: [String] { allCases.compactMap { ($0 as? any RawRepresentable).map { "\($0.rawValue)" } } }
}
