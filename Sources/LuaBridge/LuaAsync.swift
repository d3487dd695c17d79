internal import CLua

extension LuaRegistrar {
    // One overload an arity: the compiler (6.3.1) crashes on async closures of a parameter pack.

    /// An async function of the host: scripts run by `run` wait for it without noticing, in coroutines of their own too. Nothing is allocated
    /// for a call: its arguments stay on the waiting coroutine's stack.
    @inlinable public func registerAsync<Result: LuaWritable>(
        _ name: String, _ body: @escaping () async throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            awaiting: { stack in
                let result = try await body()
                stack.setCount(0)
                try result.write(to: stack)
            })
    }

    @inlinable public func registerAsync<A: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A) async throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            awaiting: { stack in
                let result = try await body(stack.argument(1, of: name))
                stack.setCount(0)
                try result.write(to: stack)
            })
    }

    @inlinable public func registerAsync<A: LuaReadable, B: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B) async throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            awaiting: { stack in
                let result = try await body(stack.argument(1, of: name), stack.argument(2, of: name))
                stack.setCount(0)
                try result.write(to: stack)
            })
    }

    @inlinable public func registerAsync<A: LuaReadable, B: LuaReadable, C: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B, C) async throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            awaiting: { stack in
                let result = try await body(stack.argument(1, of: name), stack.argument(2, of: name), stack.argument(3, of: name))
                stack.setCount(0)
                try result.write(to: stack)
            })
    }

    /// An async function that takes what it likes; its results are awaited the same way.
    public func registerAsync(_ name: String, _ body: @escaping (LuaCall) async throws -> [LuaValue]) throws(LuaError) {
        try add(
            name,
            awaiting: { stack in
                let results = try await body(stack.call(name))
                stack.setCount(0)
                _ = try stack.write(results)
            })
    }

    @usableFromInline func add(_ name: String, awaiting body: @escaping (LuaStack) async throws -> Void) throws(LuaError) {
        try add(name, awaited: HostFunction({ _ in CLUA_SUSPEND.status }, awaited: body))
    }

    private func add(_ name: String, awaited function: HostFunction) throws(LuaError) {
        let table = try (self as? Lua)?.globals ?? self as? LuaTable
        guard let table else { throw LuaError(message: "async functions are registered in a state or a table") }
        try table.set(.text(name), .function(table.reference.owner().makeFunction(function, isPermanent: true)))
    }
}

extension Lua {
    /// Runs a function to its end, awaiting its async host functions. Cancelling the task ends the script, uncatchably.
    ///
    /// Many may run at once in the state's isolation domain. A waiting one costs its coroutine and Swift's task.
    public func run(_ function: LuaFunction, _ arguments: [LuaValue] = []) async throws -> [LuaValue] {
        let coroutine = try coroutine(function)
        var count: Int32 = 0
        var status = try coroutine.begin(arguments, &count)
        while status == CLUA_SUSPENDED.status, let waiting = unsafe clua_waiting(core), let function = unsafe clua_waiting_function(core) {
            let host = unsafe Unmanaged<HostFunction>.fromOpaque(function).takeUnretainedValue()
            guard let awaited = host.awaited else {
                request = nil
                let error = LuaError(message: "a suspending function that is not async was called in Lua.run")
                status = unsafe try coroutine.raise(error, on: LuaStack(waiting), &count)
                continue
            }
            do {
                try await awaited(unsafe LuaStack(waiting))
            } catch {
                status = unsafe try coroutine.raise(Task.isCancelled ? LuaStop(CancellationError()) : error, on: LuaStack(waiting), &count)
                continue
            }
            if Task.isCancelled {
                status = unsafe try coroutine.raise(LuaStop(CancellationError()), on: LuaStack(waiting), &count)
            } else {
                status = unsafe clua_answer(core, coroutine.thread, 0, 0, &count)
            }
        }
        return try coroutine.end(status, count)
    }
}
