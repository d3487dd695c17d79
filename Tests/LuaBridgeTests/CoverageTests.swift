import CPlainLua
import LuaBridge
import Testing

/// Which lines can run, and which did.
struct CoverageTests {
    private func covered(_ text: String, limits: LuaLimits = LuaLimits()) throws -> [Int: Int] {
        let coverage = LuaCoverage()
        let lua = Lua(limits: limits, coverage: coverage)
        _ = try? lua.load(text, name: "own.lua").call()
        return try #require(coverage.chunks.first { $0.name == "own.lua" }).hits
    }

    private static let texts = [
        "local a = 1\n\nlocal function f(x)\n  return x + a\nend\nreturn f(2)",
        "local function never()\n  print(1)\n  local function inner()\n    print(2)\n  end\nend\nreturn 1",
        "local function f(x)\n  if x then\n    return 1\n  else\n    return 2\n  end\nend\nf(true)",
        "local t = {\n  1,\n  two = 2,\n  f = function()\n    return 3\n  end,\n}\nreturn t",
        "local function f(t) return t end\nreturn f {\n  name = 1,\n  other = f(2),\n}",
        "local function f(...)\n  local n = select(\"#\", ...)\n  return n\nend\nf(1, 2)",
        "for i = 1, 3 do\n  if i == 2 then\n    goto next\n  end\n  print(i)\n  ::next::\nend",
        "local i = 0\nwhile true do\n  i = i + 1\n  if i > 2 then break end\nend\nrepeat\n  i = i - 1\nuntil i == 0",
        "for k, v in pairs({ a = 1,\n  b = 2 }) do\n  print(k,\n    v)\nend",
        "local ok = pcall(function()\n  error(\"x\")\n  print(1)\nend)\nif ok then\n  print(2)\nend",
        "local f = coroutine.wrap(function()\n  coroutine.yield(1)\n  coroutine.yield(2)\n  print(3)\nend)\nf()\nf()",
        "local a = false\nlocal b = a\n  and 1\n  or 2\nlocal c = not a\n  and a == b\nreturn b,\n  c",
        "local function f(n)\n  while n do\n    local x = n\n    print(function() return x end)\n    return f2 {\n      n\n    }\n  end\nend\nf(nil)",
        "do\n  local x <close> = setmetatable({}, { __close = function()\n    print(1)\n  end })\n  print(2)\nend",
        "local s = \"a\"\n  .. \"b\"\n  .. tostring(1)\nlocal t = setmetatable({}, {\n  __index = function(_, k)\n    return k\n  end,\n})\nreturn t.x,\n  s",
        "if false then\n  print(1)\nend\nprint(2)",
        "for i = 1, 0 do\n  print(i)\nend\nreturn\n  1",
        "print(1)" + String(repeating: "\n", count: 300) + "print(2)" + String(repeating: "\n", count: 200)
            + "if nil then\n  print(3)\nend",
    ]

    /// By the system's Lua: what lua_getinfo tells of each function that was called, and the lines a hook saw.
    private func plain(_ text: String) -> (active: Set<Int>, ran: Set<Int>) {
        var result = [CChar](repeating: 0, count: 1 << 16)
        let program = """
            print = function() end
            local text, active, ran = \(text.quoted), {}, {}
            local f = load(text, "@own.lua", "t")
            local function note(g)
              local info = debug.getinfo(g, "SL")
              if info.source ~= "@own.lua" then return end
              for line in pairs(info.activelines) do active[#active + 1] = line end
            end
            note(f)
            local function hook(event, line)
              local info = debug.getinfo(2, "fS")
              if info.source ~= "@own.lua" then return end
              if event == "line" then ran[#ran + 1] = line else note(info.func) end
            end
            local wrap = coroutine.wrap
            coroutine.wrap = function(g) return wrap(function(...) debug.sethook(hook, "cl") return g(...) end) end
            debug.sethook(hook, "cl")
            pcall(f)
            debug.sethook()
            return table.concat(active, " ") .. "|" .. table.concat(ran, " ")
            """
        let size = plain_lua_run(program, program.utf8.count, &result, result.count)
        let parts = String(decoding: result.prefix(max(0, size)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: "|", omittingEmptySubsequences: false)
        func numbers(_ index: Int) -> Set<Int> { index < parts.count ? Set(parts[index].split(separator: " ").compactMap { Int($0) }) : [] }
        return (numbers(0), numbers(1))
    }

    @Test(arguments: texts)
    func `What ran is what the system's Lua says ran, and it all could run`(text: String) throws {
        let hits = try covered(text), plain = plain(text)
        #expect(!plain.ran.isEmpty)
        #expect(Set(hits.filter { $0.value > 0 }.keys) == plain.ran)
        // Of functions that were called, what can run is what Lua says, less what stands behind a return alone.
        let extra = plain.active.subtracting(hits.keys)
        #expect(extra.isDisjoint(with: plain.ran), "\(extra)")
    }

    @Test(arguments: [
        // The functions inside what was never called, too; an `end` belongs to the line where the function was made.
        (texts[1], [2: false, 4: false, 5: false, 6: true, 7: true]),
        // Behind the two returns stands the compiler's own.
        (texts[2], [2: true, 3: true, 5: false, 7: true, 8: true]),
        // What was called in the last place does not come back to the line of its closing brace.
        (texts[4], [1: true, 2: true, 3: true, 4: true]),
        // A loop that never ends by itself has no way on but its `break`.
        (texts[7], [1: true, 3: true, 4: true, 7: true, 8: true]),
        // What cannot run as it is written counts as missed.
        (texts[15], [1: true, 2: false, 4: true]),
    ])
    func `The lines that count are those that control can come to`(text: String, wanted: [Int: Bool]) throws {
        #expect(try covered(text).mapValues { $0 > 0 } == wanted)
    }

    @Test func `Limits are met where they are met without it`() throws {
        func end(_ coverage: LuaCoverage?) throws -> (lines: Int, instructions: UInt64) {
            var lines = 0
            let lua = Lua(limits: LuaLimits(instructions: 200_000, processorTime: nil), coverage: coverage, output: { _ in lines += 1 })
            let text = "local function f(n)\n  if n > 0 then\n    f(n - 1)\n  end\nend\nwhile true do\n  pcall(f, 20)\n  print(1)\nend"
            #expect(throws: LuaError.self) { try lua.load(text, name: "own.lua").call() }
            return (lines, lua.instructions)
        }
        let without = try end(nil), with = try end(LuaCoverage())
        #expect(without.lines > 100 && without == with)
    }

    @Test(arguments: [
        "while true do\n  pcall(function()\n    while true do end\n  end)\nend",
        "local f = coroutine.wrap(function()\n  while true do\n    local x = 1\n  end\nend)\nwhile true do\n  pcall(f)\nend",
        "(function()\n  local x <close> = setmetatable({}, { __close = function()\n    while true do\n      x = 1\n    end\n  end })\n  while true do end\nend)()",
    ])
    func `G7 the deadline holds while lines are noted`(text: String) throws {
        let lua = Lua(limits: LuaLimits(processorTime: .milliseconds(100)), coverage: LuaCoverage())
        let clock = ContinuousClock()
        let began = clock.now
        #expect { try lua.load(text, name: "own.lua").call() } throws: { ($0 as? LuaError)?.kind == .limit }
        #expect(clock.now - began < .seconds(10))
    }

    @Test func `States on several threads count into one, and the host's own chunks do not count`() async throws {
        let coverage = LuaCoverage()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let lua = Lua(coverage: coverage)
                    _ = try? lua.load("local x = 0", name: "prelude", trusted: true).call()
                    _ = try? lua.load("local x = 0\nfor i = 1, 1000 do\n  x = x + i\nend", name: "own.lua").call()
                }
            }
        }
        #expect(coverage.chunks.map(\.name) == ["own.lua"])
        #expect(coverage.chunks.first?.hits[3] == 4000)
    }
}

extension String {
    fileprivate var quoted: String { "[==[\(self)]==]" }
}
