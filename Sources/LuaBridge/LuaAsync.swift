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
            awaiting: { coroutine in
                var waiting: LuaStack? = coroutine.waitingStack
                while let stack = waiting {
                    let result = try await body()
                    try stack.replaceAll { try result.write(to: stack) }
                    waiting = try coroutine.goOnToTheSame()
                }
            })
    }

    @inlinable public func registerAsync<A: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A) async throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            awaiting: { coroutine in
                var waiting: LuaStack? = coroutine.waitingStack
                while let stack = waiting {
                    let result = try await body(stack.argument(1))
                    try stack.replaceAll { try result.write(to: stack) }
                    waiting = try coroutine.goOnToTheSame()
                }
            })
    }

    @inlinable public func registerAsync<A: LuaReadable, B: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B) async throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            awaiting: { coroutine in
                var waiting: LuaStack? = coroutine.waitingStack
                while let stack = waiting {
                    let result = try await body(stack.argument(1), stack.argument(2))
                    try stack.replaceAll { try result.write(to: stack) }
                    waiting = try coroutine.goOnToTheSame()
                }
            })
    }

    @inlinable public func registerAsync<A: LuaReadable, B: LuaReadable, C: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B, C) async throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            awaiting: { coroutine in
                var waiting: LuaStack? = coroutine.waitingStack
                while let stack = waiting {
                    let result = try await body(stack.argument(1), stack.argument(2), stack.argument(3))
                    try stack.replaceAll { try result.write(to: stack) }
                    waiting = try coroutine.goOnToTheSame()
                }
            })
    }

    /// An async function that takes what it likes; its results are awaited the same way.
    public func registerAsync(_ name: String, _ body: @escaping (LuaCall) async throws -> [LuaValue]) throws(LuaError) {
        try add(
            name,
            awaiting: { coroutine in
                var waiting: LuaStack? = coroutine.waitingStack
                while let stack = waiting {
                    let results = try await body(stack.call(name).located())
                    try stack.replaceAll { _ = try stack.write(results) }
                    waiting = try coroutine.goOnToTheSame()
                }
            })
    }

    @usableFromInline func add(_ name: String, awaiting body: @escaping (LuaCoroutine) async throws -> Void) throws(LuaError) {
        try add(name, awaited: HostFunction(name, { _ in CLUA_SUSPEND.status }, awaited: body))
    }

    private func add(_ name: String, awaited function: HostFunction) throws(LuaError) {
        let table = try (self as? Lua)?.globals ?? self as? LuaTable
        guard let table else { throw LuaError(message: "async functions are registered in a state or a table") }
        try table.set(.text(name), .function(table.reference.owner().makeFunction(function, isPermanent: true)))
    }
}

extension LuaStack {
    // What is pushed takes the place of everything there is; it may be made of it.
    @inlinable @inline(__always) func replaceAll(_ push: () throws -> Void) throws {
        let before = count
        try push()
        if before > 0 { dropFirst(before) }
    }

    @usableFromInline func dropFirst(_ before: Int) {
        unsafe lua_rotate(state, 1, Int32(truncatingIfNeeded: count - before))
        pop(before)
    }
}

extension Lua {
    /// Runs a function to its end, awaiting its async host functions. Cancelling the task ends the script, uncatchably.
    ///
    /// Many may run at once in the state's isolation domain. A waiting one costs its coroutine and Swift's task.
    public func run(_ function: LuaFunction, _ arguments: [LuaValue] = []) async throws -> [LuaValue] {
        let coroutine = try coroutine(function)
        // The task outlives this call, and so what is made of it here. (A cancellation handler would run the script outside its isolation.)
        unsafe coroutine.task = unsafe withUnsafeCurrentTask { unsafe $0.map { unsafe unsafeBitCast($0, to: UnsafeRawPointer.self) } }
        defer { withExtendedLifetime(coroutine) { clua_watch_pass() } }
        // Little is kept across the wait: a frame that fits what a task begins with saves a kilobyte a script.
        unsafe coroutine.core = unsafe core
        try coroutine.begin(arguments)
        while coroutine.isAwaiting {
            do {
                try await coroutine.waitingFunction.awaited(coroutine)
            } catch {
                try coroutine.goOn(raising: error, in: self)
            }
        }
        return try coroutine.end()
    }
}
