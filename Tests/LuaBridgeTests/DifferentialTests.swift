import CPlainLua
import DRSupport
import Foundation
import LuaBridge
import Testing

/// The library functions we wrote anew, beside the system's own on generated patterns and inputs: no difference.
///
/// `LUA_DIFFERENTIAL=100000` (make differential) sets how many calls are compared; a seed makes the same calls each time.
@Suite struct DifferentialTests {
    struct Generator {
        var random: Random

        mutating func pick<Element>(_ list: [Element]) -> Element { list[Int(random.next() % UInt64(list.count))] }
        mutating func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + Int(random.next() % UInt64(range.count)) }

        mutating func subject() -> String {
            let alphabet = [
                "a", "b", "c", "aa", "ab", "(", ")", "(a)", " ", "1", "23", "_", ".", "%%", "x-y", "\\0", "\\255", "A", "Z", "\\n", "[]",
            ]
            return (0..<number(0...9)).map { _ in pick(alphabet) }.joined()
        }

        mutating func item(_ depth: Int) -> String {
            switch number(0...13) {
            case 0...3: return pick(["a", "b", "c", ".", "1", "\\0", "\\255"])
            case 4...6:
                return "%" + pick(["a", "d", "l", "s", "u", "w", "x", "p", "c", "g", "A", "D", "S", "W", "X", "P", ".", "%", "-", "("])
            case 7, 8:
                let negated = pick(["", "", "^"])
                let members = (0..<number(0...3)).map { _ in pick(["a", "b-d", "%d", "%w", "]", "^", "-", "a-", "%]", "1-9", "%a-z", "."]) }
                return "[" + negated + members.joined() + "]"
            case 9: return "%b" + pick(["()", "aa", "xy", "[]"])
            case 10: return "%f[" + pick(["%a", "%d", "^%w", "a"]) + "]"
            case 11: return "%" + pick(["1", "2", "0", "9"])
            case 12: return depth < 3 ? "(" + pattern(depth + 1) + ")" : "()"
            default: return pick(["()", "(", ")", "[", "%", "$", "^", "]"])
            }
        }

        mutating func pattern(_ depth: Int = 0) -> String {
            let items = (0..<number(depth == 0 ? 1...4 : 0...2)).map { _ in item(depth) + pick(["", "", "", "*", "+", "-", "?"]) }
            return (depth == 0 ? pick(["", "", "", "^"]) : "") + items.joined() + (depth == 0 ? pick(["", "", "", "$"]) : "")
        }

        mutating func list() -> String {
            "{ " + (0..<number(0...8)).map { _ in String(number(-20...20)) }.joined(separator: ", ") + " }"
        }

        // A call whose results, or whose failure, both must give.
        mutating func call() -> String {
            let s = "'\(subject())'", p = "'\(pattern())'", i = number(-4...6), j = number(-4...8)
            switch number(0...19) {
            case 0...3: return "string.find, \(s), \(p), \(i)"
            case 4...6: return "string.match, \(s), \(p), \(i)"
            case 7, 8: return "string.gsub, \(s), \(p), '\(pick(["", "x", "<%0>", "%1", "%2%1", "%%", "%", "%a"]))'"
            case 9: return "string.gsub, \(s), \(p), { a = 'A', b = false, ['1'] = 5 }, \(number(0...3))"
            case 10: return "string.gsub, \(s), \(p), function(...) return select('#', ...) % 2 == 0 and '*' or nil end"
            case 11: return "collect, \(s), \(p)"
            case 12: return "string.find, \(s), \(p), \(i), true"
            case 13: return "string.rep, \(s), \(number(-1...5)), '\(pick(["", ",", "--"]))'"
            case 14: return "joined, table.move, \(list()), \(i), \(j), \(number(-3...9))"
            case 15: return "table.concat, \(list()), '\(pick(["", ","]))', \(i), \(j)"
            case 16: return "joined, sorted, \(list())"
            case 17: return "joined, inserted, \(list()), \(i), \(j)"
            case 18: return "joined, removed, \(list()), \(i)"
            default: return "table.unpack, \(list()), \(i), \(j)"
            }
        }
    }

    private static let prelude = """
        local function collect(s, p) local t = {} for a, b in s:gmatch(p) do t[#t + 1] = tostring(a) .. '/' .. tostring(b) if #t > 50 then break end end return table.concat(t, ' ') end
        local function joined(f, t, ...) local r = f(t, ...) local out = {} for i = -5, 20 do out[#out + 1] = tostring(t[i]) end return table.concat(out, ' '), type(r) end
        local function sorted(t) table.sort(t, function(a, b) return a > b end) end
        local function inserted(t, i, v) table.insert(t, i, v) table.insert(t, v) end
        local function removed(t, i) table.remove(t, i) table.remove(t) end
        local lines = {}
        local function show(ok, ...)
          if not ok then lines[#lines + 1] = 'ERROR' return end
          local r = table.pack(...)
          for i = 1, r.n do r[i] = tostring(r[i]) end
          lines[#lines + 1] = table.concat(r, '|')
        end

        """

    private func plain(_ text: String) -> [UInt8]? {
        var result = [UInt8](repeating: 0, count: 4 << 20)
        let capacity = result.count
        let length = text.withCString { bytes in
            result.withUnsafeMutableBytes {
                plain_lua_run(bytes, strlen(bytes), $0.baseAddress?.assumingMemoryBound(to: CChar.self), capacity)
            }
        }
        return length < 0 ? nil : Array(result.prefix(length))
    }

    @Test func `G7 patterns and table functions answer as the system's own`() throws {
        let wanted = ProcessInfo.processInfo.environment["LUA_DIFFERENTIAL"].flatMap { Int($0) } ?? 20_000
        var generator = Generator(random: Random(seed: 20_260))
        var (failures, refused) = (0, 0)
        for start in stride(from: 0, to: wanted, by: 1_000) {
            let calls = (start..<min(start + 1_000, wanted)).map { _ in generator.call() }
            let text = Self.prelude + calls.map { "show(pcall(\($0)))\n" }.joined() + "return table.concat(lines, '\\n~')"
            let theirs = try #require(plain(text), "the system's Lua did not run the calls")
            let lua = Lua(limits: LuaLimits(memory: 256 << 20, processorTime: .seconds(60)))
            let ours = try #require(try lua.load(text, name: "ours.lua").call().first?.bytes)
            let separator: [UInt8] = Array("\n~".utf8)
            refused += theirs.split(separator: separator).count { Array($0) == Array("ERROR".utf8) }
            guard ours != theirs else { continue }
            for (index, (a, b)) in zip(ours.split(separator: separator), theirs.split(separator: separator)).enumerated() where a != b {
                failures += 1
                if failures < 20 {
                    Issue.record(
                        "\(calls[index]): ours \(String(decoding: a, as: UTF8.self)), theirs \(String(decoding: b, as: UTF8.self))")
                }
            }
            if failures == 0 { Issue.record("different numbers of results from call \(start) on") }
        }
        #expect(failures == 0)
        // Malformed patterns are part of it, not most of it.
        #expect(wanted / 50 < refused && refused < wanted / 2, "\(refused) of \(wanted) calls failed in both")
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Random {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
