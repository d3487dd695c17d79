import DRSupport
import LuaBridge
import Testing

/// Every kind of call, so that memory runs out in each.
private let everything = """
    local t = {}
    for i = 1, 40 do t['key' .. i] = { i, tostring(i), make(i) } end
    for k, v in pairs(t) do echo(k .. #v) end
    local ok, e = pcall(fail, 'boom')
    local co = coroutine.wrap(function(a) local b = coroutine.yield(ask(a)) return ask(b) end)
    co(1) co(2)
    local list = {}
    for w in ('one two three four'):gmatch('%a+') do list[#list + 1] = w:upper():rep(3, ',') end
    table.sort(list, function(a, b) return a > b end)
    local o = make(7)
    local s = o:describe() .. tostring(o) .. string.format('%s %5.2f %p', t, 1.5, co)
    local n <close> = setmetatable({}, { __close = function() echo(s) end })
    ask { nested = { deep = { list = list } } }
    return table.concat(list, ' '), s, select('#', table.unpack(list))
    """

private final class Counter: @unchecked Sendable {
    var alive = 0
}

private final class Tracked: LuaObject, @unchecked Sendable {
    static var luaTypeName: String { "tracked" }
    let number: Int
    let counter: Counter

    init(_ number: Int, _ counter: Counter) {
        self.number = number
        self.counter = counter
        counter.alive += 1
    }

    deinit { counter.alive -= 1 }

    static func describe(_ type: LuaType<Tracked>) {
        type.method("describe") { (object: Tracked) -> String in "number \(object.number)" }
    }
}

private struct Failure: Error {
    let tracked: Tracked
}

@Suite struct MemoryTests {
    // Runs everything once; returns the kind of the error that ended it.
    private func run(limits: LuaLimits, counter: Counter, failing nth: UInt64 = 0) throws -> LuaError.Kind? {
        let lua = Lua(limits: limits)
        lua.failAllocation(nth)
        do {
            try lua.register("echo") { (text: String) -> String in text }
            try lua.register("make") { (number: Int) -> Tracked in Tracked(number, counter) }
            try lua.register("fail") { (text: String) throws -> Void in throw Failure(tracked: Tracked(0, counter)) }
            try lua.suspending("ask") { (call: LuaCall) in try call.lua.tree(of: call[0]) }
            let coroutine = try lua.drive(text: everything)
            var resumption = try coroutine.resume()
            while case .suspended(let request) = resumption {
                guard let tree = request as? LuaTree else { throw Unexpected(what: "\(request)") }
                resumption = try coroutine.resume(returning: [lua.value(of: tree)])
            }
            return nil
        } catch let error as LuaError {
            return error.kind
        }
    }

    @Test func `G7 with any cap a script ends cleanly, and no Swift object is lost`() throws {
        var kinds: [LuaError.Kind?: Int] = [:]
        for cap in stride(from: 1_000, through: 200_000, by: 997) {
            let counter = Counter()
            let kind = try run(limits: LuaLimits(memory: cap), counter: counter)
            #expect(kind == nil || kind == .memory || kind == .runtime, "cap \(cap): \(String(describing: kind))")
            #expect(counter.alive == 0, "cap \(cap)")
            kinds[kind, default: 0] += 1
        }
        #expect(kinds[nil, default: 0] > 20)
        #expect(kinds[.memory, default: 0] > 20)
        // A string the host cannot push for the cap is an ordinary error; it is the rare case.
        #expect(kinds[.runtime, default: 0] < 10, "\(kinds)")
    }

    @Test func `G7 whichever allocation fails, a script ends cleanly, and no Swift object is lost`() throws {
        var completed = 0
        var nth: UInt64 = 1
        while completed < 3, nth < 12_000 {
            let counter = Counter()
            let kind = try run(limits: LuaLimits(), counter: counter, failing: nth)
            #expect(kind == nil || kind == .memory, "allocation \(nth): \(String(describing: kind))")
            #expect(counter.alive == 0, "allocation \(nth)")
            if kind == nil { completed += 1 }
            nth += 1
        }
        #expect(completed == 3)
        #expect(nth > 100)
    }

    // Lua makes the message outside of all protection there: what a failure would unwind is whatever is protected next, past the resumes between.
    @Test func `G7 memory that fails where a coroutine cannot be resumed ends the script and not the process`() throws {
        let dead = "local dead = coroutine.wrap(function() end) dead() "
        let scripts = [
            dead + "pcall(dead) pcall(dead)",
            dead + "error(setmetatable({}, { __tostring = function() pcall(dead) return 'x' end, __index = function() pcall(dead) end }))",
            "local f f = coroutine.wrap(function() pcall(f) local t = {} pcall(f) return t end) pcall(f) local t = {}",
            """
            local a, b
            a = coroutine.create(function()
                b = coroutine.create(function() coroutine.resume(a) return {} end)
                pcall(coroutine.resume, b) pcall(coroutine.resume, b)
                return {}
            end)
            coroutine.resume(a) coroutine.resume(b)
            """,
        ]
        for (number, script) in scripts.enumerated() {
            for step in UInt64(2)...301 {
                let nth = step / 2
                let lua = Lua()
                lua.failAllocation(nth)
                do {
                    if step % 2 == 0 { try lua.run(text: script) } else { _ = try lua.drive(text: script).resume() }
                } catch let error as LuaError {
                    #expect(error.kind == .memory || error.kind == .runtime, "script \(number), allocation \(nth): \(error)")
                }
                lua.failAllocation(0)
                #expect(try lua.load("return 1 + 1", name: "after.lua").call() == [2], "script \(number), allocation \(nth)")
            }
        }
    }

    @Test func `objects of the host live as long as Lua holds them`() throws {
        let counter = Counter()
        let lua = Lua()
        try lua.register("make") { (number: Int) -> Tracked in Tracked(number, counter) }
        try lua.run(text: "kept = make(1) for i = 1, 100 do make(i) end")
        lua.collectGarbage()
        #expect(counter.alive == 1)
        try lua.run(text: "kept = nil")
        lua.collectGarbage()
        #expect(counter.alive == 0)
    }

    @Test func `references dropped anywhere free their values, and outlive their state harmlessly`() async throws {
        var lua: Lua? = Lua()
        var tables: [LuaTable] = []
        for _ in 0..<1_000 { tables.append(try #require(lua).table()) }
        let before = try #require(lua).memoryUsed
        tables.removeAll()
        try #require(lua).collectGarbage()
        #expect(try #require(lua).memoryUsed < before)
        let table = try #require(lua).table()
        lua = nil
        let error = try #require(throws: LuaError.self) { try table.get("x") }
        #expect(error.kind == .closed)
    }

    @Test func `a state is freed with its closures unless one of them captures it`() throws {
        weak var freed: Lua?
        do {
            let lua = Lua()
            freed = lua
            try lua.register("f") { (call: LuaCall) in try [.table(call.lua.table())] }
            try lua.run(text: "x = f()")
        }
        #expect(freed == nil)
    }

    @Test func `a value of another state is refused`() throws {
        let a = Lua()
        let b = Lua()
        let table = try a.table()
        let error = try #require(throws: LuaError.self) { try b.globals.set("x", .table(table)) }
        #expect(error.kind == .closed)
    }

    @Test func `G7 the deepest nesting fits a small thread stack`() async throws {
        actor Small {
            let executor = ThreadExecutor(name: "small", stackSize: 512 << 10)
            nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

            func nest() throws -> String {
                let lua = Lua()
                try lua.register("down") { (call: LuaCall) in try call[0].function?.call([call[0]]) ?? [] }
                do {
                    _ = try lua.load("local function f(g) return (pcall(down, g) and 1 or error('x')) end return f(f)", name: "a.lua")
                        .call()
                    return ""
                } catch {
                    return error.message
                }
            }
        }
        let small = Small()
        #expect(try await small.nest() == "x")
        small.executor.stop()
    }
}
