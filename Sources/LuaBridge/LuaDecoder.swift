/// Makes `Decodable` values of Lua ones. Fields may be of type `LuaValue`, `LuaTable`, `LuaFunction`, `LuaString`, `LuaTree` and of
/// `LuaObject` types too.
public struct LuaDecoder {
    public init() {}

    /// Throws `LuaCodingError` with the path to what is wrong.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self, from value: LuaValue, in lua: Lua) throws -> Value {
        try convertingCodingErrors { try ValueDecoder(value: value, lua: lua, codingPath: []).decode(type) }
    }
}

private struct ValueDecoder: Decoder {
    let value: LuaValue
    let lua: Lua
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func failure(_ message: String) -> LuaCodingError {
        LuaCodingError(path: codingPath.luaText, message: message)
    }

    func mismatch(_ expected: String) -> LuaCodingError {
        value.isNil ? failure("missing: \(expected) expected") : failure("\(expected) expected, got \(value.typeName)")
    }

    func nested(_ value: LuaValue, _ key: any CodingKey) -> ValueDecoder {
        ValueDecoder(value: value, lua: lua, codingPath: codingPath + [key])
    }

    func table(_ expected: String) throws -> LuaTable {
        guard let table = value.table else { throw mismatch(expected) }
        guard codingPath.count < lua.limits.depth else { throw failure("nested deeper than \(lua.limits.depth) tables") }
        return table
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        switch type {
        case let object as any LuaObject.Type:
            guard let result = try read(object) as? Value else { throw mismatch(object.luaTypeName) }
            return result
        case is LuaTree.Type:
            do {
                if let tree = try lua.tree(of: value) as? Value { return tree }
            } catch let error as LuaCodingError {
                let inner = error.path
                let path = codingPath.luaText
                throw LuaCodingError(
                    path: inner.isEmpty ? path : inner.hasPrefix("[") || path.isEmpty ? path + inner : "\(path).\(inner)",
                    message: error.message)
            }
            throw mismatch("value")
        default: return try Value(from: self)
        }
    }

    private func read<Object: LuaObject>(_ type: Object.Type) throws -> Any? {
        value.object(type)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(TableKeyedContainer(decoder: self, table: try table("table")))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let table = try table("list")
        let elements = try table.elements()
        if elements.isEmpty, let key = try table.keys().first {
            throw failure("list expected, got a table with the field \(lua.shown(key))")
        }
        return ListContainer(decoder: self, elements: elements)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        self
    }
}

extension Lua {
    fileprivate func shown(_ key: LuaValue) -> String {
        key.string.map { "'\($0)'" } ?? key.integer.map { "[\($0)]" } ?? key.typeName
    }
}

extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        value.isNil || value.object(LuaNull.self) != nil
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard let value = value.boolean else { throw mismatch("boolean") }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard let bytes = value.bytes else { throw mismatch("string") }
        guard let text = LuaString(bytes: bytes).text else { throw failure("the string is not UTF-8") }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard let value = value.number else { throw mismatch("number") }
        return value
    }

    func decode(_ type: Float.Type) throws -> Float {
        Float(try decode(Double.self))
    }

    func decode(_ type: Int.Type) throws -> Int { try integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }

    private func integer<Value: FixedWidthInteger>() throws -> Value {
        guard let whole = value.integer else {
            if let number = value.number { throw failure("integer expected, got \(number)") }
            throw mismatch("integer")
        }
        guard let result = Value(exactly: whole) else {
            throw failure("\(whole) is out of range: \(Value.min) to \(Value.max)")
        }
        return result
    }
}

private struct TableKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: ValueDecoder
    let table: LuaTable
    var codingPath: [any CodingKey] { decoder.codingPath }

    // A table that cannot be ordered has no keys to list; what is asked for by name is still found.
    var allKeys: [Key] {
        ((try? table.keys()) ?? []).compactMap { key in
            switch key {
            case .integer(let index): Key(intValue: index) ?? Key(stringValue: String(index))
            case .string(let name): name.text.flatMap { Key(stringValue: $0) }
            default: nil
            }
        }
    }

    private func value(_ key: any CodingKey) throws -> LuaValue {
        let value: LuaValue
        if let index = key.intValue { value = try table.get(.integer(index)) } else { value = try table.get(.text(key.stringValue)) }
        return value
    }

    private func nested(_ key: any CodingKey) throws -> ValueDecoder {
        decoder.nested(try value(key), key)
    }

    func contains(_ key: Key) -> Bool {
        (try? value(key))?.isNil == false
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        try nested(key).decodeNil()
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try nested(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try nested(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try nested(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        try nested(IndexKey(name: "super"))
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try nested(key)
    }
}

private struct ListContainer: UnkeyedDecodingContainer {
    let decoder: ValueDecoder
    let elements: [LuaValue]
    var currentIndex = 0
    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    init(decoder: ValueDecoder, elements: [LuaValue]) {
        self.decoder = decoder
        self.elements = elements
    }

    private func peek() throws -> ValueDecoder {
        guard !isAtEnd else { throw decoder.failure("the list ends after \(elements.count) elements") }
        return decoder.nested(elements[currentIndex], IndexKey(currentIndex + 1))
    }

    private mutating func next() throws -> ValueDecoder {
        let nested = try peek()
        currentIndex += 1
        return nested
    }

    mutating func decodeNil() throws -> Bool {
        guard try peek().decodeNil() else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try next().decode(type)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder {
        try next()
    }
}

// References are decodable from Lua alone.
private func decodeReference<Value>(_ decoder: any Decoder, _ expected: String, _ pick: (LuaValue) -> Value?) throws -> Value {
    guard let decoder = decoder as? ValueDecoder else {
        throw LuaCodingError(path: decoder.codingPath.luaText, message: "a \(expected) comes from Lua alone")
    }
    guard let value = pick(decoder.value) else { throw decoder.mismatch(expected) }
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
        if let decoder = decoder as? ValueDecoder {
            guard case .string(let string) = decoder.value else { throw decoder.mismatch("string") }
            self = string
        } else {
            self.init(try decoder.singleValueContainer().decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
