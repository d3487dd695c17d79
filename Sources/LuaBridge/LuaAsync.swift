// What an async host function asks of `Lua.run`.
final class AsyncRequest {
    let perform: () async throws -> LuaValue

    init(_ perform: @escaping () async throws -> LuaValue) {
        self.perform = perform
    }
}

extension Lua {
    /// An async function of the host: scripts run by `run` wait for it without noticing, in coroutines of their own too.
    public func registerAsync<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (repeat each Argument) async throws -> Result
    ) throws(LuaError) {
        try suspending(name) { (call: LuaCall) in
            let lua = call.lua
            var index = -1
            func next() -> Int {
                index += 1
                return index
            }
            let arguments = (repeat try Self.argument(call, next(), as: (each Argument).self))
            return AsyncRequest { [unowned lua] in
                let result = try await body(repeat each arguments)
                return try lua.value(of: result)
            }
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
                let outcome: Result<LuaValue, any Error>
                do {
                    outcome = .success(try await request.perform())
                } catch {
                    outcome = .failure(error)
                }
                if Task.isCancelled { return try finish(coroutine.resume(terminating: CancellationError())) }
                switch outcome {
                case .success(let value): resumption = try coroutine.resume(returning: [value])
                case .failure(let error): resumption = try coroutine.resume(throwing: error)
                }
            }
        }
    }

    private func finish(_ resumption: LuaResumption) -> [LuaValue] {
        if case .returned(let values) = resumption { values } else { [] }
    }
}
