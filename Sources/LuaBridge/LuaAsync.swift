// What an async host function asks of `Lua.run`.
final class AsyncRequest {
    let perform: () async throws -> [LuaValue]

    init(_ perform: @escaping () async throws -> [LuaValue]) {
        self.perform = perform
    }

    convenience init(_ lua: Lua, _ perform: @escaping () async throws -> some LuaWritable) {
        self.init {
            let result = try await perform()
            return [try lua.value(of: result)]
        }
    }
}

extension Lua {
    // One overload an arity: the compiler (6.3.1) crashes on async closures of a parameter pack.

    /// An async function of the host: scripts run by `run` wait for it without noticing, in coroutines of their own too.
    public func registerAsync<Result: LuaWritable>(
        _ name: String, _ body: @escaping () async throws -> Result
    ) throws(LuaError) {
        try suspending(name) { (call: LuaCall) in
            AsyncRequest(call.lua) { try await body() }
        }
    }

    public func registerAsync<A: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A) async throws -> Result
    ) throws(LuaError) {
        try suspending(name) { (call: LuaCall) in
            let a = try Self.argument(call, 0, as: A.self)
            return AsyncRequest(call.lua) { try await body(a) }
        }
    }

    public func registerAsync<A: LuaReadable, B: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B) async throws -> Result
    ) throws(LuaError) {
        try suspending(name) { (call: LuaCall) in
            let a = try Self.argument(call, 0, as: A.self)
            let b = try Self.argument(call, 1, as: B.self)
            return AsyncRequest(call.lua) { try await body(a, b) }
        }
    }

    public func registerAsync<A: LuaReadable, B: LuaReadable, C: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B, C) async throws -> Result
    ) throws(LuaError) {
        try suspending(name) { (call: LuaCall) in
            let a = try Self.argument(call, 0, as: A.self)
            let b = try Self.argument(call, 1, as: B.self)
            let c = try Self.argument(call, 2, as: C.self)
            return AsyncRequest(call.lua) { try await body(a, b, c) }
        }
    }

    /// An async function that takes what it likes; its results are awaited the same way.
    public func registerAsync(_ name: String, _ body: @escaping (LuaCall) async throws -> [LuaValue]) throws(LuaError) {
        try suspending(name) { (call: LuaCall) in
            AsyncRequest { try await body(call) }
        }
    }

    private static func argument<Value: LuaReadable>(_ call: LuaCall, _ index: Int, as type: Value.Type) throws -> Value {
        do {
            return try call.lua.read(call[index], as: type)
        } catch let error as LuaError {
            throw LuaComplaint("bad argument #\(index + 1) to '\(call.name)' (\(error.message))")
        }
    }

    /// Runs a function to its end, awaiting its async host functions. Cancelling the task ends the script, uncatchably.
    public func run(_ function: LuaFunction, _ arguments: [LuaValue] = []) async throws -> [LuaValue] {
        let coroutine = try coroutine(function)
        var resumption = try coroutine.resume(returning: arguments)
        while true {
            switch resumption {
            case .returned(let values): return values
            case .yielded: throw LuaError(message: "the script yielded to the host")
            case .suspended(let request):
                guard let request = request as? AsyncRequest else {
                    let error = LuaError(message: "a suspending function that is not async was called in Lua.run")
                    resumption = try coroutine.resume(throwing: error)
                    continue
                }
                let outcome: Result<[LuaValue], any Error>
                do {
                    outcome = .success(try await request.perform())
                } catch {
                    outcome = .failure(error)
                }
                if Task.isCancelled { return try finish(coroutine.resume(terminating: CancellationError())) }
                switch outcome {
                case .success(let values): resumption = try coroutine.resume(returning: values)
                case .failure(let error): resumption = try coroutine.resume(throwing: error)
                }
            }
        }
    }

    private func finish(_ resumption: LuaResumption) -> [LuaValue] {
        if case .returned(let values) = resumption { values } else { [] }
    }
}
