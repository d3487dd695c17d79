import LuaBridge
import Testing

@Suite struct SuspensionTests {
    // `ask(n)` asks the driver, whose answer is 10 n; `tell(s)` notes in order.
    private func drive(_ text: String, yields: Bool = false) throws -> (results: [LuaValue], requests: [Int], told: [String]) {
        let lua = Lua()
        var told: [String] = []
        try lua.register("tell") { (text: String) in told.append(text) }
        try lua.suspending("ask") { (call: LuaCall) in call[0].integer ?? -1 }
        let coroutine = try lua.drive(text: text)
        var requests: [Int] = []
        var resumption = try coroutine.resume()
        while case .suspended(let request) = resumption {
            let number = request as? Int ?? -1
            requests.append(number)
            if number < 0 {
                resumption = try coroutine.resume(throwing: Unexpected(what: "negative"))
            } else {
                resumption = try coroutine.resume(returning: [.integer(number * 10)])
            }
        }
        return (try resumption.values(), requests, told)
    }

    @Test func `a wait passes through the script's own coroutines unseen`() throws {
        let run = try drive(
            """
            local function generator()
                for i = 1, 3 do coroutine.yield(ask(i)) end
                return 'end'
            end
            local seen = {}
            local g = coroutine.wrap(function()
                local inner = coroutine.create(generator)
                while true do
                    local ok, v = coroutine.resume(inner)
                    tell(tostring(ok) .. ' ' .. tostring(v) .. ' ' .. coroutine.status(inner))
                    if coroutine.status(inner) == 'dead' then return v end
                    coroutine.yield(v + ask(100))
                end
            end)
            return g(), g(), g(), g()
            """)
        #expect(run.results == [.integer(1010), .integer(1020), .integer(1030), "end"])
        #expect(run.requests == [1, 100, 2, 100, 3, 100])
        #expect(run.told == ["true 10 suspended", "true 20 suspended", "true 30 suspended", "true end dead"])
    }

    @Test func `a wait passes through pcall, xpcall, metamethods, iterators and close handlers`() throws {
        let run = try drive(
            """
            local ok, a = pcall(ask, 1)
            local _, b = xpcall(function() return ask(2) end, print)
            local t = setmetatable({}, { __index = function(_, k) return ask(3) end, __add = function() return ask(4) end,
                __call = function(_, n) return ask(n) end, __lt = function() return ask(6) > 0 end, __concat = function() return ask(7) end })
            local c, d, e, f, g = t.x, t + 1, t(5), t < t, t .. ''
            local sum = 0
            for v in function() local v = ask(8) if sum == 0 then return v end end do sum = sum + v end
            for k, v in pairs(setmetatable({}, { __pairs = function() ask(9) return next, { z = 1 } end })) do sum = sum + v end
            do local x <close> = setmetatable({}, { __close = function() tell('closed ' .. ask(10)) end }) end
            return a, b, c, d, e, f, g, sum
            """)
        #expect(run.results == [.integer(10), .integer(20), .integer(30), .integer(40), .integer(50), true, .integer(70), .integer(81)])
        #expect(run.told == ["closed 100"])
    }

    @Test func `an error given as the answer is raised at the call, with its identity`() throws {
        let run = try drive(
            """
            local ok, e = pcall(coroutine.wrap(function() ask(-1) end))
            return ok, e.message, tostring(e)
            """)
        #expect(run.results.first == .boolean(false))
        #expect(run.results[1].string == "Unexpected(what: \"negative\")")
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let coroutine = try lua.drive(text: "\nlocal ok, e = pcall(ask) local ok, e = pcall(error, e) error(e, 0)")
        _ = try coroutine.resume()
        let error = try #require(throws: LuaError.self) { try coroutine.resume(throwing: Unexpected(what: "lost")) }
        #expect((error.underlying as? Unexpected)?.what == "lost")
        #expect(error.location == LuaLocation(source: "test.lua", line: 2))
    }

    @Test(arguments: [
        "table.sort({ 2, 1 }, function(a, b) return ask(1) end)", "('x'):gsub('x', function() ask(1) end)",
        "table.sort({ 2, 1 }, coroutine.wrap(function() ask(1) end))", "tostring(setmetatable({}, { __tostring = function() ask(1) end }))",
    ])
    func `G8 a wait where none can be is an error that says so, and asks nothing`(text: String) throws {
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let error = try #require(throws: LuaError.self) { try lua.drive(text: text).resume() }
        #expect(error.message.contains("'ask' waits for its result and cannot be called here"))
        #expect(error.message.hasPrefix("'ask'"), "\(error.message)")
        #expect(throws: LuaError.self) { try lua.run(text: "ask(1)") }
    }

    @Test func `a coroutine that waits cannot be resumed or closed by another branch`() throws {
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let first = try lua.drive(text: "shared = coroutine.create(function() return ask() end) return coroutine.resume(shared)")
        _ = try first.resume().request(Int.self)
        let second = try lua.drive(
            text: "local a, b = coroutine.resume(shared) return a, b, coroutine.status(shared), pcall(coroutine.close, shared)")
        let values = try second.resume().values()
        #expect(values.prefix(3) == [false, "cannot resume a coroutine that waits for the host", "normal"])
        #expect(values[3] == false)
        #expect(try first.resume(returning: [5]).values() == [true, .integer(5)])
    }

    @Test func `branches wait and go on independently`() throws {
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in call[0] }
        let function = try lua.load("local n = ... for i = 1, 3 do n = n + coroutine.wrap(ask)(n) end return n", name: "a.lua")
        let branches = try (0..<4).map { _ in try lua.coroutine(function) }
        var open: [(Int, LuaResumption)] = []
        for (index, branch) in branches.enumerated() { open.append((index, try branch.resume(returning: [.integer(index)]))) }
        var results: [Int: LuaValue] = [:]
        while let (index, resumption) = open.popLast() {
            switch resumption {
            case .suspended: open.insert((index, try branches[index].resume(returning: [.integer(index)])), at: 0)
            case .returned(let values): results[index] = values.first
            case .yielded: throw Unexpected(what: "yield")
            }
        }
        #expect(results == [0: 0, 1: 4, 2: 8, 3: 12])
    }

    @Test func `a coroutine may yield to the host when it was made so`() throws {
        let lua = Lua()
        let coroutine = try lua.drive(text: "local a = coroutine.yield(1, 2) return a + 1", yields: true)
        guard case .yielded(let values) = try coroutine.resume() else { throw Unexpected(what: "no yield") }
        #expect(values == [1, 2])
        #expect(try coroutine.resume(returning: [41]).values() == [42])
        let refused = try #require(throws: LuaError.self) { try lua.drive(text: "coroutine.yield(1)").resume() }
        #expect(refused.message == "attempt to yield from outside a coroutine")
    }

    @Test func `closing runs the close handlers, dropping does not and is clean`() throws {
        let lua = Lua()
        var told: [String] = []
        try lua.register("tell") { (text: String) in told.append(text) }
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let text = "local a <close> = setmetatable({}, { __close = function(_, e) tell('closed ' .. tostring(e)) end }) ask()"
        let closed = try lua.drive(text: text)
        _ = try closed.resume()
        try closed.close()
        #expect(told == ["closed nil"])
        #expect(closed.phase == .finished)
        do {
            let dropped = try lua.drive(text: text)
            _ = try dropped.resume()
        }
        lua.collectGarbage()
        #expect(told == ["closed nil"])
        let failing = try lua.drive(text: "local a <close> = setmetatable({}, { __close = function() error('no', 0) end }) ask()")
        _ = try failing.resume()
        let error = try #require(throws: LuaError.self) { try failing.close() }
        #expect(error.message == "no")
    }

    @Test func `an error in a driven coroutine runs its close handlers`() throws {
        let lua = Lua()
        var told: [String] = []
        try lua.register("tell") { (text: String) in told.append(text) }
        let coroutine = try lua.drive(
            text: "local a <close> = setmetatable({}, { __close = function(_, e) tell('closed ' .. tostring(e)) end }) error('x', 0)")
        #expect(throws: LuaError.self) { try coroutine.resume() }
        #expect(told == ["closed x"])
    }

    @Test func `the place of a call is the script's line, through a trusted prelude and its coroutines`() throws {
        let lua = Lua()
        var places: [String] = []
        try lua.register("here") { (call: LuaCall) in
            places.append(call.location?.description ?? "nowhere")
            return []
        }
        try lua.suspending("ask") { (call: LuaCall) in call.location?.description ?? "nowhere" }
        let prelude = try lua.load(
            "function flow(f) return coroutine.wrap(function() here() local a = ask() return f and f() end)() end", name: "flow",
            trusted: true)
        try prelude.call()
        // As a function of C it keeps its caller's frame even in tail position.
        try lua.globals.set("flow", .function(lua.entry(#require(lua.globals.get("flow").function))))
        let coroutine = try lua.drive(text: "\n\nflow(function()\n here()\n return here() end)\nreturn flow()")
        #expect(try coroutine.resume().request(String.self) == "test.lua:3")
        #expect(coroutine.location == LuaLocation(source: "test.lua", line: 3))
        #expect(try coroutine.resume().request(String.self) == "test.lua:6")
        #expect(places.prefix(3) == ["test.lua:3", "test.lua:4", "test.lua:5"])
    }

    @Test func `a host call in tail position knows its line`() throws {
        let lua = Lua()
        var place: LuaLocation?
        try lua.register("here") { (call: LuaCall) in
            place = call.location
            return []
        }
        let function = try lua.run(text: "return function()\n return here() end").first?.function
        try function?.call()
        #expect(place?.line == 2)
    }
}
