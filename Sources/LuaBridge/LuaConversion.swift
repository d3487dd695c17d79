internal import CLua

/// A Swift type that can be read from a Lua value.
public protocol LuaReadable {
    /// What errors call it: `integer expected, got string`.
    static var luaTypeName: String { get }
    /// The value at the index, or nil when it is of another type or does not fit.
    static func read(from stack: LuaStack, at index: Int) throws -> Self?
}

/// A Swift type that can become a Lua value.
public protocol LuaWritable {
    /// Pushes exactly one value.
    func write(to stack: LuaStack) throws
    /// Pushes what a host function returns, and says how many values that are: one, but for `LuaResults`.
    func writeResults(to stack: LuaStack) throws -> Int32
}

extension LuaWritable {
    @inlinable @inline(__always) public func writeResults(to stack: LuaStack) throws -> Int32 {
        try write(to: stack)
        return 1
    }
}

public typealias LuaConvertible = LuaReadable & LuaWritable

extension LuaReadable {
    init(lua value: LuaValue, in lua: Lua) throws {
        self = try lua.read(value, as: Self.self)
    }
}

extension LuaWritable {
    func luaValue(in lua: Lua) throws -> LuaValue {
        try lua.value(of: self)
    }
}

extension Bool: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "boolean" }
    @inlinable public static func read(from stack: LuaStack, at index: Int) -> Bool? { stack.boolean(at: index) }
    @inlinable public func write(to stack: LuaStack) { stack.push(self) }
}

extension LuaReadable where Self: FixedWidthInteger {
    public static var luaTypeName: String { "integer from \(Self.min) to \(Self.max)" }
    @inlinable public static func read(from stack: LuaStack, at index: Int) -> Self? {
        stack.integer(at: index).flatMap(Self.init(exactly:))
    }
}

extension LuaWritable where Self: FixedWidthInteger {
    @inlinable public func write(to stack: LuaStack) throws {
        guard let value = Int(exactly: self) else { throw LuaStack.tooLarge(self) }
        stack.push(value)
    }
}

extension LuaStack {
    @usableFromInline static func tooLarge(_ value: some FixedWidthInteger) -> any Error {
        LuaComplaint("the integer \(value) does not fit into 64 bits with a sign")
    }
}

extension Int: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "integer" }
    @inlinable @inline(__always) public static func read(from stack: LuaStack, at index: Int) -> Int? { stack.integer(at: index) }
    @inlinable @inline(__always) public func write(to stack: LuaStack) { stack.push(self) }
}
extension Int8: LuaReadable, LuaWritable {}
extension Int16: LuaReadable, LuaWritable {}
extension Int32: LuaReadable, LuaWritable {}
extension Int64: LuaReadable, LuaWritable {}
extension UInt: LuaReadable, LuaWritable {}
extension UInt8: LuaReadable, LuaWritable {}
extension UInt16: LuaReadable, LuaWritable {}
extension UInt32: LuaReadable, LuaWritable {}
extension UInt64: LuaReadable, LuaWritable {}

extension Double: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "number" }
    @inlinable @inline(__always) public static func read(from stack: LuaStack, at index: Int) -> Double? { stack.number(at: index) }
    @inlinable @inline(__always) public func write(to stack: LuaStack) { stack.push(self) }
}

extension Float: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "number" }
    public static func read(from stack: LuaStack, at index: Int) -> Float? { stack.number(at: index).map { Float($0) } }
    public func write(to stack: LuaStack) { stack.push(Double(self)) }
}

extension String: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "string in UTF-8" }
    public static func read(from stack: LuaStack, at index: Int) -> String? { stack.text(at: index) }
    public func write(to stack: LuaStack) throws { try stack.push(self) }
}

extension LuaString: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "string" }
    public static func read(from stack: LuaStack, at index: Int) -> LuaString? { stack.bytes(at: index).map { LuaString(bytes: $0) } }
    public func write(to stack: LuaStack) throws { try stack.push(bytes: bytes) }
}

extension LuaValue: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "value" }
    public static func read(from stack: LuaStack, at index: Int) throws -> LuaValue? { try stack.value(at: index) }
    public func write(to stack: LuaStack) throws { try stack.push(self) }
}

extension LuaTable: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "table" }
    public static func read(from stack: LuaStack, at index: Int) throws -> LuaTable? { try stack.value(at: index).table }
    public func write(to stack: LuaStack) throws { try stack.push(.table(self)) }
}

extension LuaFunction: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "function" }
    public static func read(from stack: LuaStack, at index: Int) throws -> LuaFunction? { try stack.value(at: index).function }
    public func write(to stack: LuaStack) throws { try stack.push(.function(self)) }
}

extension Optional: LuaReadable where Wrapped: LuaReadable {
    public static var luaTypeName: String { Wrapped.luaTypeName }
    public static func read(from stack: LuaStack, at index: Int) throws -> Wrapped?? {
        if stack.isNil(at: index) || stack.box(at: index) is LuaBox<LuaNull> { return .some(nil) }
        return try Wrapped.read(from: stack, at: index).map { .some($0) }
    }
}

extension Optional: LuaWritable where Wrapped: LuaWritable {
    public func write(to stack: LuaStack) throws {
        if let self { try self.write(to: stack) } else { stack.pushNil() }
    }
}

extension Array: LuaReadable where Element: LuaReadable {
    public static var luaTypeName: String { "table" }
    public static func read(from stack: LuaStack, at index: Int) throws -> [Element]? {
        guard let table = try stack.value(at: index).table else { return nil }
        let lua = stack.lua
        return try table.elements().enumerated().map { position, element in
            do {
                return try lua.read(element, as: Element.self)
            } catch let error as LuaError {
                throw LuaComplaint("element \(position + 1): \(error.message)")
            }
        }
    }
}

extension Array: LuaWritable where Element: LuaWritable {
    public func write(to stack: LuaStack) throws {
        try stack.ensure(8)
        stack.newTable(array: count)
        let table = stack.count
        for (index, element) in enumerated() {
            try element.write(to: stack)
            stack.rawSet(table, index: index + 1)
        }
    }
}

extension Dictionary: LuaReadable where Key == String, Value: LuaReadable {
    public static var luaTypeName: String { "table" }
    public static func read(from stack: LuaStack, at index: Int) throws -> [String: Value]? {
        guard let table = try stack.value(at: index).table else { return nil }
        var result: [String: Value] = [:]
        for (key, value) in try table.pairs() {
            guard let name = key.string else { throw LuaComplaint("a key of type \(key.typeName) where names are expected") }
            do {
                result[name] = try stack.lua.read(value, as: Value.self)
            } catch let error as LuaError {
                throw LuaComplaint("field '\(name)': \(error.message)")
            }
        }
        return result
    }
}

extension Dictionary: LuaWritable where Key == String, Value: LuaWritable {
    public func write(to stack: LuaStack) throws {
        try stack.ensure(8)
        stack.newTable(record: count)
        let table = stack.count
        for (name, value) in self {
            try value.write(to: stack)
            try stack.rawSet(table, field: name)
        }
    }
}

/// The bytes of a string argument where Lua keeps them: no copy, and given back as a result not even that. Valid only during the call it was
/// an argument of; keep an `Array` or `String` of it.
@frozen public struct LuaBytes: LuaReadable, LuaWritable {
    @usableFromInline let stack: LuaStack
    @usableFromInline let index: Int

    @inlinable init(_ stack: LuaStack, _ index: Int) {
        self.stack = stack
        self.index = index
    }

    public static var luaTypeName: String { "string" }

    @inlinable @inline(__always) public static func read(from stack: LuaStack, at index: Int) -> LuaBytes? {
        stack.isString(at: index) ? LuaBytes(stack, index) : nil
    }

    @inlinable @inline(__always) public func write(to stack: LuaStack) throws {
        try stack.push(valueAt: index, of: self.stack)
    }

    /// Cost: none.
    @inlinable public var count: Int { stack.byteCount(at: index) }

    /// The bytes, inside `body` only.
    @inlinable public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        if let result = try unsafe stack.withBytes(at: index, body) { return result }
        return try unsafe body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

extension [UInt8] {
    /// A copy of the bytes.
    public init(_ bytes: LuaBytes) {
        self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
}
