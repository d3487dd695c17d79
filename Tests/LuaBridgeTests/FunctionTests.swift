import LuaBridge
import Testing

@Suite struct FunctionTests {
    @Test func `a script calls typed functions of the host`() throws {
        let lua = Lua()
        try lua.register("add") { (a: Int, b: Int) -> Int in a + b }
        try lua.register("greet") { (name: String, loud: Bool?) -> String in loud == true ? "HELLO \(name)" : "hello \(name)" }
        var seen: [String] = []
        try lua.register("note") { (text: String) in seen.append(text) }
        let function = try lua.load("note(greet('ann')) return add(2, 3), greet('bob', true), ...", name: "a.lua")
        #expect(try function.call([.integer(7)]) == [.integer(5), "HELLO bob", .integer(7)])
        #expect(seen == ["hello ann"])
    }

    @Test func `G8 a wrong argument names the function, the position and the line`() throws {
        let lua = Lua()
        try lua.register("add") { (a: Int, b: Int) -> Int in a + b }
        let error = try #require(throws: LuaError.self) { try lua.load("\n\nreturn add(1, 'x')", name: "dir/a.lua").call() }
        #expect(error.message == "bad argument #2 to 'add' (integer expected, got string)")
        #expect(error.location == LuaLocation(source: "dir/a.lua", line: 3))
        #expect("\(error)" == "dir/a.lua:3: bad argument #2 to 'add' (integer expected, got string)")
    }

    @Test func `functions called again and again are told apart, and gone once nobody holds them`() throws {
        let lua = Lua()
        var functions: [LuaFunction] = []
        for text in ["return function(x) return x + 1 end", "return function(x) return x * 2 end"] {
            functions.append(try #require(lua.load(text, name: "f.lua").call().first?.function))
        }
        for order in [[0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1], [1, 0, 0, 0]] {
            for index in order { #expect(try functions[index].call(5, returning: Int.self) == (index == 0 ? 6 : 10)) }
        }
        weak var gone: Token?
        do {
            let token = Token()
            gone = token
            let make = try lua.load("local t = ... return function() return t end", name: "g.lua")
            let function = try #require(make.call([lua.value(of: token)]).first?.function)
            for _ in 0..<3 { #expect(try function.call(returning: LuaValue.self) != .nil) }
        }
        // The slot of what was let go is used again by the next function.
        let last = try #require(lua.load("return function(x) return -x end", name: "h.lua").call().first?.function)
        for _ in 0..<3 { #expect(try last.call(4, returning: Int.self) == -4) }
        lua.collectGarbage()
        #expect(gone == nil)
        #expect(try functions[1].call(4, returning: Int.self) == 8)
    }

    private final class Token: LuaObject {
        static var luaTypeName: String { "token" }
        static func describe(_ type: LuaType<Token>) {}
    }

    @Test func `a suspended call goes on with the answer of the host`() throws {
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in call.arguments }
        let coroutine = try lua.coroutine(lua.load("local a = ask(1, 'x') local ok, b = pcall(ask, 2) return a + b", name: "a.lua"))
        guard case .suspended(let request) = try coroutine.resume() else { throw LuaError(message: "not suspended") }
        #expect(request as? [LuaValue] == [.integer(1), "x"])
        guard case .suspended = try coroutine.resume(returning: [.integer(40)]) else { throw LuaError(message: "not suspended") }
        guard case .returned(let values) = try coroutine.resume(returning: [.integer(2)]) else { throw LuaError(message: "not returned") }
        #expect(values == [.integer(42)])
        #expect(coroutine.phase == .finished)
    }
}
