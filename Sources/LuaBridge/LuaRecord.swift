public import CLua

/// A struct that is a table in Lua, with its fields read and written by hand: the fastest way, at about the price of the same in C.
///
///     struct Point: LuaRecord {
///         var x, y: Double
///         init(fields: LuaFields) throws { (x, y) = (try fields["x"], try fields["y"]) }
///         func fill(_ fields: LuaFields) throws { try fields.set("x", x); try fields.set("y", y) }
///     }
///
/// `LuaCoded` does the same for any `Codable` type, at about twice the cost.
public protocol LuaRecord: LuaReadable, LuaWritable {
    /// How many fields a new table gets room for.
    static var fieldCount: Int { get }
    /// Reads the fields.
    init(fields: LuaFields) throws
    /// Writes the fields into a new table.
    func fill(_ fields: LuaFields) throws
}

extension LuaRecord {
    public static var luaTypeName: String { "table" }
    public static var fieldCount: Int { 8 }

    @inlinable public static func read(from stack: LuaStack, at index: Int) throws -> Self? {
        guard stack.isTable(at: index) else { return nil }
        try stack.ensure(8)
        let table = stack.absolute(index)
        return try Self(fields: LuaFields(stack, table, stamp: stack.stamp(of: table)))
    }

    @inlinable public func write(to stack: LuaStack) throws {
        try stack.ensure(8)
        stack.newTable(record: Self.fieldCount)
        let table = stack.count
        try fill(LuaFields(stack, table, stamp: stack.stamp(of: table)))
    }
}

/// The fields of a table that is being read or written. Access is raw: no metamethod runs.
@frozen public struct LuaFields {
    @usableFromInline let stack: LuaStack
    @usableFromInline let table: Int
    // As long as no script has run, a table without a metatable has none, and ordinary access to it cannot raise.
    @usableFromInline let stamp: UInt64

    @inlinable init(_ stack: LuaStack, _ table: Int, stamp: UInt64) {
        self.stack = stack
        self.table = table
        self.stamp = stamp
    }

    /// Throws `LuaCodingError` with the field's name when it is missing or of another type.
    @inlinable @inline(__always) public subscript<Value: LuaReadable>(_ name: StaticString) -> Value {
        get throws {
            stack.pushField(name, of: table, stamp)
            do {
                if let value = try Value.read(from: stack, at: -1) {
                    stack.pop()
                    return value
                }
            } catch {
                throw stack.inField(name, error)
            }
            throw stack.unexpectedField(name, Value.luaTypeName)
        }
    }

    /// nil leaves the field out.
    @inlinable @inline(__always) public func set(_ name: StaticString, _ value: some LuaWritable) throws {
        try value.write(to: stack)
        stack.setField(name, of: table, stamp)
    }
}

extension LuaStack {
    @inlinable @inline(__always) func isTable(at index: Int) -> Bool { type(at: index) == CLUA_TABLE }

    @inlinable func absolute(_ index: Int) -> Int { index > 0 ? index : count + 1 + index }

    @inlinable @inline(__always) func pushField(_ name: StaticString, of table: Int, _ stamp: UInt64) {
        _ = unsafe name.utf8Start.withMemoryRebound(to: CChar.self, capacity: 1) {
            unsafe clua_get_name(state, Int32(truncatingIfNeeded: table), $0, stamp)
        }
    }

    @inlinable @inline(__always) func setField(_ name: StaticString, of table: Int, _ stamp: UInt64) {
        unsafe name.utf8Start.withMemoryRebound(to: CChar.self, capacity: 1) {
            unsafe clua_set_name(state, Int32(truncatingIfNeeded: table), $0, stamp)
        }
    }

    @inlinable func stamp(of table: Int) -> UInt64 { unsafe clua_stamp(state, Int32(truncatingIfNeeded: table)) }

    // Takes the field off the stack.
    @usableFromInline @inline(never) func unexpectedField(_ name: StaticString, _ expected: String) -> any Error {
        defer { pop() }
        let message = isNil(at: -1) ? "missing: \(expected) expected" : "\(expected) expected, got \(typeName(at: -1))"
        return LuaCodingError(path: "\(name)", message: message)
    }

    @usableFromInline @inline(never) func inField(_ name: StaticString, _ error: any Error) -> any Error {
        pop()
        switch error {
        case let error as LuaCodingError: return error.inside("\(name)")
        case let error as LuaComplaint: return LuaCodingError(path: "\(name)", message: error.description)
        default: return error
        }
    }
}

extension LuaCodingError {
    func inside(_ outer: String) -> LuaCodingError {
        LuaCodingError(path: path.isEmpty || outer.isEmpty || path.hasPrefix("[") ? outer + path : "\(outer).\(path)", message: message)
    }
}
