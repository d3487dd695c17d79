internal import CLua

/// How a coroutine came back to its driver.
public enum LuaResumption {
    /// It ended.
    case returned([LuaValue])
    /// A suspending host function waits for the answer to its request: `resume(returning:)` or `resume(throwing:)`. The request of an async
    /// function, which only `Lua.run` awaits, is a `LuaAsyncCall`.
    case suspended(Any)
    /// The script called `coroutine.yield` itself; only when the coroutine was made with `yields: true`.
    case yielded([LuaValue])
}

/// What an async host function asks of a driver that is not `Lua.run`; it can only be answered with an error.
public struct LuaAsyncCall: Sendable {}

/// A Lua function that the host drives step by step.
///
/// Dropping it is clean, but runs no `__close` handlers: `close()` does.
@safe public final class LuaCoroutine {
    public enum Phase: Sendable {
        case ready, suspended, yielded, running, finished
    }

    public private(set) var phase = Phase.ready
    /// Where the script waits for the answer to its request.
    public private(set) var location: LuaLocation?
    private let reference: LuaReference
    private let yields: Bool
    // The stack of the coroutine, and of the one inside it whose host function waits; alive while the reference is.
    let thread: OpaquePointer
    private var waiting: OpaquePointer?
    // What drives it, in which state, and what it waits for; only `Lua.run` uses them.
    var task: UnsafeRawPointer?
    var core: OpaquePointer?
    @exclusivity(unchecked) private var awaited = unsafe clua_awaited()

    init(reference: LuaReference, thread: OpaquePointer, yields: Bool) {
        self.reference = reference
        unsafe self.thread = unsafe thread
        self.yields = yields
    }

    /// Starts it with arguments, or goes on with the answer to its request.
    public func resume(returning values: [LuaValue] = []) throws(LuaError) -> LuaResumption {
        let lua = try reference.owner()
        var count: Int32 = 0
        switch phase {
        case .ready, .yielded:
            try stack.ensure(values.count + 8)
            let top = stack.count
            do {
                for value in values { try stack.push(value) }
            } catch {
                stack.setCount(top)
                throw error
            }
            phase = .running
            let status = unsafe clua_resume(lua.core, stack.state, Int32(values.count), yields ? 1 : 0, &count)
            return try finish(status, count, stack)
        case .suspended:
            let answers = try answerStack(room: values.count)
            do {
                for value in values { try answers.push(value) }
            } catch {
                answers.setCount(0)
                throw error
            }
            return try answer(raises: false)
        case .running, .finished: throw LuaError(message: "a coroutine that is \(phase) cannot be resumed")
        }
    }

    /// Goes on by raising the error where the script called the suspended host function. The script may catch it.
    public func resume(throwing error: any Error) throws(LuaError) -> LuaResumption {
        guard phase == .suspended else { throw LuaError(message: "a coroutine that is \(phase) waits for no answer") }
        if let stop = error as? LuaStop { return try resume(terminating: stop.underlying) }
        let lua = try reference.owner()
        lua.pushAnswer(error, to: try answerStack(room: 0))
        return try answer(raises: true)
    }

    /// Ends it: nothing in the script catches this, only `__close` handlers run, within their allowance. Always throws, with `error` as
    /// `underlying`.
    public func resume(terminating error: any Error) throws(LuaError) -> LuaResumption {
        let lua = try reference.owner()
        guard phase == .suspended || phase == .yielded else {
            if phase == .ready { phase = .finished }
            throw LuaError(kind: .stopped, message: String(describing: error), underlying: error)
        }
        var count: Int32 = 0
        phase = .running
        lua.stopError = error
        let status = unsafe clua_terminate(lua.core, stack.state, &count)
        phase = .finished
        let failure = lua.takeError(status, from: stack, reason: CLUA_STOPPED.status)
        stack.setCount(0)
        throw failure
    }

    /// Ends a coroutine that is not running and runs its pending `__close` handlers, which may not suspend. Throws what they raise.
    public func close() throws(LuaError) {
        guard phase != .running else { throw LuaError(message: "a coroutine that is running cannot be closed") }
        guard phase != .finished else { return }
        let lua = try reference.owner()
        phase = .finished
        let status = unsafe clua_reset(lua.core, stack.state)
        guard status == CLUA_OK.status else { throw lua.takeError(status, from: stack) }
    }

    private var stack: LuaStack { unsafe LuaStack(thread) }

    // MARK: What `Lua.run` does; it alone knows the coroutine, which is `ready` until the end, and keeps the state

    func begin(_ arguments: [LuaValue]) throws(LuaError) {
        try stack.ensure(arguments.count + 8)
        for argument in arguments { try stack.push(argument) }
        unsafe clua_begin_awaiting(core, thread, Int32(arguments.count), task, &awaited)
    }

    var isAwaiting: Bool { unsafe awaited.status == CLUA_SUSPENDED.status }

    // The function that waits, and the stack with its arguments, where its results go.
    var waitingFunction: HostFunction {
        get throws(LuaError) {
            guard let function = unsafe awaited.function else { throw LuaError(message: "the script yielded to the host") }
            return unsafe Unmanaged<HostFunction>.fromOpaque(function).takeUnretainedValue()
        }
    }

    @usableFromInline var waitingStack: LuaStack { unsafe LuaStack(awaited.stack ?? thread) }

    // With the answer that is on `waitingStack`. nil: the script does not wait for the same function again, and who drives it sees what it does.
    // A function that answers as often as it can is one change of the executor a wait, not two.
    @usableFromInline func goOnToTheSame() throws -> LuaStack? {
        let function = unsafe awaited.function
        if unsafe clua_is_cancelled(task) != 0 { throw CancellationError() }
        let status = unsafe clua_go_on_awaiting(core, thread, 0, task, &awaited)
        return unsafe status == CLUA_SUSPENDED.status && awaited.function == function ? waitingStack : nil
    }

    // By raising the error where the script called.
    func goOn(raising failure: any Error, in lua: Lua) throws(LuaError) {
        if let stop = failure as? LuaStop { try give(up: stop.underlying) }
        if unsafe clua_is_cancelled(task) != 0 { try give(up: CancellationError()) }
        lua.pushAnswer(try waitingFunction.naming(failure), to: waitingStack)
        unsafe clua_go_on_awaiting(core, thread, 1, task, &awaited)
    }

    private func give(up reason: any Error) throws(LuaError) {
        phase = .suspended
        _ = try resume(terminating: reason)
    }

    func end() throws(LuaError) -> [LuaValue] {
        switch unsafe try finish(awaited.status, awaited.nresults, stack) {
        case .returned(let values): return values
        case .yielded, .suspended: throw LuaError(message: "the script yielded to the host")
        }
    }

    // Where the function that waits finds its answer, in place of its arguments.
    private func answerStack(room: Int) throws(LuaError) -> LuaStack {
        guard let waiting = unsafe waiting else { throw LuaError(message: "the coroutine waits for no answer") }
        let answers = unsafe LuaStack(waiting)
        answers.setCount(0)
        try answers.ensure(room + 8)
        return answers
    }

    private func answer(raises: Bool) throws(LuaError) -> LuaResumption {
        var count: Int32 = 0
        phase = .running
        let status = unsafe clua_answer(stack.lua.core, stack.state, raises ? 1 : 0, yields ? 1 : 0, &count)
        return try finish(status, count, stack)
    }

    private func finish(_ status: Int32, _ count: Int32, _ stack: LuaStack) throws(LuaError) -> LuaResumption {
        let lua = stack.lua
        switch status {
        case CLUA_SUSPENDED.status:
            phase = .suspended
            unsafe waiting = clua_waiting(lua.core)
            let request = lua.request
            lua.request = nil
            location = request?.location
            return .suspended(request?.content ?? LuaAsyncCall())
        case CLUA_OK.status, CLUA_YIELD.status:
            phase = status == CLUA_OK.status ? .finished : .yielded
            let values = try stack.values(from: stack.count - Int(count) + 1)
            stack.pop(Int(count))
            return status == CLUA_OK.status ? .returned(values) : .yielded(values)
        default:
            phase = .finished
            let failure = lua.takeError(status, from: stack)
            throw failure
        }
    }
}

extension Lua {
    /// A function that calls this one and keeps the place of its caller, even where the script calls it in tail position
    /// (`return dr.failover{...}`). For functions of trusted chunks that scripts call.
    public func entry(_ function: LuaFunction) throws(LuaError) -> LuaFunction {
        let stack = self.stack
        try stack.ensure(6)
        try stack.push(function.reference)
        unsafe clua_push_entry(stack.state)
        defer { stack.pop() }
        return LuaFunction(reference: try reference(at: -1, of: stack))
    }

    /// Makes a coroutine that the host drives. `yields`: may the script yield to the host with `coroutine.yield`?
    public func coroutine(_ function: LuaFunction, yields: Bool = false) throws(LuaError) -> LuaCoroutine {
        let stack = self.stack
        try stack.ensure(6)
        try stack.push(function.reference)
        guard let thread = unsafe clua_new_coroutine(stack.state) else { throw LuaError(kind: .memory, message: "no coroutine") }
        defer { stack.pop() }
        return unsafe LuaCoroutine(reference: try reference(at: -1, of: stack), thread: thread, yields: yields)
    }
}
