import Dispatch
import Glibc
import LuaBridge

/// `lua-host CASE N LUA` prints nanoseconds of processor time for one of N rounds: what `CHost` does by hand, with LuaBridge.
@main struct LuaHost {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let rounds = Int(arguments[2]) else { exit(2) }
        let (name, script) = (arguments[1], arguments[3])
        switch name {
        case "await", "waiting", "attacks-waiting":
            Task.detached {
                do {
                    switch name {
                    case "waiting": try await Waiting.measure(rounds, script)
                    case "await": try await awaitReady(rounds, script)
                    default:
                        let (overshoot, script) = try await Attacks.worstWaiting()
                        print(overshoot, script)
                    }
                    exit(0)
                } catch {
                    print(error)
                    exit(1)
                }
            }
            dispatchMain()
        case "attacks":
            let (overshoot, script) = try Attacks.worst()
            print(overshoot, script)
        case "state":
            let start = processorTime()
            for _ in 0..<rounds { _ = Lua() }
            report(since: start, rounds)
        case "back":
            let lua = Lua(limits: limits(of: name))
            guard let function = try lua.load(script, name: "bench.lua").call().first?.function else { exit(1) }
            let start = processorTime()
            for round in 0..<rounds {
                guard try function.call(round, returning: Int.self) == round + 1 else { exit(1) }
            }
            report(since: start, rounds)
        default:
            let lua = Lua(limits: limits(of: name))
            try register(in: lua, bytes: name.hasPrefix("bytes"))
            let function = try lua.load(script, name: "bench.lua")
            let start = processorTime()
            try function.call([.integer(rounds)])
            report(since: start, rounds)
        }
    }

    // Every case but two runs with the deadline that runs have by default; none with a limit that it could reach.
    private static func limits(of name: String) -> LuaLimits {
        switch name {
        case "fib-off": LuaLimits(processorTime: nil)
        case "fib-budget": LuaLimits(instructions: .max, processorTime: nil)
        default: LuaLimits(processorTime: .seconds(600))
        }
    }

    private static func register(in lua: Lua, bytes: Bool) throws {
        try lua.register("f0") { () -> Void in }
        try lua.register("add") { (a: Int, b: Int) -> Int in a &+ b }
        if bytes {
            try lua.register("echo") { (text: LuaBytes) -> LuaBytes in text }
        } else {
            try lua.register("echo") { (text: String) -> String in text }
        }
        try lua.register("move") { (record: LuaCoded<Record>) -> LuaCoded<Record> in
            var value = record.value
            value.count += 1
            return LuaCoded(value)
        }
        try lua.register("moveRecord") { (record: Record) -> Record in
            var value = record
            value.count += 1
            return value
        }
        try lua.register("addf") { (a: Double, b: Double) -> Double in a + b }
        try lua.register("seven") { (a: Int, b: Int, c: Int, d: Int, e: Int, f: Int, g: Int) -> Int in a &+ b &+ c &+ d &+ e &+ f &+ g }
        try lua.register("counter") { () -> Counter in Counter() }
        try lua.register("fail") { () throws -> Void in throw Failure() }
    }

    private static func awaitReady(_ rounds: Int, _ script: String) async throws {
        let lua = Lua(limits: limits(of: "await"))
        try lua.registerAsync("ready") { () async throws -> Int in 1 }
        let function = try lua.load(script, name: "bench.lua")
        let start = processorTime()
        _ = try await lua.run(function, [.integer(rounds)])
        report(since: start, rounds)
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    private static func report(since start: Double, _ rounds: Int) {
        print((processorTime() - start) / Double(rounds))
    }
}

private struct Record: Codable {
    var id: Int
    var x, y, z: Double
    var name, tag: String
    var on: Bool
    var count: Int
}

extension Record: LuaRecord {
    init(fields: LuaFields) throws {
        id = try fields["id"]
        count = try fields["count"]
        (x, y, z) = (try fields["x"], try fields["y"], try fields["z"])
        (name, tag) = (try fields["name"], try fields["tag"])
        on = try fields["on"]
    }

    func fill(_ fields: LuaFields) throws {
        try fields.set("id", id)
        try fields.set("count", count)
        try fields.set("x", x)
        try fields.set("y", y)
        try fields.set("z", z)
        try fields.set("name", name)
        try fields.set("tag", tag)
        try fields.set("on", on)
    }
}

private struct Failure: Error {}

private final class Counter: LuaObject {
    static var luaTypeName: String { "counter" }
    private var value = 0

    static func describe(_ type: LuaType<Counter>) {
        type.method("bump") { (counter: Counter, step: Int) -> Int in
            counter.value += step
            return counter.value
        }
    }
}
