internal import CLua

// The containers of StackDecoder: a table by its keys, and as a list. Each access looks whether there is still a table where it was.

// Fields that are no containers are read without anything generic on the way: looking up types at run time costs more than all the rest.
@safe struct StackKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let frame: LuaFrame
    // The same, without being counted at each use.
    private let quick: Unmanaged<LuaFrame>
    var codingPath: [any CodingKey] { unsafe frame.place.path }
    private var stack: LuaStack { unsafe frame.stack }

    init(frame: LuaFrame) {
        self.frame = frame
        unsafe quick = Unmanaged.passUnretained(frame)
    }

    // A table that cannot be ordered has no keys to list; what is asked for by name is still found.
    var allKeys: [Key] {
        guard frame.isOpen else { return [] }
        return ((try? stack.value(at: frame.at).table?.keys()) ?? []).compactMap { key in
            switch key {
            case .integer(let index): Key(intValue: index) ?? Key(stringValue: String(index))
            case .string(let name): name.text.flatMap { Key(stringValue: $0) }
            default: nil
            }
        }
    }

    private func push(_ key: Key) throws {
        try frame.check()
        try frame.push(key)
    }

    // Reads a field that is no container; `wrong` says what is the matter with it.
    @inline(__always) private func field<Value>(
        _ key: Key, _ read: (LuaStack) -> Value?, wrong: (StackDecoder) throws -> Value
    ) throws -> Value {
        try unsafe quick._withUnsafeGuaranteedRef { frame in
            try frame.check()
            try frame.push(key)
            if let value = unsafe read(frame.stack) {
                unsafe frame.stack.pop()
                return value
            }
            defer { unsafe frame.stack.pop() }
            return try wrong(frame.decoder.nested(key))
        }
    }

    func contains(_ key: Key) -> Bool {
        guard (try? push(key)) != nil else { return false }
        defer { stack.pop() }
        return !stack.isNil(at: -1)
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        try push(key)
        defer { stack.pop() }
        return stack.isNil(at: -1) || LuaNull.read(from: stack, at: -1) != nil
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try field(key) {
            $0.boolean(at: -1)
        } wrong: {
            try $0.decode(type)
        }
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try field(key) {
            $0.text(at: -1)
        } wrong: {
            try $0.decode(type)
        }
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try field(key) {
            $0.number(at: -1)
        } wrong: {
            try $0.decode(type)
        }
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        try field(key) {
            $0.integer(at: -1)
        } wrong: {
            try $0.decode(type)
        }
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try push(key)
        defer { stack.pop() }
        return try frame.decoder.nested(key).decode(type)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try push(key)
        defer { stack.pop() }
        if stack.isNil(at: -1) || LuaNull.read(from: stack, at: -1) != nil { return nil }
        return try frame.decoder.nested(key).decode(type)
    }

    // These stay on the stack until the value around them is decoded.
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try push(key)
        return try frame.decoder.keeping { try frame.decoder.nested(key).container(keyedBy: type) }
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try push(key)
        return try frame.decoder.keeping { try frame.decoder.nested(key).unkeyedContainer() }
    }

    func superDecoder() throws -> any Decoder {
        try frame.check()
        let key = IndexKey(name: "super")
        try frame.decoder.pushField(key.stringValue, nil)
        return try superDecoder(of: key)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try push(key)
        return try superDecoder(of: key)
    }

    private func superDecoder(of key: some CodingKey) throws -> any Decoder {
        try frame.decoder.keeping {
            try stack.ensure(8)
            return frame.decoder.nested(key)
        }
    }
}

extension StackDecoder {
    // Of a table.
    func pushField(_ name: String, _ index: Int?) throws {
        if let index {
            stack.rawGet(at, index: index)
        } else {
            try stack.push(name)
            stack.rawGet(at)
        }
    }

    // What was pushed stays for the container in it; without one it goes.
    fileprivate func keeping<Result>(_ make: () throws -> Result) throws -> Result {
        do {
            return try make()
        } catch {
            stack.pop()
            throw error
        }
    }
}

struct StackListContainer: UnkeyedDecodingContainer {
    let decoder: StackDecoder
    let length: Int
    var currentIndex = 0
    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { length }
    var isAtEnd: Bool { currentIndex >= length }
    private var stack: LuaStack { decoder.stack }

    init(decoder: StackDecoder, length: Int) {
        self.decoder = decoder
        self.length = length
    }

    private func push() throws {
        guard !isAtEnd else { throw decoder.failure("the list ends after \(length) elements") }
        guard stack.isTable(at: decoder.at) else { throw decoder.failure("the container was used after its value was decoded") }
        stack.rawGet(decoder.at, index: currentIndex + 1)
    }

    private mutating func element<Value>(_ expected: (StackDecoder) throws -> Value, _ read: (LuaStack) -> Value?) throws -> Value {
        try push()
        defer { stack.pop() }
        let value = try read(stack) ?? expected(decoder.nested(IndexKey(currentIndex + 1)))
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        try push()
        defer { stack.pop() }
        guard stack.isNil(at: -1) || LuaNull.read(from: stack, at: -1) != nil else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try element({ try $0.decode(type) }) { $0.boolean(at: -1) } }
    mutating func decode(_ type: String.Type) throws -> String { try element({ try $0.decode(type) }) { $0.text(at: -1) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try element({ try $0.decode(type) }) { $0.number(at: -1) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try element({ try $0.decode(type) }) { $0.integer(at: -1) } }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try element({ try $0.decode(type) }) { _ in nil }
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try push()
        let container = try decoder.keeping { try decoder.nested(IndexKey(currentIndex + 1)).container(keyedBy: type) }
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try push()
        let container = try decoder.keeping { try decoder.nested(IndexKey(currentIndex + 1)).unkeyedContainer() }
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        try push()
        try decoder.keeping { try stack.ensure(8) }
        currentIndex += 1
        return decoder.nested(IndexKey(currentIndex))
    }
}
