internal import CLua

/// The Lua stack a host function reads its arguments from and writes its results to. Nothing here can raise inside Lua.
@safe public struct LuaStack {
    public let lua: Lua
    let state: OpaquePointer

    init(_ lua: Lua, _ state: OpaquePointer) {
        self.lua = lua
        unsafe self.state = unsafe state
    }

    /// How many values there are; they count from 1, negative indices from the top.
    public var count: Int {
        Int(unsafe lua_gettop(state))
    }

    func setCount(_ count: Int) {
        unsafe lua_settop(state, Int32(count))
    }

    func pop(_ count: Int = 1) {
        unsafe clua_pop(state, Int32(count))
    }

    func ensure(_ free: Int) throws(LuaError) {
        guard free < 1_000_000, unsafe lua_checkstack(state, Int32(free)) != 0 else {
            throw LuaError(kind: .limit, message: "stack overflow: no room for \(free) values")
        }
    }

    // MARK: Reading

    func type(at index: Int) -> Int {
        Int(unsafe lua_type(state, Int32(index)))
    }

    public func isNil(at index: Int) -> Bool {
        type(at: index) <= CLUA_NIL
    }

    public func boolean(at index: Int) -> Bool? {
        type(at: index) == CLUA_BOOLEAN ? unsafe lua_toboolean(state, Int32(index)) != 0 : nil
    }

    /// An integer, or a float that is one; strings are not converted.
    public func integer(at index: Int) -> Int? {
        guard type(at: index) == CLUA_NUMBER else { return nil }
        var isInteger: Int32 = 0
        let value = unsafe lua_tointegerx(state, Int32(index), &isInteger)
        return isInteger != 0 ? Int(value) : nil
    }

    public func number(at index: Int) -> Double? {
        type(at: index) == CLUA_NUMBER ? unsafe lua_tonumberx(state, Int32(index), nil) : nil
    }

    public func bytes(at index: Int) -> [UInt8]? {
        guard type(at: index) == CLUA_STRING else { return nil }
        var length = 0
        guard let start = unsafe lua_tolstring(state, Int32(index), &length) else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: length))
    }

    /// `number`, `table`, `no value`, or the name of an object's type.
    public func typeName(at index: Int) -> String {
        switch type(at: index) {
        case CLUA_NIL: "nil"
        case CLUA_BOOLEAN: "boolean"
        case CLUA_NUMBER: "number"
        case CLUA_STRING: "string"
        case CLUA_TABLE: "table"
        case CLUA_FUNCTION: "function"
        case CLUA_USERDATA: box(at: index)?.typeName ?? "userdata"
        case CLUA_THREAD: "coroutine"
        case CLUA_NONE: "no value"
        default: "userdata"
        }
    }

    func identity(at index: Int) -> UInt {
        UInt(bitPattern: unsafe lua_topointer(state, Int32(index)))
    }

    func box(at index: Int) -> LuaAnyBox? {
        guard let pointer = unsafe clua_object(state, Int32(index), nil) else { return nil }
        return unsafe Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue() as? LuaAnyBox
    }

    public func value(at index: Int) throws(LuaError) -> LuaValue {
        switch type(at: index) {
        case CLUA_BOOLEAN: return .boolean(unsafe lua_toboolean(state, Int32(index)) != 0)
        case CLUA_NUMBER:
            if unsafe lua_isinteger(state, Int32(index)) != 0 {
                return .integer(Int(unsafe lua_tointegerx(state, Int32(index), nil)))
            }
            return .number(unsafe lua_tonumberx(state, Int32(index), nil))
        case CLUA_STRING: return .string(LuaString(bytes: bytes(at: index) ?? []))
        case CLUA_TABLE: return .table(LuaTable(reference: try lua.reference(at: index, of: self)))
        case CLUA_FUNCTION: return .function(LuaFunction(reference: try lua.reference(at: index, of: self)))
        case CLUA_THREAD: return .coroutine(LuaThread(reference: try lua.reference(at: index, of: self)))
        case CLUA_USERDATA: return .object(LuaObjectReference(reference: try lua.reference(at: index, of: self)))
        default: return .nil
        }
    }

    func values(from first: Int) throws(LuaError) -> [LuaValue] {
        let last = count
        guard first <= last else { return [] }
        try ensure(4)
        var values: [LuaValue] = []
        values.reserveCapacity(last - first + 1)
        for index in first...last { values.append(try value(at: index)) }
        return values
    }

    // MARK: Writing; there must be room, see `ensure`

    public func pushNil() {
        unsafe lua_pushnil(state)
    }

    public func push(_ value: Bool) {
        unsafe lua_pushboolean(state, value ? 1 : 0)
    }

    public func push(_ value: Int) {
        unsafe lua_pushinteger(state, Int64(value))
    }

    public func push(_ value: Double) {
        unsafe lua_pushnumber(state, value)
    }

    public func push(bytes: [UInt8]) throws(LuaError) {
        // The cap is not enforced while Swift runs, so what could not fit is refused here.
        guard bytes.count <= lua.limits.memory, bytes.count < 1 << 30 else {
            throw LuaError(message: "a string of \(bytes.count) bytes is over the memory limit")
        }
        unsafe bytes.withUnsafeBytes { buffer in
            _ = unsafe lua_pushlstring(state, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
    }

    public func push(_ text: some StringProtocol) throws(LuaError) {
        try push(bytes: Array(text.utf8))
    }

    public func push(_ value: LuaValue) throws(LuaError) {
        switch value {
        case .nil: pushNil()
        case .boolean(let value): push(value)
        case .integer(let value): push(value)
        case .number(let value): push(value)
        case .string(let value): try push(bytes: value.bytes)
        case .table(let value): try push(value.reference)
        case .function(let value): try push(value.reference)
        case .coroutine(let value): try push(value.reference)
        case .object(let value): try push(value.reference)
        }
    }

    func push(_ reference: LuaReference) throws(LuaError) {
        guard reference.lua === lua else {
            throw LuaError(kind: .closed, message: "a value of another Lua state cannot be used in this one")
        }
        lua.push(slot: reference.slot, to: self)
    }

    func newTable(array: Int = 0, record: Int = 0) {
        unsafe lua_createtable(state, Int32(clamping: array), Int32(clamping: record))
    }

    // The value on top becomes the field.
    func rawSet(_ table: Int, field: String) throws(LuaError) {
        let table = Int(unsafe lua_absindex(state, Int32(table)))
        try push(field)
        unsafe lua_rotate(state, -2, 1)
        unsafe lua_rawset(state, Int32(table))
    }

    func rawSet(_ table: Int, index: Int) {
        unsafe lua_rawseti(state, Int32(table), Int64(index))
    }
}
