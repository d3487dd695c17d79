internal import CLua

/// A Lua table. Access is raw: no metamethod of the script runs.
public struct LuaTable: Hashable {
    let reference: LuaReference

    public static func == (a: LuaTable, b: LuaTable) -> Bool {
        a.reference.identity == b.reference.identity
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(reference.identity)
    }

    // Runs `body` with the table at index `table` of the current stack, and leaves the stack as it was.
    private func withStack<Result>(_ body: (LuaStack, _ table: Int) throws(LuaError) -> Result) throws(LuaError) -> Result {
        let lua = try reference.owner()
        let stack = lua.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(12)
        try stack.push(reference)
        return try body(stack, top + 1)
    }

    /// nil for what is not there.
    public func get(_ key: LuaValue) throws(LuaError) -> LuaValue {
        try withStack { (stack, table) throws(LuaError) in
            try stack.push(key)
            stack.rawGet(table)
            return try stack.value(at: -1)
        }
    }

    /// A field as a Swift value; throws when it is missing and the type is not optional.
    public func get<Value: LuaReadable>(_ key: LuaValue, as type: Value.Type = Value.self) throws -> Value {
        let value = try get(key)
        return try Value(lua: value, in: reference.owner())
    }

    /// nil removes.
    public func set(_ key: LuaValue, _ value: LuaValue) throws(LuaError) {
        if key.isNil || key.number?.isNaN == true { throw LuaError(message: "a table key is neither nil nor not-a-number") }
        try withStack { (stack, table) throws(LuaError) in
            try stack.push(key)
            try stack.push(value)
            stack.rawSet(table)
        }
    }

    public func set(_ key: LuaValue, _ value: some LuaWritable) throws {
        try set(key, value.luaValue(in: reference.owner()))
    }

    public subscript(key: LuaValue) -> LuaValue {
        get throws(LuaError) { try get(key) }
    }

    /// The border of the sequence, as `#` gives it: defined for tables without holes.
    public var count: Int {
        get throws(LuaError) {
            try withStack { (stack, table) throws(LuaError) in stack.rawLength(at: table) }
        }
    }

    /// Its keys in the order of `pairs`: integers ascending, then strings bytewise. Other keys have no order and throw.
    public func keys() throws(LuaError) -> [LuaValue] {
        try withStack { (stack, table) throws(LuaError) in
            let sorted = try pushSortedKeys(of: table, stack)
            var keys: [LuaValue] = []
            for index in 0..<stack.rawLength(at: sorted) {
                stack.rawGet(sorted, index: index + 1)
                keys.append(try stack.value(at: -1))
                stack.pop()
            }
            return keys
        }
    }

    // Pushes a list of them, and says where it stands.
    private func pushSortedKeys(of table: Int, _ stack: LuaStack) throws(LuaError) -> Int {
        unsafe clua_push_sorted_keys(stack.state)
        stack.copy(table)
        try stack.lua.call(arguments: 1, results: 1, on: stack)
        return stack.count
    }

    /// Keys and values in the order of `pairs`.
    public func pairs() throws(LuaError) -> [(key: LuaValue, value: LuaValue)] {
        try withStack { (stack, table) throws(LuaError) in
            let sorted = try pushSortedKeys(of: table, stack)
            var pairs: [(key: LuaValue, value: LuaValue)] = []
            for index in 0..<stack.rawLength(at: sorted) {
                stack.rawGet(sorted, index: index + 1)
                let key = try stack.value(at: -1)
                stack.rawGet(table)
                pairs.append((key, try stack.value(at: -1)))
                stack.pop()
            }
            return pairs
        }
    }

    /// The elements 1, 2, ... `count`. Throws when the border of a table with holes is further away than any list could be long.
    public func elements() throws(LuaError) -> [LuaValue] {
        try withStack { (stack, table) throws(LuaError) in
            var elements: [LuaValue] = []
            for index in 0..<(try stack.listLength(at: table)) {
                stack.rawGet(table, index: index + 1)
                elements.append(try stack.value(at: -1))
                stack.pop()
            }
            return elements
        }
    }

    public func append(_ value: LuaValue) throws(LuaError) {
        let count = try withStack { (stack, table) throws(LuaError) in try stack.listLength(at: table) }
        try set(.integer(count + 1), value)
    }
}

extension LuaStack {
    func copy(_ index: Int) {
        unsafe lua_pushvalue(state, Int32(index))
    }

    func rawGet(_ table: Int) {
        unsafe lua_rawget(state, Int32(table))
    }

    func rawGet(_ table: Int, index: Int) {
        unsafe lua_rawgeti(state, Int32(table), Int64(index))
    }

    func rawSet(_ table: Int) {
        unsafe lua_rawset(state, Int32(table))
    }

    func rawLength(at index: Int) -> Int {
        Int(truncatingIfNeeded: unsafe lua_rawlen(state, Int32(index)))
    }

    // A script can put the border of a table with holes anywhere. A list of that many elements would take at least 8 bytes for each.
    func listLength(at index: Int) throws(LuaError) -> Int {
        let length = rawLength(at: index)
        guard length >= 0, length <= Int(unsafe clua_memory_used(clua_state_of(state))) / 8 else {
            throw LuaError(message: "list expected, got a table with holes")
        }
        return length
    }
}
