import LuaBridge
import Testing

private struct Application: Codable {
    var name: String
    var namespaces: [String]
    var ready: Double?
}

private final class Counter: LuaObject {
    static var luaTypeName: String { "counter" }
    var value = 0

    static func describe(_ type: LuaType<Counter>) {
        type.method("bump") { (counter: Counter, step: Int) -> Int in
            counter.value += step
            return counter.value
        }
        type.property("value") { $0.value }
    }
}

/// The code of "Embedding Lua in ten minutes", and what the article says of it.
@Suite struct ArticleTests {
    @Test func `a state and a function`() throws {
        let lua = Lua(limits: LuaLimits(memory: 32 << 20, processorTime: .seconds(2)))
        try lua.register("add") { (a: Int, b: Int) -> Int in a + b }
        let chunk = try lua.load("return add(2, 3)", name: "first.lua")
        #expect(try chunk.call(returning: Int.self) == 5)
        let error = try #require(throws: LuaError.self) { try lua.load("add('2', 3)", name: "first.lua").call() }
        #expect("\(error)" == "first.lua:1: bad argument #1 to 'add' (integer expected, got string)")
    }

    @Test func `structs are tables`() throws {
        var printed: [String] = []
        let lua = Lua(output: { printed.append($0) })
        try lua.register("start") { (application: LuaCoded<Application>) -> String in "starting \(application.value.name)" }
        try lua.load(#"print(start { name = "ledger", namespaces = { "shop-db" } })"#, name: "second.lua").call()
        #expect(printed == ["starting ledger"])
        let error = try #require(throws: LuaError.self) {
            try lua.load(#"start { name = "ledger", namespaces = { 1 } }"#, name: "second.lua").call()
        }
        #expect(error.message == "namespaces[1]: string expected, got number")
    }

    @Test func `classes are objects`() throws {
        let lua = Lua()
        let counter = Counter()
        try lua.register("counter") { () -> Counter in counter }
        try lua.load("local c = counter() c:bump(2) c:bump(3) assert(c.value == 5)", name: "third.lua").call()
        #expect(counter.value == 5)
    }

    @Test func `functions that wait`() async throws {
        let lua = Lua()
        try lua.registerAsync("fetch") { (name: String) async throws -> String in
            await Task.yield()
            return name + "!"
        }
        let results = try await lua.run(lua.load("return fetch('a') .. fetch('b')", name: "fourth.lua"))
        #expect(results == ["a!b!"])
    }

    @Test func `when it goes wrong`() throws {
        let lua = Lua(limits: LuaLimits(processorTime: .milliseconds(20)))
        let error = try #require(throws: LuaError.self) { try lua.load("while true do pcall(error) end", name: "fifth.lua").call() }
        #expect(error.kind == .limit)
        #expect(error.location == LuaLocation(source: "fifth.lua", line: 1))
        #expect(!error.traceback.isEmpty)
    }
}
