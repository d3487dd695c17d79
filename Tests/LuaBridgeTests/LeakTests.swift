import DRSupport
import Foundation
import LuaBridge
import Testing

/// How many are alive, whatever thread they die on.
private final class Census: Sendable {
    private let counts = Lock<[String: Int]>([:])

    func add(_ kind: String, _ change: Int) {
        counts.withLock { $0[kind, default: 0] += change }
    }

    /// What was there and is gone says 0.
    var alive: [String: Int] { counts.withLock { $0 } }
    var isOver: Bool { alive.allSatisfy { $0.value == 0 } }
}

/// Alive as long as what holds it.
private final class Mark: Sendable {
    private let census: Census
    private let kind: String

    init(_ kind: String, _ census: Census) {
        self.kind = kind
        self.census = census
        census.add(kind, 1)
    }

    deinit { census.add(kind, -1) }
}

private final class Thing: LuaObject {
    static var luaTypeName: String { "thing" }
    let mark: Mark

    init(_ mark: Mark) { self.mark = mark }

    static func describe(_ type: LuaType<Thing>) {
        type.method("give") { (thing: Thing, value: LuaValue) -> LuaValue in value }
        type.method("fail") { (thing: Thing) throws -> Void in throw Failure(mark: thing.mark) }
        type.property("self") { $0 }
    }
}

private struct Failure: Error {
    let mark: Mark
}

/// Each thing that can stay behind holds a mark: a function of the host as long as its state, the result of a task as long as the task.
@Suite struct LeakTests {
    private enum Ending: UInt64, CaseIterable { case answered, dropped, awaited, cancelled }

    @Test func `G7 of thousands of programs, however they end, no state, function, object, error, coroutine or task stays`() async throws {
        let census = Census()
        var loaded = 0
        for seed in 0..<UInt64(2_000) {
            guard let ending = Ending(rawValue: seed % 4) else { continue }
            var grammar = ProgramGrammar(random: Random(seed: seed))
            let program = grammar.program()
            switch ending {
            case .answered, .dropped: loaded += try Self.drive(program, seed, to: ending, census) ? 1 : 0
            case .awaited, .cancelled:
                let task = Task { [census] in
                    await Self.run(program, seed, census)
                    return Mark("task", census)
                }
                if ending == .cancelled {
                    await Task.yield()
                    task.cancel()
                }
                _ = await task.value
            }
        }
        #expect(loaded > 500, "only \(loaded) programs were Lua")
        // A task is let go by the thread that ended it.
        for _ in 0..<2_000 where !census.isOver { try await Task.sleep(for: .milliseconds(1)) }
        let alive = census.alive
        #expect(alive.count == 6 && alive.allSatisfy { $0.value == 0 }, "\(alive)")
    }

    private static func state(_ seed: UInt64, _ census: Census) throws -> Lua {
        let limits = LuaLimits(memory: 4 << 20, instructions: 20_000, processorTime: .milliseconds(200))
        let lua = Lua(limits: limits, seed: seed, modules: { _ in nil })
        let function = Mark("function", census)
        try lua.register("host") { (number: Int) -> Int in withExtendedLifetime(function) { number &+ 1 } }
        try lua.register("text") { (text: String) -> String in text + text }
        try lua.register("object") { () -> Thing in Thing(Mark("object", census)) }
        try lua.register("fails") { (number: Int?) throws -> Void in throw Failure(mark: Mark("error", census)) }
        try lua.register("calls") { (call: LuaCall) in try call[0].function?.call(Array(call.arguments.dropFirst())) ?? [] }
        try lua.register("coded") { (value: LuaCoded<[String: [Int]]>) -> LuaCoded<[String: [Int]]> in value }
        // A value made as a function is let go when nothing in the state refers to it, or with the state.
        let value = Mark("value", census)
        try lua.globals.set("echo", .function(lua.function("echo") { (call: LuaCall) in withExtendedLifetime(value) { call.arguments } }))
        // Some meet an allocation that fails.
        if seed % 5 == 0 { lua.failAllocation(seed % 400 + 1) }
        return lua
    }

    private static func drive(_ program: String, _ seed: UInt64, to ending: Ending, _ census: Census) throws -> Bool {
        weak var left: LuaCoroutine?
        do {
            let lua = try state(seed, census)
            try lua.suspending("waits") { (call: LuaCall) in call.arguments }
            guard let coroutine = try? lua.coroutine(lua.load(program, name: "leak.lua")) else { return false }
            left = coroutine
            var resumption = try? coroutine.resume()
            for step in 0..<20 {
                // One that is dropped is dropped where it waits.
                guard ending == .answered, case .suspended(let request)? = resumption else { break }
                resumption =
                    step % 4 == 0
                    ? try? coroutine.resume(throwing: Failure(mark: Mark("error", census)))
                    : try? coroutine.resume(returning: request as? [LuaValue] ?? [])
            }
        }
        #expect(left == nil, "seed \(seed): a coroutine stayed")
        return true
    }

    private static func run(_ program: String, _ seed: UInt64, _ census: Census) async {
        do {
            let lua = try state(seed, census)
            let waits = Mark("awaited", census)
            try lua.registerAsync("waits") { (call: LuaCall) async throws -> [LuaValue] in
                await Task.yield()
                if seed % 3 == 0 { throw Failure(mark: Mark("error", census)) }
                return withExtendedLifetime(waits) { call.arguments }
            }
            _ = try await lua.run(lua.load(program, name: "leak.lua"))
        } catch {
            // Whatever it raised is let go here.
        }
    }
}
