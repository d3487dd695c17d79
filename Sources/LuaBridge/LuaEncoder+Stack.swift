internal import CLua

// Encodes onto Lua's stack. The value of an encoder stands at `slot`: nothing yet (nil), a marker for an encoded nil, or the value. Containers
// are their tables, which stay on the stack until the value around them is encoded.
struct StackEncoder: Encoder {
    let stack: LuaStack
    let slot: Int32
    // Containers that may still be inside one another.
    let depth: Int32
    let place: LuaCodingPlace?

    var codingPath: [any CodingKey] { place.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    var at: Int { Int(slot) }

    // Pushes one value: what `value` encodes, or a marker for nil.
    static func push<Value: Encodable>(_ value: Value, to stack: LuaStack, depth: Int32, place: LuaCodingPlace?) throws {
        try stack.ensure(12)
        let type = ObjectIdentifier(Value.self)
        if type == ObjectIdentifier(String.self), let text = value as? String { return try stack.push(text) }
        if type == ObjectIdentifier(Int.self), let number = value as? Int { return stack.push(number) }
        if type == ObjectIdentifier(LuaTree.self), let tree = value as? LuaTree {
            return try stack.lua.push(tree, to: stack, depth: stack.lua.limits.depth - Int(depth))
        }
        if type == ObjectIdentifier(LuaString.self), let string = value as? LuaString { return try stack.push(bytes: string.bytes) }
        guard depth > 0 else {
            throw LuaCodingError(path: place.path.luaText, message: "containers nested too deep")
        }
        stack.pushNil()
        let slot = stack.count
        let lua = stack.lua
        let lent = unsafe lua.containers.lent
        defer { unsafe lua.containers.takeBack(to: lent) }
        try value.encode(to: StackEncoder(stack: stack, slot: Int32(slot), depth: depth - 1, place: place))
        stack.setCount(slot)
        if stack.isNil(at: slot) {
            stack.newTable()
            stack.replace(slot)
        }
    }

    private func table() {
        guard at <= stack.count, !stack.isTable(at: at) else { return }
        stack.newTable(record: 8)
        stack.replace(at)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        table()
        return unsafe stack.lua.containers.encoding(self)
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        table()
        return StackListEncoding(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        self
    }

    // Of a table at `slot`. One that is gone means that the container outlived its value.
    func check() throws {
        guard stack.isTable(at: at) else { throw usedUp() }
    }

    @inline(never) func usedUp() -> any Error {
        LuaCodingError(path: codingPath.luaText, message: "the container was used after its value was encoded")
    }

    // The value on top becomes a field of the table.
    func setTop(_ name: String, _ index: Int?) throws {
        if let index { stack.push(index) } else { try stack.push(name) }
        stack.swap()
        stack.rawSet(at)
    }

    // An encoder for a table that is set at once and filled later. It cannot throw: without a table around it, filling it is what fails.
    func nested(_ key: some CodingKey, _ set: (LuaStack) throws -> Void) -> StackEncoder {
        guard (try? stack.ensure(12)) != nil else { return StackEncoder(stack: stack, slot: .max, depth: 0, place: place) }
        stack.newTable()
        let inner = StackEncoder(stack: stack, slot: Int32(stack.count), depth: depth - 1, place: LuaCodingPlace(place, key))
        do {
            try set(stack)
        } catch {
            stack.setCount(inner.at)
        }
        return inner
    }
}

extension StackEncoder: SingleValueEncodingContainer {
    private func set(_ push: () throws -> Void) throws {
        guard at <= stack.count, !stack.isTable(at: at) else {
            throw LuaCodingError(path: codingPath.luaText, message: "a single value where a container was begun")
        }
        try push()
        stack.replace(at)
    }

    func encodeNil() throws { try set { unsafe clua_push_marker(stack.state) } }
    func encode(_ value: Bool) throws { try set { stack.push(value) } }
    func encode(_ value: String) throws { try set { try stack.push(value) } }
    func encode(_ value: Double) throws { try set { stack.push(value) } }
    func encode(_ value: Float) throws { try set { stack.push(Double(value)) } }
    func encode(_ value: Int) throws { try set { stack.push(value) } }
    func encode(_ value: Int8) throws { try encode(Int(value)) }
    func encode(_ value: Int16) throws { try encode(Int(value)) }
    func encode(_ value: Int32) throws { try encode(Int(value)) }
    func encode(_ value: Int64) throws { try encode(Int(value)) }
    func encode(_ value: UInt) throws { try encode(integer: value) }
    func encode(_ value: UInt8) throws { try encode(Int(value)) }
    func encode(_ value: UInt16) throws { try encode(Int(value)) }
    func encode(_ value: UInt32) throws { try encode(Int(value)) }
    func encode(_ value: UInt64) throws { try encode(integer: value) }
    func encode(_ value: some Encodable) throws { try set { try Self.push(value, to: stack, depth: depth, place: place) } }

    private func encode(integer value: some FixedWidthInteger) throws {
        guard let value = Int(exactly: value) else {
            throw LuaCodingError(path: codingPath.luaText, message: "the integer \(value) does not fit into 64 bits with a sign")
        }
        try encode(value)
    }
}

@safe struct StackKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    private let frame: LuaFrame
    // The same, without being counted at each use.
    private let quick: Unmanaged<LuaFrame>
    var codingPath: [any CodingKey] { unsafe frame.place.path }
    private var stack: LuaStack { unsafe frame.stack }

    init(frame: LuaFrame) {
        self.frame = frame
        unsafe quick = Unmanaged.passUnretained(frame)
    }

    @inline(__always) private func field(_ key: Key, _ push: (LuaStack) throws -> Void) throws {
        try unsafe quick._withUnsafeGuaranteedRef { frame in
            try frame.check()
            try unsafe push(frame.stack)
            try frame.set(key)
        }
    }

    // A nil field is a field that is not there.
    func encodeNil(forKey key: Key) {}
    func encode(_ value: Bool, forKey key: Key) throws {
        try field(key) { stack in stack.push(value) }
    }

    func encode(_ value: String, forKey key: Key) throws {
        try field(key) { stack in try stack.push(value) }
    }

    func encode(_ value: Double, forKey key: Key) throws {
        try field(key) { stack in stack.push(value) }
    }

    func encode(_ value: Int, forKey key: Key) throws {
        try field(key) { stack in stack.push(value) }
    }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        try frame.check()
        try unsafe StackEncoder.push(value, to: stack, depth: frame.depth, place: LuaCodingPlace(frame.place, key))
        guard !stack.isMarker(at: -1) else { return stack.pop() }
        try frame.set(key)
    }

    private func nested(_ key: some CodingKey) -> StackEncoder {
        let encoder = frame.encoder
        return encoder.nested(key) { stack in
            try frame.check()
            stack.copy(-1)
            try encoder.setTop(key.stringValue, key.intValue)
        }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        nested(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nested(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { nested(IndexKey(name: "super")) }
    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

private struct StackListEncoding: UnkeyedEncodingContainer {
    let encoder: StackEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { stack.isTable(at: encoder.at) ? stack.rawLength(at: encoder.at) : 0 }
    private var stack: LuaStack { encoder.stack }

    init(encoder: StackEncoder) {
        self.encoder = encoder
    }

    private func append(_ push: () throws -> Void) throws {
        try encoder.check()
        let index = count + 1
        try push()
        stack.rawSet(encoder.at, index: index)
    }

    func encodeNil() throws { try append { try stack.lua.push(object: LuaNull(), to: stack) } }
    func encode(_ value: Bool) throws { try append { stack.push(value) } }
    func encode(_ value: String) throws { try append { try stack.push(value) } }
    func encode(_ value: Double) throws { try append { stack.push(value) } }
    func encode(_ value: Int) throws { try append { stack.push(value) } }

    func encode(_ value: some Encodable) throws {
        try append {
            try StackEncoder.push(value, to: stack, depth: encoder.depth, place: LuaCodingPlace(encoder.place, IndexKey(count + 1)))
            guard stack.isMarker(at: -1) else { return }
            stack.pop()
            try stack.lua.push(object: LuaNull(), to: stack)
        }
    }

    private func nested() -> StackEncoder {
        let index = count + 1
        return encoder.nested(IndexKey(index)) { stack in
            try encoder.check()
            stack.copy(-1)
            stack.rawSet(encoder.at, index: index)
        }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        nested().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    func superEncoder() -> any Encoder { nested() }
}

extension LuaStack {
    func isMarker(at index: Int) -> Bool { type(at: index) == CLUA_LIGHTUSERDATA }
    // The value on top takes the place of the one at the index.
    func replace(_ index: Int) {
        unsafe lua_copy(state, -1, Int32(index))
        pop()
    }
    func swap() { unsafe lua_rotate(state, -2, 1) }
}
