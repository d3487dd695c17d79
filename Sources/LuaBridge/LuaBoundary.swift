internal import CLua

// What crosses between Swift and Lua: calls in, host functions out, errors both ways.

// A registered function; Lua holds it.
final class HostFunction {
    let body: (LuaStack) throws -> Int32
    // What is awaited after `body` has suspended the coroutine, and drives it on from there.
    // No optional: a closure that is taken out of one is wrapped anew each time.
    let awaited: (LuaCoroutine) async throws -> Void
    // What errors call it.
    let name: String

    init(
        _ name: String, _ body: @escaping (LuaStack) throws -> Int32, awaited: @escaping (LuaCoroutine) async throws -> Void = awaitNothing
    ) {
        self.name = name
        self.body = body
        self.awaited = awaited
    }

    func naming(_ error: any Error) -> any Error {
        (error as? LuaMisuse)?.complaint(of: name) ?? error
    }
}

// Of the functions that `LuaCoroutine` alone can answer.
func awaitNothing(_ coroutine: LuaCoroutine) async throws {
    coroutine.waitingStack.lua.request = nil
    throw LuaError(message: "a suspending function that is not async was called in Lua.run")
}

func callHostFunction(function: UnsafeMutableRawPointer, state: OpaquePointer) -> Int32 {
    unsafe Unmanaged<HostFunction>.fromOpaque(function)._withUnsafeGuaranteedRef { host in
        do {
            return try host.body(unsafe LuaStack(state))
        } catch {
            return unsafe raiseInLua(error, host, LuaStack(state))
        }
    }
}

// Takes over the error that a body has thrown to C: the common one goes to Lua without being counted up and down.
func raiseThrownError(error: UnsafeMutableRawPointer, function: UnsafeMutableRawPointer, state: OpaquePointer) -> Int32 {
    let isPlain = unsafe Unmanaged<Lua>.fromOpaque(clua_owner(state))._withUnsafeGuaranteedRef { lua in
        unsafe clua_stopping(lua.core) == CLUA_RUNNING.status && lua.errorForms.isPlain(error)
    }
    if isPlain, unsafe lua_checkstack(state, 12) != 0 {
        unsafe clua_push_error(state, error)
        return CLUA_RAISE.status
    }
    return unsafe raiseThrownError(error, Unmanaged<HostFunction>.fromOpaque(function).takeUnretainedValue(), LuaStack(state))
}

@inline(never) private func raiseThrownError(_ error: UnsafeMutableRawPointer, _ function: HostFunction, _ stack: LuaStack) -> Int32 {
    let thrown = unsafe plainError(error)
    unsafe Unmanaged<AnyObject>.fromOpaque(error).release()
    return raiseInLua(thrown, function, stack)
}

extension LuaErrorForms {
    fileprivate mutating func isPlain(_ error: UnsafeMutableRawPointer) -> Bool {
        unsafe Unmanaged<AnyObject>.fromOpaque(error)._withUnsafeGuaranteedRef { object in
            let plain = unsafe unsafeBitCast(object, to: PlainError.self)
            if isLast(plain.error) { return lastForm == .plain }
            return form(of: plain.error) == .plain
        }
    }
}

@inline(never) private func raiseInLua(_ error: any Error, _ function: HostFunction, _ stack: LuaStack) -> Int32 {
    stack.lua.raise(error, of: function, on: stack)
}

func pushErrorMessage(_ error: UnsafeMutableRawPointer?, state: OpaquePointer?) {
    guard let error = unsafe error, let state = unsafe state else { return }
    let stack = unsafe LuaStack(state)
    guard (try? stack.push(String(describing: unsafe plainError(error)))) != nil else { return stack.pushNil() }
}

// `any Error` is one reference to an object that is counted like any other (Swift's stable ABI), so Lua holds it without a box around it.
// A struct, for a bare one would be opened by the cast.
private struct PlainError {
    let error: any Error
}

private func retained(_ error: any Error) -> UnsafeMutableRawPointer {
    unsafe unsafeBitCast(PlainError(error: error), to: Unmanaged<AnyObject>.self).retain().toOpaque()
}

private func plainError(_ pointer: UnsafeMutableRawPointer) -> any Error {
    unsafe unsafeBitCast(Unmanaged<AnyObject>.fromOpaque(pointer), to: PlainError.self).error
}

func releaseHostObject(_ object: UnsafeMutableRawPointer?) {
    guard let object = unsafe object else { return }
    unsafe Unmanaged<AnyObject>.fromOpaque(object).release()
}

func printFromLua(owner: UnsafeMutableRawPointer?, text: UnsafePointer<CChar>?, length: Int) {
    guard let owner = unsafe owner, let text = unsafe text else { return }
    let lua = unsafe Unmanaged<Lua>.fromOpaque(owner).takeUnretainedValue()
    lua.output(unsafe String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self))
}

extension Lua {
    // Function and arguments are on the stack, `results` values (-1: all) replace them.
    func call(arguments: Int, results: Int, on stack: LuaStack) throws(LuaError) {
        let status = unsafe clua_call(stack.state, Int32(arguments), Int32(results))
        guard status == CLUA_OK.status else { throw takeError(status, from: stack) }
    }

    func pushFunction(_ body: @escaping (LuaStack) throws -> Int32, name: String, isPermanent: Bool = false, to stack: LuaStack) {
        push(HostFunction(name, body), isPermanent: isPermanent, to: stack)
    }

    func push(_ function: HostFunction, isPermanent: Bool, to stack: LuaStack) {
        let object = unsafe Unmanaged.passRetained(function).toOpaque()
        guard isPermanent else { return unsafe clua_push_function(stack.state, object) }
        // A closure is its code and its context; the struct keeps the cast from wrapping it.
        let parts = unsafe unsafeBitCast(LuaHostFunction(function.body), to: (UnsafeRawPointer, UnsafeMutableRawPointer?).self)
        unsafe clua_push_permanent_function(stack.state, object, parts.0, parts.1)
    }

    func makeFunction(
        _ body: @escaping (LuaStack) throws -> Int32, name: String, isPermanent: Bool = false
    ) throws(LuaError) -> LuaFunction {
        try makeFunction(HostFunction(name, body), isPermanent: isPermanent)
    }

    func makeFunction(_ function: HostFunction, isPermanent: Bool) throws(LuaError) -> LuaFunction {
        let stack = self.stack
        try stack.ensure(8)
        push(function, isPermanent: isPermanent, to: stack)
        defer { stack.pop() }
        return LuaFunction(reference: try reference(at: -1, of: stack))
    }

    // MARK: Errors into Lua

    // Leaves the error value on top, or asks for a termination.
    func raise(_ error: any Error, of function: HostFunction, on stack: LuaStack) -> Int32 {
        let form = unsafe errorForms.form(of: error)
        if form == .stop, let stop = error as? LuaStop {
            stopError = stop.underlying
            unsafe clua_stop(core, CLUA_STOPPED.status)
        }
        if unsafe clua_stopping(core) != CLUA_RUNNING.status { return CLUA_STOP.status }
        do {
            try stack.ensure(12)
            try pushError(form == .misuse ? function.naming(error) : error, to: stack)
        } catch {
            stack.pushNil()
        }
        return CLUA_RAISE.status
    }

    // The error that a function which waits raises, in place of all that is on its stack. It must get one: a script may wait with its stack full,
    // and an error may hold a value of another state.
    func pushAnswer(_ error: any Error, to stack: LuaStack) {
        stack.setCount(0)
        do {
            if (try? stack.ensure(24)) == nil { return unsafe clua_push_error(stack.state, retained(error)) }
            try pushError(error, to: stack)
        } catch {
            stack.setCount(0)
            unsafe clua_push_error(stack.state, retained(error))
        }
    }

    // An error without fields of its own becomes an object, the others tables. The place is the script's line on that stack.
    func pushError(_ error: any Error, to stack: LuaStack) throws(LuaError) {
        var message: String
        var fields: [(String, LuaTree)] = []
        switch unsafe errorForms.form(of: error) {
        case .plain, .stop, .misuse:
            return unsafe clua_push_error(stack.state, retained(error))
        case .complaint:
            let place = location(on: stack)
            return try stack.push(place.map { "\($0): \(error)" } ?? "\(error)")
        case .lua:
            if let error = error as? LuaError, let value = error.value, !value.isNil { return try stack.push(value) }
            message = (error as? LuaError)?.message ?? "\(error)"
        case .convertible:
            message = "\(error)"
            if let convertible = error as? any LuaErrorConvertible {
                message = convertible.luaMessage
                fields = convertible.luaFields
            }
        }
        let place = location(on: stack)
        stack.newTable(record: fields.count + 1)
        let table = stack.count
        for (name, value) in fields {
            try push(value, to: stack, depth: 0)
            try stack.rawSet(table, field: name)
        }
        try stack.push(message)
        try stack.rawSet(table, field: "message")
        unsafe clua_push_error_metatable(stack.state)
        _ = unsafe lua_setmetatable(stack.state, -2)
        let box = LuaErrorBox(error: error, message: message, location: place)
        unsafe clua_tie_error(stack.state, Unmanaged.passRetained(box).toOpaque())
    }

    private func location(on stack: LuaStack) -> LuaLocation? {
        var place = clua_place()
        unsafe clua_find_place(core, stack.state, &place)
        return LuaLocation(place)
    }

    // MARK: Errors out of Lua

    // The error value is on top of the stack and is taken off.
    func takeError(_ status: Int32, from stack: LuaStack, reason override: Int32? = nil) -> LuaError {
        defer { stack.pop() }
        var reason = unsafe override ?? clua_stopping(core)
        if status == CLUA_ERRMEM.status { reason = CLUA_MEMORY.status }
        let traceback = unsafe String(cString: clua_error_traceback(core))
        let place = LuaLocation(unsafe clua_error_place(core).pointee)
        if reason != CLUA_RUNNING.status {
            let underlying = reason == CLUA_STOPPED.status ? stopError : nil
            stopError = nil
            return LuaError(
                kind: terminationKind(reason), message: terminationMessage(reason, underlying), location: place, traceback: traceback,
                underlying: underlying)
        }
        let kind: LuaError.Kind =
            switch status {
            case CLUA_ERRSYNTAX.status: .syntax
            case CLUA_ERRERR.status: .handler
            default: .runtime
            }
        do {
            try stack.ensure(12)
            let value = try stack.value(at: -1)
            if let (error, message, known) = hostError(at: -1, of: stack) {
                var origin = clua_place()
                unsafe clua_error_origin(stack.state, -1, &origin)
                return LuaError(
                    kind: kind, message: message, location: known ?? LuaLocation(origin) ?? place, traceback: traceback,
                    underlying: error, value: value)
            }
            let (message, location) = describe(value, on: stack, place: place)
            return LuaError(kind: kind, message: message, location: location, traceback: traceback, value: value)
        } catch {
            return LuaError(kind: kind, message: "an error that cannot be shown: \(error.message)", location: place, traceback: traceback)
        }
    }

    // What an error value of the host leads back to: an object is the error itself, a table is tied to a box.
    private func hostError(at index: Int, of stack: LuaStack) -> (error: any Error, message: String, location: LuaLocation?)? {
        guard let pointer = unsafe clua_tied_error(stack.state, Int32(index)) else { return nil }
        if stack.type(at: index) == CLUA_USERDATA {
            let error = unsafe plainError(pointer)
            return (error, String(describing: error), nil)
        }
        let box = unsafe Unmanaged<LuaErrorBox>.fromOpaque(pointer).takeUnretainedValue()
        return (box.error, box.message, box.location)
    }

    private func describe(_ value: LuaValue, on stack: LuaStack, place: LuaLocation?) -> (String, LuaLocation?) {
        if case .string(let text) = value { return splitPlace(text.description, place: place) }
        var origin = clua_place()
        unsafe clua_error_origin(stack.state, -1, &origin)
        let location = LuaLocation(origin) ?? place
        if let message = value.table.flatMap({ try? $0.get("message") })?.string { return (message, location) }
        return ((try? shown(value)) ?? "an error value of type \(value.typeName)", location)
    }

    // What `__tostring` of an error raises is not asked for its text in turn: it may be the same error, and each turn takes stack of the host.
    private func shown(_ value: LuaValue) throws -> String? {
        guard !isShowingError else { return nil }
        isShowingError = true
        defer { isShowingError = false }
        return try text(of: value)
    }

    // Lua puts the place before the text of an error; names over 59 bytes it shortens. So it is near the beginning, however long the text is.
    private func splitPlace(_ text: String, place: LuaLocation?) -> (String, LuaLocation?) {
        let head = String(text.prefix(400))
        guard let match = head.firstMatch(of: #/^([^\n]*?):(\d+): /#), let line = Int(match.2) else { return (text, place) }
        let source = String(match.1)
        if trustedNames.contains(source) { return (text, place) }
        let rest = String(text.dropFirst(match.0.count))
        if source.hasPrefix("..."), let place, place.line == line, place.source.hasSuffix(source.dropFirst(3)) { return (rest, place) }
        return (rest, LuaLocation(source: source, line: line))
    }

    /// `tostring` of a value, its metamethod included.
    public func text(of value: LuaValue) throws(LuaError) -> String {
        let stack = self.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(8)
        unsafe clua_push_tostring(stack.state)
        try stack.push(value)
        try call(arguments: 1, results: 1, on: stack)
        return LuaString(bytes: stack.bytes(at: -1) ?? []).description
    }

    private func terminationKind(_ reason: Int32) -> LuaError.Kind {
        switch reason {
        case CLUA_MEMORY.status: .memory
        case CLUA_CANCELLED.status: .cancelled
        case CLUA_STOPPED.status: .stopped
        default: .limit
        }
    }

    // 64 MiB, or bytes where that would not be exact.
    private func size(_ bytes: Int) -> String {
        bytes >= 1 << 20 && bytes % (1 << 20) == 0 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
    }

    private func terminationMessage(_ reason: Int32, _ underlying: (any Error)?) -> String {
        switch reason {
        case CLUA_MEMORY.status:
            "memory limit of \(size(limits.memory)) exceeded\(unsafe clua_error_levels(core) > 10_000 ? " by endless recursion" : "")"
        case CLUA_CANCELLED.status: "the run was cancelled"
        case CLUA_STOPPED.status: underlying.map { String(describing: $0) } ?? "the run was stopped"
        case CLUA_OUTPUT.status: "output limit of \(size(limits.output)) exceeded"
        default: "computing limit exceeded"
        }
    }
}
