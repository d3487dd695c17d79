import Glibc
import LuaBridge

/// How long scripts that want never to end go on after their limit, in processor time.
enum Attacks {
    static let limit = Duration.milliseconds(50)
    static let scripts = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function loop() while true do end end xpcall(loop, loop)",
        "while true do xpcall(error, function() while true do end end) end",
        "local function f() local a <close> = setmetatable({}, { __close = function() while true do end end }) error('x') end pcall(f)",
        "local co = coroutine.create(function() while true do end end) coroutine.resume(co)",
        "while true do coroutine.wrap(function() for i = 1, 100 do end end)() end",
        "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40))",
        "return (('x'):rep(2000)):find(('.*'):rep(6) .. 'b')",
        "local s = ('x'):rep(1 << 24) while true do s:gsub('.', string.upper) end",
        "string.rep('', 1 << 50)",
        "table.move({}, 1, 1 << 50, 2)",
        "local t = {} for i = 1, 1 << 19 do t[i] = i * 7919 % 65537 end while true do table.sort(t, function(a, b) return a > b end) end",
        "while true do pcall(string.rep, 'x', 1 << 24) end",
        "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) while true do pcall(function() return t[1] end) end",
        "while true do tostring({}) end", "local t = {} while true do t[#t + 1] = {} if #t > 1000 then t = {} end end",
        "local s = 'x' while true do s = s .. s if #s > 1 << 22 then s = 'x' end end",
    ]

    static func worst() throws -> (overshoot: Double, script: String) {
        var worst = (overshoot: -1.0, script: "")
        for script in scripts {
            let lua = Lua(limits: LuaLimits(processorTime: limit))
            let start = threadTime()
            do {
                _ = try lua.load(script, name: "attack.lua").call()
            } catch {
                guard error.isTermination || error.kind == .runtime else { throw error }
            }
            let overshoot = threadTime() - start - 50
            if overshoot > worst.overshoot { worst = (overshoot, script) }
        }
        return worst
    }

    // Those that mostly wait: `later` gives the thread away, `fail` throws.
    static let waiting = [
        "while true do ready() end", "while true do later() end", "while true do pcall(later) end",
        "while true do coroutine.wrap(later)() end",
        "while true do ready() later() end", "while true do pcall(fail) later() end", "for v in later do end",
        "while true do for i = 1, 3000 do end later() end", "while true do for i = 1, 100 do ready() end for i = 1, 1000000 do end end",
        "local all = {} for i = 1, 10 do all[i] = coroutine.create(function() while true do later() coroutine.yield() end end) end "
            + "while true do for _, co in ipairs(all) do coroutine.resume(co) end end",
    ]

    // Of all threads: what a script costs that makes others work for it.
    static func worstWaiting() async throws -> (overshoot: Double, script: String) {
        var worst = (overshoot: -1.0, script: "")
        for script in waiting {
            let lua = Lua(limits: LuaLimits(processorTime: limit))
            try lua.registerAsync("ready") { () async throws -> Int in 1 }
            try lua.registerAsync("fail") { () async throws -> Int in throw CancellationError() }
            try lua.registerAsync("later") { () async throws -> Int in
                await Task.yield()
                return 1
            }
            let start = time(CLOCK_PROCESS_CPUTIME_ID)
            do {
                _ = try await lua.run(lua.load(script, name: "attack.lua"))
            } catch let error as LuaError {
                guard error.isTermination else { throw error }
            }
            let overshoot = time(CLOCK_PROCESS_CPUTIME_ID) - start - 50
            if overshoot > worst.overshoot { worst = (overshoot, script) }
        }
        return worst
    }

    private static func threadTime() -> Double { time(CLOCK_THREAD_CPUTIME_ID) }

    private static func time(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
}
