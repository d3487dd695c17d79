public import CLua

/// The Lua stack a host function reads its arguments from and writes its results to. Nothing here can raise inside Lua.
///
/// Indices count from 1; negative ones from the top. A host function finds room for 20 values above its arguments; `ensure` makes more.
@frozen @safe public struct LuaStack {
    @usableFromInline let state: OpaquePointer

    @inlinable @inline(__always) init(_ state: OpaquePointer) {
        unsafe self.state = unsafe state
    }

    /// The state it belongs to.
    public var lua: Lua {
        unsafe Unmanaged<Lua>.fromOpaque(clua_owner(state)).takeUnretainedValue()
    }

    /// How many values there are.
    public var count: Int {
        @inlinable get { Int(unsafe lua_gettop(state)) }
    }

    @inlinable func setCount(_ count: Int) {
        unsafe lua_settop(state, Int32(truncatingIfNeeded: count))
    }

    @inlinable func pop(_ count: Int = 1) {
        unsafe lua_settop(state, Int32(truncatingIfNeeded: -count - 1))
    }

    /// Makes room for as many values.
    @inlinable @inline(__always) public func ensure(_ free: Int) throws(LuaError) {
        guard free < 1_000_000, unsafe lua_checkstack(state, Int32(truncatingIfNeeded: free)) != 0 else { throw noRoom(free) }
    }

    @usableFromInline @inline(never) func noRoom(_ free: Int) -> LuaError {
        LuaError(kind: .limit, message: "stack overflow: no room for \(free) values")
    }

    // MARK: Reading

    @inlinable @inline(__always) func type(at index: Int) -> Int {
        Int(unsafe lua_type(state, Int32(truncatingIfNeeded: index)))
    }

    /// nil, or nothing at all.
    @inlinable @inline(__always) public func isNil(at index: Int) -> Bool {
        type(at: index) <= CLUA_NIL
    }

    /// nil for all but booleans.
    @inlinable @inline(__always) public func boolean(at index: Int) -> Bool? {
        type(at: index) == CLUA_BOOLEAN ? unsafe lua_toboolean(state, Int32(truncatingIfNeeded: index)) != 0 : nil
    }

    /// An integer, or a float that is one; strings are not converted.
    @inlinable @inline(__always) public func integer(at index: Int) -> Int? {
        let index = Int32(truncatingIfNeeded: index)
        if unsafe lua_isinteger(state, index) != 0 { return Int(truncatingIfNeeded: unsafe lua_tointegerx(state, index, nil)) }
        return wholeNumber(at: index)
    }

    // A float that is an integer.
    @usableFromInline @inline(never) func wholeNumber(at index: Int32) -> Int? {
        guard unsafe lua_type(state, index) == CLUA_NUMBER.status else { return nil }
        var isInteger: Int32 = 0
        let value = unsafe lua_tointegerx(state, index, &isInteger)
        return isInteger != 0 ? Int(value) : nil
    }

    /// nil for all but numbers; strings are not converted.
    @inlinable @inline(__always) public func number(at index: Int) -> Double? {
        type(at: index) == CLUA_NUMBER ? unsafe lua_tonumberx(state, Int32(truncatingIfNeeded: index), nil) : nil
    }

    /// Calls `body` with the bytes of a string, without a copy. They are valid inside only.
    @inlinable @inline(__always) public func withBytes<Result>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result? {
        guard type(at: index) == CLUA_STRING else { return nil }
        var length = 0
        let start = unsafe lua_tolstring(state, Int32(truncatingIfNeeded: index), &length)
        return try unsafe body(UnsafeRawBufferPointer(start: start, count: length))
    }

    @inlinable @inline(__always) func isString(at index: Int) -> Bool { type(at: index) == CLUA_STRING }

    @inlinable func byteCount(at index: Int) -> Int {
        isString(at: index) ? Int(truncatingIfNeeded: unsafe lua_rawlen(state, Int32(truncatingIfNeeded: index))) : 0
    }

    // A value of the same Lua state, maybe of another coroutine.
    @inlinable @inline(__always) func push(valueAt index: Int, of stack: LuaStack) throws {
        guard unsafe stack.state == state else { return try pushCopy(ofStringAt: index, of: stack) }
        unsafe lua_pushvalue(state, Int32(truncatingIfNeeded: index))
    }

    @usableFromInline @inline(never) func pushCopy(ofStringAt index: Int, of stack: LuaStack) throws {
        try push(bytes: stack.bytes(at: index) ?? [])
    }

    /// The bytes of a string, copied.
    public func bytes(at index: Int) -> [UInt8]? {
        unsafe withBytes(at: index) { unsafe Array($0) }
    }

    /// The text of a string; nil when it is none or not UTF-8.
    public func text(at index: Int) -> String? {
        guard type(at: index) == CLUA_STRING else { return nil }
        var length = 0
        guard let start = unsafe lua_tolstring(state, Int32(truncatingIfNeeded: index), &length) else { return nil }
        return unsafe String(utf8: UnsafeRawBufferPointer(start: start, count: length))
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
        case CLUA_USERDATA: box(at: index)?.typeName ?? (unsafe clua_tied_error(state, Int32(index)) == nil ? "userdata" : "error")
        case CLUA_THREAD: "coroutine"
        case CLUA_NONE: "no value"
        default: "userdata"
        }
    }

    func identity(at index: Int) -> UInt {
        UInt(bitPattern: unsafe lua_topointer(state, Int32(index)))
    }

    func box(at index: Int) -> LuaAnyBox? {
        guard let pointer = unsafe clua_any_object(state, Int32(index)) else { return nil }
        return unsafe Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue() as? LuaAnyBox
    }

    /// Any value.
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

    @inlinable @inline(__always) public func pushNil() {
        unsafe lua_pushnil(state)
    }

    @inlinable @inline(__always) public func push(_ value: Bool) {
        unsafe lua_pushboolean(state, value ? 1 : 0)
    }

    @inlinable @inline(__always) public func push(_ value: Int) {
        unsafe lua_pushinteger(state, Int64(value))
    }

    @inlinable @inline(__always) public func push(_ value: Double) {
        unsafe lua_pushnumber(state, value)
    }

    /// A string of any bytes. Throws when it is larger than the memory limit.
    @inlinable public func push(_ bytes: UnsafeRawBufferPointer) throws(LuaError) {
        // The cap is not enforced while Swift runs, so what could not fit is refused.
        if bytes.count >= 4096 { try refuseOversized(bytes.count) }
        _ = unsafe lua_pushlstring(state, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    @usableFromInline func refuseOversized(_ count: Int) throws(LuaError) {
        guard count <= lua.limits.memory, count < 1 << 30 else {
            throw LuaError(message: "a string of \(count) bytes is over the memory limit")
        }
    }

    public func push(bytes: [UInt8]) throws(LuaError) {
        if bytes.count >= 4096 { try refuseOversized(bytes.count) }
        unsafe bytes.withUnsafeBytes { buffer in
            _ = unsafe lua_pushlstring(state, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
    }

    public func push(_ text: some StringProtocol) throws(LuaError) {
        try push(String(text))
    }

    public func push(_ text: String) throws(LuaError) {
        if #available(macOS 26, *) {
            // Where the bytes are: nothing is copied or counted.
            let span = text.utf8Span.span
            if span.count >= 4096 { try refuseOversized(span.count) }
            unsafe span.withUnsafeBytes {
                _ = unsafe lua_pushlstring(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
            }
        } else {
            try push(bytes: Array(text.utf8))
        }
    }

    /// Any value of this state.
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
        guard unsafe reference.home.owner?.toOpaque() == clua_owner(state) else {
            throw LuaError(kind: .closed, message: "a value of another Lua state cannot be used in this one")
        }
        unsafe clua_push_held(state, reference.slot)
    }

    @inlinable func newTable(array: Int = 0, record: Int = 0) {
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

extension String {
    // Validated, and copied once; up to 15 bytes without an allocation.
    @inline(__always) init?(utf8 bytes: UnsafeRawBufferPointer) {
        if #available(macOS 26, *) {
            let span = unsafe bytes.bindMemory(to: UInt8.self).span
            if unsafe clua_is_ascii(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) != 0 {
                self.init(copying: unsafe UTF8Span(unchecked: span, isKnownASCII: true))
                return
            }
            guard let text = try? UTF8Span(validating: span) else { return nil }
            self.init(copying: text)
        } else {
            unsafe self.init(validating: bytes, as: UTF8.self)
        }
    }
}
