import Foundation
import LuaBridge
import Testing

/// Scripts that try to break what awaits async functions, alone and many at once.
@Suite struct AwaitTests {
    private struct Failure: Error {}

    private func functions(in lua: Lua) throws {
        try lua.registerAsync("ready") { () async throws -> Int in 1 }
        try lua.registerAsync("later") { () async throws -> Int in
            await Task.yield()
            return 1
        }
        try lua.registerAsync("fail") { () async throws -> Int in throw Failure() }
        try lua.registerAsync("twice") { (n: Int) async throws -> Int in n * 2 }
        try lua.registerAsync("big") { () async throws -> String in String(repeating: "x", count: 5 << 20) }
        try lua.registerAsync("many") { (call: LuaCall) async throws -> [LuaValue] in Array(repeating: 1, count: call[0].integer ?? 0) }
        try lua.registerAsync("again") { [unowned lua] (call: LuaCall) async throws -> [LuaValue] in
            guard let function = call[0].function else { throw Failure() }
            return try await lua.run(function)
        }
        // Runs the second function, and the first while that waits.
        try lua.registerAsync("steal") { [unowned lua] (call: LuaCall) async throws -> [LuaValue] in
            guard let thief = call[0].function, let victim = call[1].function else { throw Failure() }
            let coroutine = try lua.coroutine(victim)
            _ = try coroutine.resume()
            defer { try? coroutine.close() }
            return try await lua.run(thief)
        }
        try lua.registerAsync("foreign") { () async throws -> Int in
            let other = Lua()
            throw try #require(throws: LuaError.self) { try other.load("error({})", name: "other.lua").call() }
        }
    }

    private func run(_ script: HostileScript, _ limits: LuaLimits, _ prepare: (Lua) throws -> Void = { _ in }) async throws -> (String, Lua)
    {
        let lua = Lua(limits: limits)
        try functions(in: lua)
        try prepare(lua)
        do {
            let values = try await lua.run(lua.load(script.text, name: "await.lua"))
            return ("gives: " + (try values.map { try lua.text(of: $0) }.joined(separator: " ")), lua)
        } catch let error as LuaError where error.isTermination {
            return ("ends: \(error.kind == .memory ? "memory" : "limit")", lua)
        } catch let error as LuaError {
            return ("raises: \(error.message)", lua)
        }
    }

    private func goesOn(_ lua: Lua) async throws {
        #expect(try await lua.run(lua.load("return ready() + 1", name: "after.lua")) == [2])
        #expect(try lua.run(text: "return 3") == [3])
    }

    @Test(arguments: HostileScript.awaiting)
    func `G7 a script that awaits has the outcome it must have, by count`(script: HostileScript) async throws {
        let (outcome, lua) = try await run(script, LuaLimits(memory: 16 << 20, instructions: 300_000, processorTime: .seconds(30)))
        script.expect(outcome)
        try await goesOn(lua)
    }

    private static let endless = HostileScript.awaiting.filter { $0.outcome == "ends: limit" }

    @Test(arguments: endless) func `G7 a script that awaits without end ends by the clock`(script: HostileScript) async throws {
        let (outcome, lua) = try await run(script, LuaLimits(memory: 16 << 20, processorTime: .milliseconds(30)))
        script.expect(outcome)
        try await goesOn(lua)
    }

    @Test(arguments: endless)
    func `G7 cancelling the state ends a script that awaits without end`(script: HostileScript) async throws {
        let cancellation = LuaCancellation()
        let lua = Lua(limits: LuaLimits(processorTime: .seconds(30)), cancellation: cancellation)
        try functions(in: lua)
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.03)
            cancellation.cancel()
        }
        do {
            _ = try await lua.run(lua.load(script.text, name: "await.lua"))
            Issue.record("it ended by itself")
        } catch let error as LuaError {
            #expect(error.kind == .cancelled)
        }
    }

    @Test(arguments: HostileScript.awaiting.filter { $0.outcome != "ends: limit" })
    func `G7 memory that fails at any allocation of a script that awaits ends it cleanly`(script: HostileScript) async throws {
        for nth in stride(from: UInt64(1), through: 40, by: 3) {
            let limits = LuaLimits(memory: 16 << 20, instructions: 20_000, processorTime: .seconds(5))
            let (outcome, lua) = try await run(script, limits) { $0.failAllocation(nth) }
            #expect(outcome.hasPrefix("ends: ") || outcome.hasPrefix("gives: ") || outcome.hasPrefix("raises: "))
            lua.failAllocation(0)
            try await goesOn(lua)
        }
    }
}
