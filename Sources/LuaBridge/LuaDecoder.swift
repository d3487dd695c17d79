/// Makes `Decodable` values of Lua ones. Fields may be of type `LuaValue`, `LuaTable`, `LuaFunction`, `LuaString`, `LuaTree` and of
/// `LuaObject` types too.
///
/// Values are read where they stand on Lua's stack, so decoders and containers are used up when the `init(from:)` they were given to returns.
public struct LuaDecoder {
    @inlinable public init() {}

    /// Throws `LuaCodingError` with the path to what is wrong.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self, from value: LuaValue, in lua: Lua) throws -> Value {
        let stack = lua.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(4)
        try stack.push(value)
        return try decode(from: stack, at: top + 1)
    }

    @usableFromInline func decode<Value: Decodable>(from stack: LuaStack, at index: Int) throws -> Value {
        let lua = stack.lua
        let outer = unsafe lua.decodedTables
        unsafe lua.decodedTables = 0
        defer { unsafe lua.decodedTables = outer }
        return try convertingCodingErrors {
            try StackDecoder(stack: stack, index: Int32(stack.absolute(index)), depth: Int32(clamping: stack.lua.limits.depth), place: nil)
                .decode(Value.self)
        }
    }
}

// A value at an index of the stack. Three words, so that it needs no box as `any Decoder`.
struct StackDecoder: Decoder {
    let stack: LuaStack
    let index: Int32
    // Tables that may still be inside one another.
    let depth: Int32
    let place: LuaCodingPlace?

    var codingPath: [any CodingKey] { place.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    var at: Int { Int(index) }

    func failure(_ message: String) -> LuaCodingError {
        LuaCodingError(path: codingPath.luaText, message: message)
    }

    func mismatch(_ expected: String) -> LuaCodingError {
        stack.isNil(at: at) ? failure("missing: \(expected) expected") : failure("\(expected) expected, got \(stack.typeName(at: at))")
    }

    // The value on top, known by `key`.
    func nested(_ key: some CodingKey) -> StackDecoder {
        StackDecoder(stack: stack, index: Int32(stack.count), depth: depth, place: LuaCodingPlace(place, key))
    }

    func table(_ expected: String) throws -> StackDecoder {
        guard stack.isTable(at: at) else { throw mismatch(expected) }
        guard depth > 0 else { throw failure("nested deeper than \(stack.lua.limits.depth) tables") }
        guard stack.lua.countsDecodedTable() else { throw failure("larger than the memory limit when every table in it is copied") }
        try stack.ensure(8)
        return StackDecoder(stack: stack, index: index, depth: depth - 1, place: place)
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if !stack.lua.isLastPlain(type), let special = try special(type) { return special }
        let top = stack.count
        let lua = stack.lua
        let lent = unsafe lua.containers.lent
        defer {
            unsafe lua.containers.takeBack(to: lent)
            stack.setCount(top)
        }
        return try Value(from: self)
    }

    // A tree, or an object of the host.
    @inline(never) private func special<Value: Decodable>(_ type: Value.Type) throws -> Value? {
        if type == LuaTree.self {
            do {
                if let tree = try stack.lua.tree(of: stack.value(at: at)) as? Value { return tree }
            } catch let error as LuaCodingError {
                throw error.inside(codingPath.luaText)
            }
        }
        guard let object = stack.lua.objectType(type) else {
            unsafe stack.lua.lastPlain = ObjectIdentifier(type)
            return nil
        }
        guard let result = try read(object) as? Value else { throw mismatch(object.luaTypeName) }
        return result
    }

    private func read<Object: LuaObject>(_ type: Object.Type) throws -> Any? {
        try Object.read(from: stack, at: at)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try unsafe stack.lua.containers.decoding(table("table"))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let decoder = try table("list")
        guard let count = try? stack.listLength(at: at) else { throw failure("list expected, got a table with holes") }
        if count == 0, let key = try stack.value(at: at).table?.keys().first {
            throw failure("list expected, got a table with the field \(stack.lua.shown(key))")
        }
        return StackListContainer(decoder: decoder, length: count)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        self
    }
}

extension Lua {
    // One table that stands in many places is decoded for each: only so many as the memory limit has room for.
    fileprivate func countsDecodedTable() -> Bool {
        unsafe decodedTables += 1
        return unsafe decodedTables <= limits.memory / 64
    }

    fileprivate func shown(_ key: LuaValue) -> String {
        key.string.map { "'\($0)'" } ?? key.integer.map { "[\($0)]" } ?? key.typeName
    }

    @inline(__always) fileprivate func isLastPlain<Value>(_ type: Value.Type) -> Bool { unsafe lastPlain == ObjectIdentifier(type) }

    // Is it one that scripts hold as objects? Each type is asked once.
    fileprivate func objectType(_ type: any Decodable.Type) -> (any LuaObject.Type)? {
        if let known = unsafe objectTypes[ObjectIdentifier(type)] { return known }
        let object = type as? any LuaObject.Type
        unsafe objectTypes[ObjectIdentifier(type)] = .some(object)
        return object
    }
}

extension StackDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        stack.isNil(at: at) || LuaNull.read(from: stack, at: at) != nil
    }

    func decode(_ type: Bool.Type) throws -> Bool { try stack.boolean(at: at) ?? { throw mismatch("boolean") }() }
    func decode(_ type: String.Type) throws -> String {
        if let text = stack.text(at: at) { return text }
        throw stack.isString(at: at) ? failure("the string is not UTF-8") : mismatch("string")
    }
    func decode(_ type: Double.Type) throws -> Double { try stack.number(at: at) ?? { throw mismatch("number") }() }
    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try stack.integer(at: at) ?? { throw noInteger() }() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }

    private func noInteger() -> LuaCodingError {
        if let number = stack.number(at: at) { return failure("integer expected, got \(number)") }
        return mismatch("integer")
    }

    private func integer<Value: FixedWidthInteger>() throws -> Value {
        guard let whole = stack.integer(at: at) else { throw noInteger() }
        guard let result = Value(exactly: whole) else {
            throw failure("\(whole) is out of range: \(Value.min) to \(Value.max)")
        }
        return result
    }
}

// References are decodable from Lua alone.
private func decodeReference<Value>(_ decoder: any Decoder, _ expected: String, _ pick: (LuaValue) -> Value?) throws -> Value {
    guard let decoder = decoder as? StackDecoder else {
        throw LuaCodingError(path: decoder.codingPath.luaText, message: "a \(expected) comes from Lua alone")
    }
    guard let value = pick(try decoder.stack.value(at: decoder.at)) else { throw decoder.mismatch(expected) }
    return value
}

extension LuaValue: Decodable {
    public init(from decoder: any Decoder) throws { self = try decodeReference(decoder, "value") { $0 } }
}

extension LuaTable: Decodable {
    public init(from decoder: any Decoder) throws { self = try decodeReference(decoder, "table", \.table) }
}

extension LuaFunction: Decodable {
    public init(from decoder: any Decoder) throws { self = try decodeReference(decoder, "function", \.function) }
}

extension LuaString: Codable {
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? StackDecoder {
            guard let bytes = decoder.stack.bytes(at: decoder.at) else { throw decoder.mismatch("string") }
            self.init(bytes: bytes)
        } else {
            self.init(try decoder.singleValueContainer().decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
