import Foundation
import LuaBridge
import Testing

private final class Nested: LuaObject {
    static var luaTypeName: String { "nested" }
    var onRelease: (() -> Void)?
    static func describe(_ type: LuaType<Nested>) {}
    deinit { onRelease?() }
}

/// Ways into Lua that are not the plain call of the idle host.
@Suite struct EntryTests {
    private func function(_ text: String, in lua: Lua) throws -> LuaFunction {
        try #require(lua.load(text, name: "f.lua").call().first?.function)
    }

    @Test func `G7 what the idle host calls often is still what a host function calls, whatever its arguments`() throws {
        let lua = Lua()
        let held = try function("return function() return 'held' end", in: lua)
        for _ in 0..<3 { #expect(try held.call(returning: String.self) == "held") }
        try lua.register("call") { (_: LuaRest<LuaValue>) -> String in
            for _ in 0..<3 { _ = try held.call(returning: String.self) }
            return try held.call(returning: String.self)
        }
        let values = try lua.run(
            text: "return call(), call(1, function() return 'second' end), call(1, 2), select('#', call()), pcall(tostring)")
        #expect(values.prefix(4) == ["held", "held", "held", 1])
        #expect(values[4] == false)
        #expect(try held.call(returning: String.self) == "held")
    }

    @Test func `G7 a script cannot reach the main stack from a coroutine of the host`() throws {
        let lua = Lua()
        let held = try function("M = coroutine.running() return function() return 1 end", in: lua)
        for _ in 0..<3 { #expect(try held.call(returning: Int.self) == 1) }
        let text = "return coroutine.status(M), (coroutine.resume(M, 1)), (pcall(coroutine.close, M))"
        guard case .returned(let values) = try lua.coroutine(lua.load(text, name: "c.lua")).resume() else { return #expect(Bool(false)) }
        #expect(values == ["normal", false, false])
        #expect(try held.call(returning: Int.self) == 1)
        let error = try #require(throws: LuaError.self) { try lua.run(text: "error('x')") }
        #expect(error.traceback.contains("test.lua:1"))
    }

    @Test func `G7 an object that calls Lua when it is released is refused, and the state goes on`() throws {
        let lua = Lua()
        let held = try function("return function() return 1 end", in: lua)
        var refusals: [String] = []
        for _ in 0..<3 { #expect(try held.call(returning: Int.self) == 1) }
        for byScript in [false, true] {
            do {
                let object = Nested()
                object.onRelease = {
                    do { _ = try held.call(returning: Int.self) } catch { refusals.append("\(error)") }
                    do { try lua.run(text: "return 1") } catch { refusals.append("\(error)") }
                    do { _ = try lua.coroutine(held).resume() } catch { refusals.append("\(error)") }
                }
                _ = try function("local o = ... return function() return o end", in: lua).call([lua.value(of: object)])
            }
            if byScript { try lua.run(text: "for i = 1, 1e5 do local t = {} end") }
            lua.collectGarbage()
            #expect(try held.call(returning: Int.self) == 1)
        }
        #expect(refusals.count == 6 && refusals.allSatisfy { $0.contains("while an object is being released") }, "\(refusals)")
    }

    @Test func `an argument that cannot be written leaves nothing behind`() throws {
        let lua = Lua()
        let held = try function("return function(t) return #t end", in: lua)
        for _ in 0..<30_000 {
            #expect(throws: (any Error).self) { try held.call([1, 2, UInt64.max], returning: Int.self) }
        }
        #expect(try held.call([1, 2, 3] as [UInt64], returning: Int.self) == 3)
    }

    @Test func `G7 cancelling the task ends a script that never waits, and no other of its state`() async throws {
        let lua = Lua(limits: LuaLimits(processorTime: .seconds(600)))
        let endless = try function("return function() while true do pcall(function() while true do end end) end end", in: lua)
        // By a thread of its own: the script keeps one of the few that tasks share, and others may keep the rest.
        let started = DispatchSemaphore(value: 0)
        try lua.register("begun") { () -> Void in started.signal() }
        let script = try function("return function(f) begun() f() end", in: lua)
        let box = UncheckedBox((lua, script, endless))
        let task = Task.detached { try await box.value.0.run(box.value.1, [.function(box.value.2)]).count }
        Thread.detachNewThread {
            started.wait()
            task.cancel()
        }
        let error = await #expect(throws: LuaError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(try await lua.run(function("return function() return 7 end", in: lua)) == [7])
    }

    @Scripts @Test func `G7 scripts that run at once stay in the isolation of their state`() async throws {
        let lua = Lua()
        var finished = 0
        try lua.registerAsync("pause") { () async throws -> Int in
            await Task.yield()
            return 1
        }
        // Ends the process when it is called anywhere else.
        try lua.register("here") { () -> Int in
            Scripts.shared.preconditionIsolated()
            return 1
        }
        let script = try function(
            "return function() local n = 0 for i = 1, 20 do n = n + here() + pause() + here() end return n end", in: lua)
        let tasks = (0..<100).map { _ in
            Task { @Scripts in
                let values = try await lua.run(script)
                #expect(values == [60])
                finished += 1
            }
        }
        for task in tasks { try await task.value }
        #expect(finished == 100)
    }

    @Test func `an async function gives back the bytes it was given`() async throws {
        let lua = Lua()
        try lua.registerAsync("same") { (bytes: LuaBytes) async throws -> LuaBytes in bytes }
        try lua.registerAsync("second") { (_: Int, bytes: LuaBytes) async throws -> LuaBytes in bytes }
        let results = try await lua.run(lua.load("return same('a\\0b'), second(1, 'c'), (select('#', same('d')))", name: "a.lua"))
        #expect(results == [.string(LuaString(bytes: [97, 0, 98])), "c", 1])
    }
}

@globalActor private actor Scripts {
    static let shared = Scripts()
}

private struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
