import LuaBridge
import Testing

/// Scripts that try not to end, each of which ran for ever under a plain counting hook.
@Suite struct HostileTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        var kinds: Set<LuaError.Kind> = [.limit]
        var testDescription: String { name }
    }

    static let attacks: [Attack] = [
        Attack(name: "loop", text: "while true do end"),
        Attack(name: "loop in pcall", text: "while true do pcall(function() while true do end end) end"),
        Attack(name: "handler that loops", text: "local function loop() while true do end end while true do xpcall(loop, loop) end"),
        Attack(
            name: "handler that fails in turn",
            text: "local function f() error('x') end while true do xpcall(f, function() return f() end) end"),
        Attack(
            name: "close handler that loops",
            text: """
                local t = setmetatable({}, {__close = function() while true do end end})
                while true do pcall(function() local a <close> = t local b <close> = t error('x') end) end
                """),
        Attack(
            name: "many close handlers that loop",
            text: """
                local t = setmetatable({}, {__close = function() while true do end end})
                local function f(n) local a <close> = t local b <close> = t if n > 0 then f(n - 1) end while true do end end
                f(150)
                """),
        Attack(
            name: "coroutine made before", text: "local f = coroutine.wrap(function() while true do end end) while true do pcall(f) end"),
        Attack(
            name: "coroutines that yield soon",
            text: "while true do coroutine.wrap(function() coroutine.yield() end)() end"),
        Attack(
            name: "a tree of short coroutines",
            text: """
                local function f(n) if n == 0 then return end for i = 1, 50 do coroutine.wrap(f)(n - 1) end end
                f(60)
                """),
        Attack(name: "pattern of optionals", text: "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40))"),
        Attack(name: "pattern of stars", text: "return ('a'):rep(2000):find(('.*'):rep(6) .. 'b')"),
        Attack(name: "pattern in pcall", text: "while true do pcall(string.find, ('a'):rep(2000), ('.*'):rep(6) .. 'b') end"),
        Attack(name: "balanced", text: "while true do (('('):rep(2^16 // 1 | 0)):find('%b()') end"),
        Attack(name: "gsub with a function of C", text: "local s = ('a'):rep(2^20 // 1 | 0) while true do s:gsub('.', string.upper) end"),
        Attack(name: "table.move", text: "return table.move({}, 1, 1 << 50, 2)"),
        Attack(
            name: "table.insert with a length of its own",
            text: "table.insert(setmetatable({}, {__len = function() return 1 << 50 end}), 1, 1)"),
        Attack(
            name: "table.remove with a length of its own",
            text: "table.remove(setmetatable({}, {__len = function() return 1 << 50 end}), 1)"),
        Attack(
            name: "table.concat of nothing for ever",
            text: "table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, 1 << 50)"),
        Attack(name: "table.sort of many", text: "local t = {} for i = 1, 2^17 do t[i] = i end while true do table.sort(t) end"),
        Attack(
            name: "table.sort with any order",
            text: "local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function() return true end) end"),
        Attack(
            name: "pairs of many", text: "local t = {} for i = 1, 1000 do t['k' .. i] = i end while true do for k in pairs(t) do end end"),
        Attack(name: "next of many", text: "local t = {} for i = 1, 1000 do t['k' .. i] = i end while true do next(t, 'k5') end"),
        Attack(name: "format", text: "while true do ('%s'):rep(50):format(table.unpack({}, 1, 50)) end"),
        Attack(
            name: "memory", text: "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", kinds: [.memory]),
        Attack(
            name: "memory in pcall",
            text: "while true do pcall(function() local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end end) end",
            kinds: [.memory]),
        Attack(name: "one string", text: "local s = 'xxxxxxxx' while true do s = s .. s end", kinds: [.memory]),
        Attack(
            name: "memory in a coroutine",
            text: "while true do coroutine.resume(coroutine.create(function() local s = 'x' while true do s = s .. s end end)) end",
            kinds: [.memory]),
        Attack(
            name: "close chain of old coroutines",
            text: """
                local list = {}
                for i = 1, 1000 do
                    local co = coroutine.create(function()
                        local x <close> = setmetatable({}, {__close = function() if list[i + 1] then coroutine.close(list[i + 1]) end end})
                        coroutine.yield()
                    end)
                    coroutine.resume(co)
                    list[i] = co
                end
                coroutine.close(list[1])
                while true do end
                """),
        Attack(name: "printing", text: "while true do print(('x'):rep(100000)) end"),
    ]

    @Test(arguments: attacks) func `G7 an attack ends, and nothing of the script catches the end`(attack: Attack) throws {
        var limits = tight
        limits.output = 1 << 20
        let lua = Lua(limits: limits)
        var survived = false
        try lua.register("survived") { () -> Void in survived = true }
        let clock = ContinuousClock()
        let start = clock.now
        let error = try #require(throws: LuaError.self) {
            try lua.run(text: "local pcall, survived = pcall, survived pcall(function() \(attack.text) end) survived()")
        }
        #expect(attack.kinds.contains(error.kind), "\(error.debugDescription)")
        #expect(!survived)
        #expect(clock.now - start < .seconds(20))
        // The state is not broken: the next call gets a new budget.
        #expect(try lua.run(text: "return 1 + 1") == [.integer(2)])
    }

    @Test(arguments: [
        "return string.rep('', 1 << 50)", "return string.rep('x', 1 << 50)", "return table.unpack({}, 1, 1 << 30)",
        "local function f() return f() + 1 end return f()", "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
        "local t = {} for i = 1, 300 do t = setmetatable({}, {__index = t}) end return t.x",
        "local function f() return pcall(f) end return f()", "return ('('):rep(300):find(('('):rep(300))",
        "local function f() return coroutine.wrap(f)() end return f()", "return select(-1)", "return ('%d'):rep(300):format(1)",
        "return tostring(setmetatable({}, {__tostring = function() return 1 end}))", "return string.char(256)", "return utf8.char(-1)",
    ])
    func `G7 what cannot be done is an ordinary error or nothing at all`(text: String) throws {
        let lua = Lua(limits: LuaLimits(memory: 256 << 20))
        _ = try lua.run(text: "local ok, e = pcall(function() \(text) end)")
        #expect(try lua.run(text: "return 1") == [.integer(1)])
    }

    @Test func `G7 cancelling from another thread ends a script at once, and again until it is reset`() async throws {
        let cancellation = LuaCancellation()
        let task = Task.detached {
            let lua = Lua(limits: LuaLimits(processorTime: .seconds(60)), cancellation: cancellation)
            try lua.register("started") { () -> Void in cancellation.cancel() }
            do {
                _ = try lua.load("started() while true do pcall(function() while true do end end) end", name: "a.lua").call()
                return [LuaError.Kind]()
            } catch {
                let again = #expect(throws: LuaError.self) { try lua.load("while true do end", name: "b.lua").call() }
                cancellation.reset()
                _ = try lua.load("for i = 1, 100000 do end", name: "c.lua").call()
                return [(error as? LuaError)?.kind, again?.kind].compactMap { $0 }
            }
        }
        #expect(try await task.value == [.cancelled, .cancelled])
    }

    @Test func `G7 processor time alone ends a script`() throws {
        let lua = Lua(limits: LuaLimits(processorTime: .milliseconds(50)))
        let error = try #require(throws: LuaError.self) { try lua.run(text: "while true do end") }
        #expect(error.kind == .limit)
        #expect(error.location == LuaLocation(source: "test.lua", line: 1))
    }

    @Test(arguments: [
        "s:upper()", "s:reverse()", "local t = s .. s", "s:byte(1, 100000)", "table.unpack(t, 1, 100000)", "utf8.len(s)",
        "s:find('y', 1, true)",
    ])
    func `G7 one long call counts as much as many short ones`(call: String) throws {
        let lua = Lua(limits: LuaLimits(instructions: 2_000_000, processorTime: nil))
        var rounds = 0
        try lua.register("round") { () -> Void in rounds += 1 }
        let error = try #require(throws: LuaError.self) {
            try lua.run(text: "local s, t = ('x'):rep(4 << 20), {} while true do \(call) round() end")
        }
        #expect(error.kind == .limit)
        #expect(rounds < 200)
    }

    @Test func `G7 the same loop ends at the same place every time`() throws {
        var ends: Set<Int> = []
        for _ in 0..<5 {
            let lua = Lua(limits: LuaLimits(instructions: 300_000, processorTime: nil))
            var last = 0
            try lua.register("note") { (n: Int) in last = n }
            #expect(throws: LuaError.self) { try lua.run(text: "local n = 0 while true do n = n + 1 note(n) end") }
            ends.insert(last)
        }
        #expect(ends.count == 1)
    }

    @Test(arguments: [
        "io", "os", "debug", "package", "load", "loadstring", "loadfile", "dofile", "collectgarbage", "warn", "string.dump",
    ])
    func `G7 what a script must not have is not there`(name: String) throws {
        #expect(try Lua().run(text: "return \(name)") == [.nil])
    }

    @Test func `G7 bytecode is refused`() throws {
        let error = #expect(throws: LuaError.self) { try Lua().load(bytes: [0x1b, 0x4c, 0x75, 0x61, 0x54, 0], name: "a.luac") }
        #expect(error?.kind == .syntax)
    }

    @Test func `G7 the metatables that all values share are out of reach`() throws {
        let lua = Lua()
        #expect(try lua.run(text: "return getmetatable('')") == [.boolean(false)])
        #expect(try lua.run(text: "return pcall(setmetatable, '', {})").first == .boolean(false))
        #expect(try lua.run(text: "return pcall(setmetatable, {}, {__gc = print})").first == .boolean(false))
        #expect(try lua.run(text: "return pcall(setmetatable, {}, {__mode = 'k'})").first == .boolean(false))
        try lua.register("fail") { () throws -> Void in throw Unexpected(what: "x") }
        #expect(
            try lua.run(text: "local _, e = pcall(fail) return getmetatable(e), pcall(setmetatable, e, {})").prefix(2) == [false, false])
    }

    @Test func `G7 __gc added after setmetatable never runs`() throws {
        let lua = Lua()
        var ran = false
        try lua.register("ran") { () -> Void in ran = true }
        try lua.run(text: "local m = {} for i = 1, 100 do setmetatable({}, m) end m.__gc = ran")
        lua.collectGarbage()
        lua.collectGarbage()
        #expect(!ran)
    }

    @Test func `G7 host calls inside one another end with an error long before the stack does`() throws {
        let lua = Lua()
        var deepest = 0
        var depth = 0
        try lua.register("down") { (call: LuaCall) in
            depth += 1
            defer { depth -= 1 }
            deepest = max(deepest, depth)
            return try call[0].function?.call([call[0]]) ?? []
        }
        let error = try #require(throws: LuaError.self) { try lua.run(text: "local function f(g) return down(g) end return f(f)") }
        #expect(error.message.contains("too many host calls"))
        #expect(deepest == 64)
        #expect(try lua.run(text: "return 1") == [.integer(1)])
    }
}
