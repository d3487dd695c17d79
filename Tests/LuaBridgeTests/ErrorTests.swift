import LuaBridge
import Testing

private struct Refused: LuaErrorConvertible, Equatable {
    let code: String
    var luaMessage: String { "refused: \(code)" }
    var luaFields: [(String, LuaTree)] {
        [("code", .text(code)), ("retryable", true), ("detail", ["tries": 3, "names": ["a", "b"]])]
    }
}

@Suite struct ErrorTests {
    private func lua() throws -> Lua {
        let lua = Lua()
        try lua.register("fail") { (code: String) throws -> Void in throw Refused(code: code) }
        return lua
    }

    @Test func `an error of the host is a table with fields that prints its message`() throws {
        let values = try lua().run(
            text: """
                local ok, e = pcall(fail, 'lock')
                return ok, e.code, e.retryable, e.message, tostring(e), e.detail.names[2], type(e), e.detail.tries
                """)
        #expect(values == [false, "lock", true, "refused: lock", "refused: lock", "b", "table", 3])
    }

    @Test func `an error of the host keeps its identity and its place through any number of catches`() throws {
        let error = try #require(throws: LuaError.self) {
            try lua().run(
                text: """
                    local function again(f) local ok, e = pcall(f) error(e, 0) end

                    local function f() fail('epoch') end
                    again(function() again(coroutine.wrap(function() again(f) end)) end)
                    """)
        }
        #expect(error.underlying as? Refused == Refused(code: "epoch"))
        #expect(error.kind == .runtime)
        #expect("\(error)" == "test.lua:3: refused: epoch")
        #expect(error.value?.table != nil)
    }

    private final class Witness: Sendable {}
    private struct Plain: Error {
        let witness: Witness
    }

    @Test func `G7 an error without fields is an object that no function takes for another, and is released`() throws {
        weak var witness: Witness?
        do {
            let lua = Lua()
            let first = Witness()
            witness = first
            try lua.register("fail") { [plain = Plain(witness: first)] () throws -> Void in throw plain }
            try lua.register("number") { (number: Int) -> Int in number }
            try lua.register("perhaps") { (text: String?) -> Bool in text == nil }
            try lua.register("table") { (table: LuaTable) -> Int in 1 }
            let values = try lua.run(
                text: """
                    local _, e = pcall(fail)
                    local out = { type(e), tostring(e) == e.message, e.code == nil }
                    for _, f in ipairs { number, perhaps, table } do out[#out + 1] = select(2, pcall(f, e)) end
                    for i = 1, 200 do pcall(fail) end
                    return table and out[1], out[2], out[3], out[4], out[5], out[6]
                    """)
            #expect(values.prefix(3) == ["userdata", true, true])
            for value in values.dropFirst(3) { #expect(value.string?.contains("got error") == true, "\(value)") }
            let error = try #require(throws: LuaError.self) { try lua.run(text: "fail()") }
            #expect((error.underlying as? Plain)?.witness === first)
        }
        #expect(witness == nil)
    }

    @Test func `an error passes through a host function in between unchanged`() throws {
        let lua = try lua()
        try lua.register("through") { (body: LuaFunction) throws -> Void in try body.call() }
        let error = try #require(throws: LuaError.self) { try lua.run(text: "through(function() through(function() fail 'x' end) end)") }
        #expect(error.underlying as? Refused == Refused(code: "x"))
        let values = try lua.run(text: "local t = {} local ok, e = pcall(through, function() error(t) end) return ok, rawequal(e, t)")
        #expect(values == [false, true])
    }

    @Test func `G8 an error table of a script says its message and its first line`() throws {
        let lua = try lua()
        let prelude = try lua.load(
            "function guard(f) local ok, e = pcall(f) if not ok then error(e, 0) end end", name: "flow", trusted: true)
        try prelude.call()
        let error = try #require(throws: LuaError.self) {
            try lua.run(text: "\nguard(function()\n error { code = 'mine', message = 'broken' } end)")
        }
        #expect("\(error)" == "test.lua:3: broken")
        #expect(try error.value?.table?.get("code") == "mine")
        let shown = try #require(throws: LuaError.self) {
            try lua.run(text: "error(setmetatable({}, { __tostring = function() return 'shown' end }))")
        }
        #expect(shown.message == "shown")
        let bare = try #require(throws: LuaError.self) { try lua.run(text: "error()") }
        #expect(bare.message == "nil")
    }

    static let messages: [(String, String)] = [
        ("\nlocal x = nil + 1", "test.lua:2: attempt to perform arithmetic on a nil value"),
        ("error 'plain'", "test.lua:1: plain"), ("error('no place', 0)", "test.lua:1: no place"),
        ("\n\nx.y.z = 1", "test.lua:3: attempt to index a nil value (global 'x')"),
        ("local t = {} t()", "test.lua:1: attempt to call a table value (local 't')"),
        ("\nx = = 1", "test.lua:2: unexpected symbol near '='"), ("for", "test.lua:1: <name> expected near <eof>"),
        ("local s = 'a' < 1", "test.lua:1: attempt to compare string with number"),
        ("\nreturn ('x'):bad()", "test.lua:2: attempt to call a nil value (method 'bad')"),
        ("assert(false, 'why')", "test.lua:1: why"), ("local t <close> = 1", "test.lua:1: variable 't' got a non-closable value"),
        ("flow('x')", "test.lua:1: bad argument #1 to 'f' (integer expected, got string)"),
    ]

    @Test(arguments: messages) func `G8 an error names file and line`(text: String, expected: String) throws {
        let lua = try lua()
        try lua.register("f") { (number: Int) -> Int in number }
        try lua.load("function flow(x) local r = f(x) return r end", name: "flow", trusted: true).call()
        let error = try #require(throws: LuaError.self) { try lua.drive(text: text).resume() }
        #expect("\(error)" == expected)
        let again = try #require(throws: LuaError.self) { try lua.run(text: text) }
        #expect("\(again)" == expected)
    }

    @Test func `a long file name is shown whole`() throws {
        let lua = Lua()
        let name = "runbooks/" + String(repeating: "very-long-folder/", count: 6) + "shop.lua"
        let error = try #require(throws: LuaError.self) { try lua.load("\nerror('x')", name: name).call() }
        #expect("\(error)" == "\(name):2: x")
    }

    @Test func `the kinds of errors are told apart`() throws {
        let lua = try lua()
        #expect(throws: LuaError.self) { try lua.run(text: "x = ") }
        let syntax = try #require(throws: LuaError.self) { try lua.load("x =", name: "a.lua") }
        #expect(syntax.kind == .syntax)
        let endless = try #require(throws: LuaError.self) { try lua.drive(text: "local function f() return 1 + f() end f()").resume() }
        #expect(endless.kind == .memory)
        #expect(endless.message.hasSuffix("by endless recursion"))
        #expect(endless.location?.line == 1)
    }

    @Test func `the traceback lists the frames, and only the long form shows it`() throws {
        let error = try #require(throws: LuaError.self) {
            try lua().run(text: "local function inner() error('x') end\nlocal function outer() inner() end\nouter()")
        }
        #expect(error.traceback.contains("test.lua:1: in upvalue 'inner'"))
        #expect(error.traceback.contains("test.lua:3: in main chunk"))
        #expect(!"\(error)".contains("main chunk"))
        #expect(error.debugDescription.contains("main chunk"))
    }

    @Test func `a message that is not UTF-8 is shown with replacements`() throws {
        let error = try #require(throws: LuaError.self) { try lua().run(text: "error('\\xff', 0)") }
        #expect(error.message == "\u{fffd}")
    }
}
