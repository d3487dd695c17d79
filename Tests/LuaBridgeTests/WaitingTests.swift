import Foundation
import LuaBridge
import Testing

private struct Endless: Error {}

// Counts how many were made and released.
private final class Count {
    var made = 0
    var released = 0
}

private final class Thing: LuaObject {
    static var luaTypeName: String { "thing" }
    static func describe(_ type: LuaType<Thing>) {}
    private let count: Count

    init(_ count: Count) {
        self.count = count
        count.made += 1
    }

    deinit { count.released += 1 }
}

private func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func burn(milliseconds: Double) {
    let end = threadTime() + milliseconds / 1e3
    while threadTime() < end {}
}

/// Threads that want the processors, too, until it is released.
private final class Busy: Sendable {
    private let stop = LuaCancellation()

    init(threads: Int) {
        for _ in 0..<threads { Thread.detachNewThread { [stop] in while !stop.isCancelled {} } }
    }

    deinit { stop.cancel() }
}

/// What a run that awaits is charged, and what becomes of those that wait.
@Suite(.serialized) struct WaitingTests {
    // `burn(ms)` uses the processor in the script's time, `serve(ms)` in its own; `later()` gives the thread away.
    private func lua(_ limit: Duration?, rounds: @escaping () throws -> Void = {}) throws -> Lua {
        let lua = Lua(limits: LuaLimits(processorTime: limit))
        try lua.register("burn") { (milliseconds: Double) -> Void in burn(milliseconds: milliseconds) }
        try lua.register("renew") { (call: LuaCall) in
            call.lua.resetBudget()
            return []
        }
        try lua.registerAsync("ready") { () async throws -> Int in
            try rounds()
            return 1
        }
        try lua.registerAsync("later") { () async throws -> Int in
            try rounds()
            await Task.yield()
            return 1
        }
        try lua.registerAsync("serve") { (milliseconds: Double) async throws -> Int in
            burn(milliseconds: milliseconds)
            await Task.yield()
            return 1
        }
        return lua
    }

    // How often it waited before its limit ended it.
    private func waits(_ text: String, limit: Duration, atMost most: Int) async throws -> Int {
        var count = 0
        let lua = try lua(limit) {
            count += 1
            if count > most { throw LuaStop(Endless()) }
        }
        do {
            _ = try await lua.run(lua.load(text, name: "waits.lua"))
        } catch let error as LuaError {
            #expect(error.kind == .limit, "\(error) after \(count) waits")
        }
        return count
    }

    @Test(arguments: ["later", "ready"], [0, 4])
    func `G7 a run is charged the processor time of each part, whoever else wants the processor`(function: String, threads: Int)
        async throws
    {
        let busy = Busy(threads: threads)
        let count = try await waits("while true do burn(0.2) \(function)() end", limit: .milliseconds(40), atMost: 400)
        // 0.2 ms each, and a few microseconds.
        #expect(count >= 150 && count <= 201, "\(count)")
        withExtendedLifetime(busy) {}
    }

    @Test(arguments: [
        "while true do later() end", "while true do pcall(later) end", "while true do coroutine.wrap(later)() end",
        "while true do later() ready() end",
    ])
    func `G7 a run that does nothing but wait meets its limit`(text: String) async throws {
        let count = try await waits(text, limit: .milliseconds(20), atMost: 300_000)
        #expect(count >= 500)
    }

    @Test func `G7 what an async function uses is not the script's time`() async throws {
        let lua = try lua(.milliseconds(30))
        #expect(try await lua.run(lua.load("for i = 1, 50 do serve(2) end return 'done'", name: "serve.lua")) == ["done"])
    }

    @Test @MainActor func `G7 each run has a budget of its own, and renewing renews that of all`() async throws {
        let lua = try lua(.milliseconds(60))
        let text = "for i = 1, 20 do burn(2) later() end return ..."
        let function = try lua.load(text, name: "own.lua")
        let tasks = (1...4).map { number in Task { @MainActor in try await lua.run(function, [.integer(number)]).first?.integer } }
        for (index, task) in tasks.enumerated() { #expect(try await task.value == index + 1) }
        let renewing = try lua.load("for i = 1, 20 do burn(20) later() burn(20) renew() end return 'renewed'", name: "renew.lua")
        let renewed = try await lua.run(renewing)
        #expect(renewed == ["renewed"])
        let over = try lua.load("for i = 1, 20 do burn(20) later() end", name: "over.lua")
        await #expect(throws: LuaError.self) { _ = try await lua.run(over) }
    }

    @Test func `G7 one long part after many short ones is charged, too`() async throws {
        let count = try await waits(
            "while true do for i = 1, 100 do ready() end burn(5) end", limit: .milliseconds(50), atMost: 20_000)
        #expect(count >= 300 && count <= 1_100, "\(count)")
    }

    // MARK: Those that wait

    private func parking(_ lua: Lua, _ token: Count, parked: @escaping () -> Void) throws {
        let thing = Thing(token)
        try lua.register("touch") { () -> Void in withExtendedLifetime(thing) {} }
        try lua.registerAsync("park") { (thing: Thing) async throws -> Int in
            parked()
            try await Task.sleep(for: .seconds(3600))
            return 1
        }
    }

    @Test @MainActor func `G7 three thousand waiting runs that are cancelled at once all end, and nothing of them stays`() async throws {
        let (things, token) = (Count(), Count())
        var waiting = 0
        weak var state: Lua?
        do {
            let lua = Lua(limits: LuaLimits(memory: 256 << 20))
            state = lua
            try parking(lua, token) { waiting += 1 }
            let function = try lua.load(
                """
                local thing = ...
                local x <close> = setmetatable({}, { __close = function() ended = (ended or 0) + 1 end })
                local ok = pcall(coroutine.wrap(park), thing)
                survived = true
                """, name: "park.lua")
            var used: [Int] = []
            for round in 1...2 {
                waiting = 0
                let tasks = (0..<3000).map { _ in
                    Task { @MainActor in
                        do {
                            _ = try await lua.run(function, [lua.value(of: Thing(things))])
                            return "returned"
                        } catch let error as LuaError {
                            return error.underlying is CancellationError ? "cancelled" : "\(error)"
                        }
                    }
                }
                while waiting < 3000 { await Task.yield() }
                for task in tasks { task.cancel() }
                for task in tasks { #expect(try await task.value == "cancelled") }
                #expect(try lua.globals.get("ended").integer == 3000 * round)
                #expect(try lua.globals.get("survived").isNil)
                lua.collectGarbage()
                #expect(things.made == 3000 * round && things.released == 3000 * round)
                used.append(lua.memoryUsed)
            }
            // The first round made room for what the host holds.
            #expect(used[1] < used[0] + 16 << 10)
            let after = try await lua.run(lua.load("return 1", name: "after.lua"))
            #expect(after == [1])
            #expect(token.released == 0)
        }
        #expect(state == nil)
        #expect(token.made == 1 && token.released == 1)
    }

    @Test(arguments: [false, true]) @MainActor
    func `G7 a state that is dropped while scripts wait lives as long as they do`(cancels: Bool) async throws {
        let (things, token) = (Count(), Count())
        var continuations: [CheckedContinuation<Void, Never>] = []
        weak var state: Lua?
        let tasks: [Task<Int?, any Error>]
        do {
            let lua = Lua()
            state = lua
            let kept = Thing(token)
            try lua.registerAsync("park") { () async throws -> Int in
                await withCheckedContinuation { continuations.append($0) }
                withExtendedLifetime(kept) {}
                return 1
            }
            let function = try lua.load("local thing = ... return park() + coroutine.wrap(park)()", name: "park.lua")
            tasks = (0..<100).map { _ in
                Task { @MainActor [lua] in try await lua.run(function, [lua.value(of: Thing(things))]).first?.integer }
            }
        }
        while continuations.count < 100 { await Task.yield() }
        #expect(state != nil)
        if cancels { for task in tasks { task.cancel() } }
        var ended = 0
        while ended < (cancels ? 100 : 200) {
            let ready = continuations
            continuations = []
            ended += ready.count
            for continuation in ready { continuation.resume() }
            await Task.yield()
        }
        for task in tasks {
            if cancels {
                await #expect(throws: LuaError.self) { try await task.value }
            } else {
                #expect(try await task.value == 2)
            }
        }
        #expect(state == nil)
        #expect(things.released == 100)
        #expect(token.made == 1 && token.released == 1)
    }

    @Test func `a coroutine whose state is gone says so, and what it held is released once`() throws {
        let (things, token) = (Count(), Count())
        var coroutines: [LuaCoroutine] = []
        do {
            let lua = Lua()
            let kept = Thing(token)
            try lua.suspending("ask") { (call: LuaCall) in
                withExtendedLifetime(kept) {}
                return 0
            }
            let function = try lua.load("local thing = ... return coroutine.wrap(ask)(thing)", name: "ask.lua")
            for _ in 0..<100 {
                let coroutine = try lua.coroutine(function)
                _ = try coroutine.resume(returning: [lua.value(of: Thing(things))]).request(Int.self)
                coroutines.append(coroutine)
            }
            #expect(things.released == 0)
        }
        #expect(things.released == 100)
        #expect(token.made == 1 && token.released == 1)
        for coroutine in coroutines {
            #expect(throws: LuaError.self) { try coroutine.resume() }
            #expect(throws: LuaError.self) { try coroutine.resume(terminating: Endless()) }
        }
    }
}
