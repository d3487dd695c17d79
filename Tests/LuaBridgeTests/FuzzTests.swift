import DRSupport
import Foundation
import LuaBridge
import Testing

/// Programs from a grammar of everything a script may do wrong, bytes as source text, and values both ways. Whatever they do, the state goes on and
/// every Swift object is released.
///
/// `LUA_FUZZ=60` (make fuzz) goes on for so many seconds; a failure names its seed, and `LUA_FUZZ_SEED` runs that one again. With
/// `LUA_FUZZ_TRAIL=file` each seed is written there before it runs. The testing library keeps a backtrace of each error that was thrown until the
/// test ends, hundreds of MiB an hour; `SWT_SWIFT_ERROR_BACKTRACING_ENABLED=0` turns that off, and then the process may not grow.
@Suite struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment

    // Seeds until the time is over; without a time, a few.
    private func seeds(_ few: Int, _ body: (UInt64) throws -> Void) rethrows {
        if let seed = Self.environment["LUA_FUZZ_SEED"].flatMap({ UInt64($0) }) { return try body(seed) }
        guard let seconds = Self.environment["LUA_FUZZ"].flatMap({ Double($0) }) else {
            for seed in 0..<UInt64(few) { try body(seed) }
            return
        }
        let end = ContinuousClock.now + .seconds(seconds / 3)
        var seed = UInt64.random(in: 0..<1 << 48)
        // What kills the process cannot name its seed: the last line of this file does.
        let trail = Self.environment["LUA_FUZZ_TRAIL"].flatMap { fopen($0 + ".\(few)", "w") }
        defer { if let trail { fclose(trail) } }
        var (count, early) = (0, 0)
        while ContinuousClock.now < end {
            if let trail {
                fputs("\(seed)\n", trail)
                fflush(trail)
            }
            try body(seed)
            seed += 1
            count += 1
            // By then everything has been used once.
            if count == few * 10 { early = Self.residentMegabytes }
        }
        guard early > 0, Self.environment["SWT_SWIFT_ERROR_BACKTRACING_ENABLED"] == "0" else { return }
        let late = Self.residentMegabytes
        #expect(late <= early + 32, "\(early) MiB after \(few * 10) rounds, \(late) MiB after \(count)")
    }

    // 0 where the system does not say.
    private static var residentMegabytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(getpagesize()) >> 20
    }

    @Test func `G7 no generated program crashes, hangs or leaks`() throws {
        var (programs, loaded) = (0, 0)
        try seeds(250) { (seed) throws in
            var grammar = ProgramGrammar(random: Random(seed: seed))
            let text = grammar.program()
            let alive = Alive()
            programs += 1
            do {
                var limits = LuaLimits(memory: 4 << 20, instructions: seed % 3 == 0 ? 200_000 : nil, processorTime: .milliseconds(200))
                limits.output = 1 << 16
                let lua = Lua(limits: limits, seed: seed, modules: { _ in nil })
                try lua.register("host") { (number: Int) -> Int in number &+ 1 }
                try lua.register("text") { (text: String) -> String in text + text }
                try lua.register("object") { () -> Token in Token(alive) }
                try lua.register("fails") { (number: Int?) throws -> Void in throw FuzzFailure(token: Token(alive)) }
                try lua.register("calls") { (call: LuaCall) in try call[0].function?.call(Array(call.arguments.dropFirst())) ?? [] }
                try lua.register("coded") { (value: LuaCoded<[String: [Int]]>) -> LuaCoded<[String: [Int]]> in value }
                try lua.suspending("waits") { (call: LuaCall) in call.arguments }
                if seed % 5 == 0 { lua.failAllocation(seed % 400 + 1) }
                if let coroutine = try? lua.coroutine(lua.load(text, name: "fuzz.lua")) {
                    loaded += 1
                    var steps = 0
                    var resumption = try? coroutine.resume()
                    while case .suspended(let request)? = resumption, steps < 50 {
                        steps += 1
                        switch steps % 4 {
                        case 0: resumption = try? coroutine.resume(throwing: FuzzFailure(token: Token(alive)))
                        case 3 where steps > 20: resumption = try? coroutine.resume(terminating: FuzzFailure(token: Token(alive)))
                        default: resumption = try? coroutine.resume(returning: request as? [LuaValue] ?? [])
                        }
                    }
                    try? coroutine.close()
                }
                lua.failAllocation(0)
                #expect(try lua.load("return 1 + 1", name: "after.lua").call() == [2], "seed \(seed)")
            } catch let error as LuaError where error.kind == .memory {
                // The cap may be met while the state is being set up; then nothing has run.
            }
            #expect(alive.count == 0, "seed \(seed): objects were lost")
        }
        #expect(loaded * 2 > programs, "only \(loaded) of \(programs) programs were Lua")
    }

    @Test func `G7 no bytes crash the loader`() throws {
        let words = [
            "local", "function", "end", "return", "if", "then", "while", "do", "(", ")", "{", "}", "[[", "]]", "--", "--[[", "'", "\"",
            "\\", "\\x", "\\u{",
            "..", "...", "::", "goto", "=", "==", "~=", "//", ">>", "0x", "1e", "1e999", "0x.p1", "<close>", "<const>", "x", "\n", "\0",
            "\u{1b}Lua",
        ]
        try seeds(2_000) { (seed) throws in
            var random = Random(seed: seed)
            var bytes: [UInt8] = []
            for _ in 0..<(random.next() % 60) {
                if random.next() % 4 == 0 {
                    bytes.append(UInt8(truncatingIfNeeded: random.next()))
                } else {
                    bytes += Array(words[Int(random.next() % UInt64(words.count))].utf8) + [32]
                }
            }
            let lua = Lua(limits: LuaLimits(memory: 2 << 20, processorTime: .milliseconds(100)))
            if let chunk = try? lua.load(bytes: bytes, name: "bytes.lua") { _ = try? chunk.call() }
            #expect(try lua.load("return 2", name: "after.lua").call() == [2], "seed \(seed)")
        }
    }

    @Test func `G8 values survive both ways, and what cannot is refused`() throws {
        try seeds(400) { (seed) throws in
            var random = Random(seed: seed)
            let tree = Self.tree(&random, depth: 0)
            let lua = Lua()
            let value = try lua.value(of: tree)
            #expect(try lua.tree(of: value) == tree, "seed \(seed)")
            let data = try JSONEncoder().encode(["v": tree])
            #expect(try JSONDecoder().decode([String: LuaTree].self, from: data)["v"] == tree, "seed \(seed)")
            #expect(try lua.tree(of: LuaEncoder().encode(tree, in: lua)) == tree, "seed \(seed)")
            // Into types that mostly do not fit: an error or a value, never a crash.
            _ = try? LuaDecoder().decode([String: [Int]].self, from: value, in: lua)
            _ = try? LuaDecoder().decode([LuaTree].self, from: value, in: lua)
            _ = try? LuaDecoder().decode([Int: Double?].self, from: value, in: lua)
            _ = try? LuaDecoder().decode([[String?]].self, from: value, in: lua)
            _ = try? lua.read(value, as: [String: Int].self)
            _ = try? lua.read(value, as: [UInt8?].self)
        }
    }

    private static func tree(_ random: inout Random, depth: Int) -> LuaTree {
        switch random.next() % (depth < 4 ? 9 : 6) {
        case 0: return depth == 0 ? 1 : .null
        case 1: return .boolean(random.next() % 2 == 0)
        case 2: return .integer(Int(bitPattern: UInt(random.next())))
        case 3: return .number([0.5, -0.0, .infinity, -.infinity, 1e300, 1e-300, 2.0][Int(random.next() % 7)])
        case 4: return .text(["", "a", "ä€", "$number", "long text that needs an allocation"][Int(random.next() % 5)])
        case 5: return .string(LuaString(bytes: (0..<random.next() % 40).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
        case 6, 7:
            let count = random.next() % 5
            return count == 0 ? .record([:]) : .list((0..<count).map { _ in tree(&random, depth: depth + 1) })
        default:
            var fields: [LuaTree.Key: LuaTree] = [:]
            for _ in 0..<random.next() % 5 {
                let key: LuaTree.Key =
                    random.next() % 3 == 0 ? .integer(Int(random.next() % 100) + 10) : .string(LuaString("k\(random.next() % 50)"))
                fields[key] = tree(&random, depth: depth + 1)
            }
            return .record(fields)
        }
    }
}

private final class Alive: @unchecked Sendable {
    var count = 0
}

private final class Token: LuaObject, @unchecked Sendable {
    static var luaTypeName: String { "token" }
    let alive: Alive

    init(_ alive: Alive) {
        self.alive = alive
        alive.count += 1
    }

    deinit { alive.count -= 1 }

    static func describe(_ type: LuaType<Token>) {
        type.method("give") { (token: Token, value: LuaValue) -> LuaValue in value }
        type.method("fail") { (token: Token) throws -> Void in throw FuzzFailure(token: token) }
        type.property("self") { $0 }
    }
}

private struct FuzzFailure: Error {
    let token: Token
}

/// Programs that use everything on everything.
struct ProgramGrammar {
    var random: Random
    private var names = ["a", "b", "c", "d"]
    private var budget = 120

    init(random: Random) { self.random = random }

    private mutating func pick(_ list: [String]) -> String { list[Int(random.next() % UInt64(list.count))] }
    private mutating func chance(_ of: UInt64) -> Bool { random.next() % of == 0 }

    mutating func program() -> String {
        "local a, b, c, d = 1, 'text', {}, function(...) return ... end\n" + block(0)
    }

    private mutating func block(_ depth: Int) -> String {
        (0..<(1 + random.next() % 5)).map { _ in statement(depth) }.joined(separator: "\n")
    }

    private mutating func statement(_ depth: Int) -> String {
        budget -= 1
        guard budget > 0, depth < 5 else { return "a = \(value(5))" }
        switch random.next() % 16 {
        case 0: return "local \(pick(names)) = \(value(depth))"
        case 1: return "\(pick(names)) = \(value(depth))"
        case 2: return "if \(value(depth)) then \(block(depth + 1)) else \(block(depth + 1)) end"
        case 3:
            return
                "for i = \(number()), \(number()), \(pick(["1", "-1", "7", "1.5"])) do \(block(depth + 1)) if i % 5 == 0 then break end end"
        case 4: return "for k, v in pairs(\(value(depth))) do \(block(depth + 1)) end"
        case 5: return "while \(value(depth)) do \(block(depth + 1)) break end"
        case 6: return "do local x <close> = setmetatable({}, { __close = \(function(depth)) }) \(block(depth + 1)) end"
        case 7: return "pcall(\(function(depth)))"
        case 8: return "xpcall(\(function(depth)), \(function(depth)))"
        case 9: return "\(pick(names)) = coroutine.wrap(\(function(depth)))"
        case 10: return "pcall(\(pick(names)), \(value(depth)), \(value(depth)))"
        case 11: return "pcall(function() \(pick(names))[\(value(depth))] = \(value(depth)) end)"
        case 12: return "pcall(setmetatable, \(pick(names)), { \(metamethod()) = \(function(depth)), \(metamethod()) = \(value(depth)) })"
        case 13: return "pcall(error, \(value(depth)))"
        case 14: return "pcall(\(library()), \(value(depth)), \(value(depth)), \(value(depth)))"
        default: return "pcall(waits, \(value(depth)))"
        }
    }

    private mutating func function(_ depth: Int) -> String {
        guard budget > 0, depth < 5 else {
            return pick(["print", "type", "error", "pcall", "host", "fails", "coroutine.yield", "tostring"])
        }
        return
            "function(...) \(block(depth + 1)) \(chance(2) ? "return " + value(depth) + ", ..." : "coroutine.yield(\(value(depth)))") end"
    }

    private mutating func number() -> String {
        pick(["0", "1", "-1", "3", "10", "1.5", "math.maxinteger", "math.mininteger", "math.huge", "-math.huge", "0/0", "1 << 40", "2^53"])
    }

    private mutating func value(_ depth: Int) -> String {
        budget -= 1
        guard budget > 0, depth < 5 else { return pick(names) }
        switch random.next() % 17 {
        case 0, 1: return number()
        case 2, 3: return pick(names)
        case 4:
            return pick([
                "nil", "true", "false", "''", "'x'", "('x'):rep(200)", "'\\0\\255'", "'%d+'", "'(.-)%1'", "'%b()%f[%w]'", "_G", "_ENV",
                "string",
            ])
        case 5: return "{ \(value(depth + 1)), \(value(depth + 1)), x = \(value(depth + 1)) }"
        case 6: return function(depth)
        case 7: return "pcall(\(library()), \(value(depth + 1)), \(value(depth + 1)))"
        case 8: return "(\(value(depth + 1)) == \(value(depth + 1)))"
        case 9:
            return
                "select(2, pcall(function() return \(value(depth + 1)) \(pick(["+", "..", "<", "//", "%", "&", "<<", "^", "-"])) \(value(depth + 1)) end))"
        case 10: return "setmetatable({}, { \(metamethod()) = \(function(depth + 1)) })"
        case 11: return "coroutine.create(\(function(depth + 1)))"
        case 12: return pick(["object()", "select(2, pcall(fails))", "select(2, pcall(object().fail, object()))", "object().self", "host"])
        case 13: return "select(2, pcall(calls, \(function(depth + 1)), \(value(depth + 1))))"
        case 14: return "select(2, pcall(coded, { k = { 1, 2, \(value(depth + 1)) } }))"
        case 15: return "select(2, pcall(text, \(value(depth + 1))))"
        default: return "tostring(\(value(depth + 1)))"
        }
    }

    private mutating func metamethod() -> String {
        pick([
            "__index", "__newindex", "__call", "__add", "__concat", "__len", "__eq", "__lt", "__le", "__tostring", "__pairs", "__close",
            "__unm", "__name",
            "__metatable", "__gc", "__mode", "__bnot", "__idiv",
        ])
    }

    private mutating func library() -> String {
        pick([
            "string.find", "string.match", "string.gsub", "string.gmatch", "string.rep", "string.format", "string.byte", "string.char",
            "string.sub",
            "string.upper", "string.pack", "string.unpack", "table.sort", "table.concat", "table.insert", "table.remove", "table.move",
            "table.unpack",
            "table.pack", "next", "pairs", "ipairs", "rawset", "rawget", "rawlen", "rawequal", "select", "tonumber", "tostring", "type",
            "setmetatable",
            "getmetatable", "coroutine.resume", "coroutine.close", "coroutine.status", "coroutine.wrap", "coroutine.yield",
            "coroutine.isyieldable",
            "math.floor", "math.random", "math.randomseed", "math.tointeger", "math.fmod", "utf8.char", "utf8.len", "utf8.codepoint",
            "utf8.offset",
            "utf8.codes", "require", "print", "error", "assert", "pcall", "xpcall", "host", "text", "calls", "coded", "waits", "fails",
        ])
    }
}
