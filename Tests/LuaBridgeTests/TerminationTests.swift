import LuaBridge
import Testing

private struct Stop: Error, Equatable {
    let reason: String
}

@Suite struct TerminationTests {
    static let swallowers = [
        "while true do pcall(ask) survived() end",
        "while true do xpcall(ask, function(e) survived() return e end) survived() end",
        "while true do local f = coroutine.wrap(ask) pcall(f) survived() end",
        "while true do local co = coroutine.create(ask) coroutine.resume(co) survived() end",
        "while true do pcall(coroutine.wrap(function() pcall(ask) survived() end)) survived() end",
        "local function f() local a <close> = setmetatable({}, { __close = function() survived() f() end }) pcall(ask) end f()",
        "local t = setmetatable({}, { __index = function() pcall(ask) survived() end }) return t.x",
        "for v in function() pcall(ask) survived() return 1 end do survived() end",
        "local co = coroutine.create(function() local a <close> = setmetatable({}, { __close = survived }) ask() end) "
            + "coroutine.resume(co) survived() coroutine.close(co) survived()",
    ]

    @Test(arguments: swallowers) func `G7 a run that the host stops is over, whatever the script catches`(text: String) throws {
        let lua = Lua()
        var survived = false
        try lua.register("survived") { () -> Void in survived = true }
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let coroutine = try lua.drive(text: text)
        _ = try coroutine.resume().request(Int.self)
        let error = try #require(throws: LuaError.self) { try coroutine.resume(terminating: Stop(reason: "held")) }
        #expect(error.kind == .stopped)
        #expect(error.underlying as? Stop == Stop(reason: "held"))
        #expect(!survived)
        #expect(coroutine.phase == .finished)
        #expect(try lua.run(text: "return 1") == [1])
    }

    @Test(arguments: swallowers) func `G7 a stop thrown by a host function is over, whatever the script catches`(text: String) throws {
        let lua = Lua()
        var survived = false
        try lua.register("survived") { () -> Void in survived = true }
        try lua.register("ask") { () throws -> Void in throw LuaStop(Stop(reason: "gate")) }
        let error = try #require(throws: LuaError.self) { try lua.run(text: text) }
        #expect(error.kind == .stopped)
        #expect(error.underlying as? Stop == Stop(reason: "gate"))
        #expect(!survived)
    }

    @Test func `G7 stopping one branch leaves the others alone`() throws {
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let function = try lua.load("pcall(ask) pcall(ask) return 'done'", name: "a.lua")
        let first = try lua.coroutine(function)
        let second = try lua.coroutine(function)
        _ = try first.resume()
        _ = try second.resume()
        #expect(throws: LuaError.self) { try first.resume(terminating: Stop(reason: "one")) }
        _ = try second.resume()
        #expect(try second.resume().values() == ["done"])
    }

    @Test func `G7 a branch stopped from within a host function ends alone`() throws {
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let other = try lua.drive(text: "pcall(ask)")
        _ = try other.resume()
        try lua.register("kill") { () -> Bool in
            do {
                _ = try other.resume(terminating: Stop(reason: "other"))
                return false
            } catch {
                return (error as? LuaError)?.kind == .stopped
            }
        }
        #expect(try lua.run(text: "local killed = kill() return killed, pcall(error, 'x', 0)") == [true, false, "x"])
    }

    @Test func `a coroutine that was not started is ended by stopping it`() throws {
        let lua = Lua()
        let coroutine = try lua.drive(text: "return 1")
        #expect(throws: LuaError.self) { try coroutine.resume(terminating: Stop(reason: "early")) }
        #expect(coroutine.phase == .finished)
        #expect(throws: LuaError.self) { try coroutine.resume() }
    }

    @Test func `G7 close handlers of a stopped run share one allowance`() throws {
        var limits = LuaLimits(instructions: 100_000_000, processorTime: nil)
        limits.closing = 10_000
        let lua = Lua(limits: limits)
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let coroutine = try lua.drive(
            text: """
                local handler = setmetatable({}, { __close = function() closed = (closed or 0) + 1 while true do end end })
                local function f(n) local a <close> = handler if n > 0 then f(n - 1) else ask() end end
                f(100)
                """)
        _ = try coroutine.resume()
        #expect(throws: LuaError.self) { try coroutine.resume(terminating: Stop(reason: "x")) }
        #expect(lua.instructions < 200_000)
        #expect(try lua.globals.get("closed").integer ?? 0 >= 1)
    }

    @Test func `a run ended by a limit in a nested call ends the outer one too, though the host function swallows it`() throws {
        let lua = Lua(limits: LuaLimits(instructions: 200_000, processorTime: nil))
        try lua.register("try") { (body: LuaFunction) -> Bool in (try? body.call()) != nil }
        let error = try #require(throws: LuaError.self) {
            try lua.run(text: "while true do try(function() while true do end end) end")
        }
        #expect(error.kind == .limit)
    }

    @Test func `the budget is between two answers of the host, and the host can renew it`() throws {
        let lua = Lua(limits: LuaLimits(instructions: 300_000, processorTime: nil))
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        try lua.register("renew") { (call: LuaCall) in
            call.lua.resetBudget()
            return []
        }
        let work = "for i = 1, 100000 do end "
        let coroutine = try lua.drive(text: String(repeating: work + "ask() ", count: 10))
        for _ in 0..<10 { _ = try coroutine.resume().request(Int.self) }
        _ = try coroutine.resume().values()
        try lua.run(text: String(repeating: work + "renew() ", count: 10))
        #expect(throws: LuaError.self) { try lua.run(text: String(repeating: work, count: 10)) }
    }

    @Test func `printing is bounded and goes to the host`() throws {
        var limits = LuaLimits()
        limits.output = 20
        var lines: [String] = []
        let lua = Lua(limits: limits, output: { lines.append($0) })
        try lua.run(text: "print('a', 1, nil)")
        let error = try #require(throws: LuaError.self) { try lua.run(text: "pcall(print, ('x'):rep(30))") }
        #expect(error.kind == .limit)
        #expect(error.message == "output limit of 20 bytes exceeded")
        #expect(lines == ["a\t1\tnil"])
    }
}
