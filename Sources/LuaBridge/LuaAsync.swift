internal import CLua

extension LuaRegistrar {
    // One overload an arity: the compiler (6.3.1) crashes on async closures of a parameter pack.

    /// An async function of the host: scripts run by `run` wait for it without noticing, in coroutines of their own too. Nothing is allocated
    /// for a call: its arguments stay on the waiting coroutine's stack.
    public func registerAsync<Result: LuaWritable>(
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

    public func registerAsync<A: LuaReadable, Result: LuaWritable>(
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

    public func registerAsync<A: LuaReadable, B: LuaReadable, Result: LuaWritable>(
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

    public func registerAsync<A: LuaReadable, B: LuaReadable, C: LuaReadable, Result: LuaWritable>(
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

    private func add(_ name: String, awaiting body: @escaping (LuaStack) async throws -> Void) throws(LuaError) {
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
        var status = try coroutine.begin(arguments)
        while status == CLUA_SUSPENDED.status {
            let waiting = unsafe LuaStack(clua_waiting(core))
            guard let function = unsafe clua_waiting_function(core) else { break }
            let host = unsafe Unmanaged<HostFunction>.fromOpaque(function).takeUnretainedValue()
            var failure: (any Error)?
            if let awaited = host.awaited {
                do {
                    try await awaited(waiting)
                } catch {
                    failure = error
                }
                if Task.isCancelled { failure = LuaStop(CancellationError()) }
            } else {
                request = nil
                failure = LuaError(message: "a suspending function that is not async was called in Lua.run")
            }
            status = try coroutine.proceed(failure, self)
        }
        return try coroutine.end(status)
    }
}
