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

    private static func threadTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
}
