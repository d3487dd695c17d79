import LuaBridge
import Testing

private struct Instant: LuaObject, Equatable {
    static var luaTypeName: String { "instant" }
    var seconds: Int

    static func describe(_ type: LuaType<Instant>) {
        type.property("seconds") { $0.seconds }
        type.method("plus") { (instant: Instant, seconds: Int) -> Instant in Instant(seconds: instant.seconds + seconds) }
        type.method("all") { (instant: Instant, call: LuaCall) in [.integer(instant.seconds)] + call.arguments }
        type.equal { $0 == $1 }
        type.order { $0.seconds < $1.seconds }
        type.text { "at \($0.seconds)" }
        type.metamethod(.add) { call in
            guard let instant = call[0].object(Instant.self), let text = call[1].string, text.hasSuffix("m"),
                let minutes = Int(text.dropLast())
            else { throw Unexpected(what: "an instant and a duration") }
            return [try call.lua.value(of: Instant(seconds: instant.seconds + 60 * minutes))]
        }
        type.metamethod(.call) { call in [.integer(call.arguments.count - 1)] }
    }
}

private struct Secret: LuaObject {
    static var luaTypeName: String { "secret" }
    let name: String
    static func describe(_ type: LuaType<Secret>) {
        type.text { "secret \($0.name)" }
    }
}

private final class Box: LuaObject {
    static var luaTypeName: String { "box" }
    var fields: [String: Int] = [:]
    static func describe(_ type: LuaType<Box>) {
        type.metamethod(.index) { call in [call[0].object(Box.self)?.fields[call[1].string ?? ""].map { .integer($0) } ?? .nil] }
        type.metamethod(.newIndex) { call in
            call[0].object(Box.self)?.fields[call[1].string ?? ""] = call[2].integer
            return []
        }
    }
}

@Suite struct ObjectTests {
    private func lua() throws -> Lua {
        let lua = Lua()
        try lua.register("instant") { (seconds: Int) -> Instant in Instant(seconds: seconds) }
        try lua.register("secret") { (name: String) -> Secret in Secret(name: name) }
        try lua.register("read") { (instant: Instant) -> Int in instant.seconds }
        try lua.register("box") { () -> Box in Box() }
        return lua
    }

    @Test func `objects have methods, properties and operators`() throws {
        let values = try lua().run(
            text: """
                local a, b = instant(5), instant(65)
                return a.seconds, a:plus(2).seconds, a + '1m' == b, a < b, a >= b, tostring(a), a(1, 2), read(b), a == 5, select('#', a:all(1, 2)),
                    string.format('%s', a)
                """)
        #expect(values == [5, 7, true, true, false, "at 5", 2, 65, false, 3, "at 5"])
    }

    static let refusals: [(String, String)] = [
        ("return instant(1) < 'x'", "cannot compare instant with string"), ("return 5 <= instant(1)", "cannot compare number with instant"),
        ("return instant(1) < secret('x')", "cannot compare instant with secret"),
        ("read(secret 'x')", "bad argument #1 to 'read' (instant expected, got secret)"),
        ("return instant(1).second", "instant has no field 'second' (did you mean \"seconds\"?)"),
        ("instant(1).x = 1", "attempt to index a instant value"),
        ("return 'x' .. secret('TOKEN')", "attempt to concatenate a secret value"),
        ("return instant(1).plus(2)", "'instant:plus' needs instant, got number: is it called with ':'?"),
        ("return #secret('x')", "attempt to get length of a secret value"),
        ("for k in pairs(secret 'x') do end", "bad argument #1 to 'for iterator'"), ("return instant(1) + 'x'", "Unexpected"),
    ]

    @Test(arguments: refusals) func `G8 what an object cannot do is said clearly`(text: String, expected: String) throws {
        let error = try #require(throws: LuaError.self) { try lua().run(text: text) }
        #expect(error.message.hasPrefix(expected) || expected.hasPrefix("bad argument #1 to 'for"), "\(error)")
        #expect(error.location?.line == 1)
    }

    @Test func `G7 an object shows a script nothing but what it declares`() throws {
        let values = try lua().run(
            text: """
                local s = secret('TOKEN')
                return getmetatable(s), tostring(s), type(s), pcall(setmetatable, s, {}), pcall(rawget, s, 'x'), pcall(next, s)
                """)
        #expect(values.prefix(3) == [false, "secret TOKEN", "userdata"])
        #expect(values[3] == false)
        #expect(try lua().run(text: "return (pcall(function() return instant(1).__gc end))") == [false])
    }

    @Test func `fields of an object may be its own affair`() throws {
        #expect(try lua().run(text: "local b = box() b.x = 3 return b.x, b.y, b == b, b == box()") == [3, nil, true, false])
    }

    @Test func `objects come back to Swift, also inside tables and coded values`() throws {
        struct Holder: Decodable { var when: LuaValue }
        let lua = try lua()
        let value = try #require(lua.run(text: "return { when = instant(9), list = { instant(1), instant(2) } }").first)
        #expect(try value.table?.get("when", as: Instant.self) == Instant(seconds: 9))
        #expect(try value.table?.get("list", as: [Instant].self).map(\.seconds) == [1, 2])
        #expect(try LuaDecoder().decode(Holder.self, from: value, in: lua).when.object(Instant.self)?.seconds == 9)
        #expect(throws: LuaError.self) { try value.table?.get("when", as: Secret.self) }
    }
}

@Suite struct AsyncTests {
    @Test func `async functions are awaited through the script's own coroutines and pcall`() async throws {
        let lua = Lua()
        try lua.registerAsync("later") { (n: Int, text: String?) async throws -> String in
            await Task.yield()
            if n < 0 { throw Unexpected(what: "negative") }
            return "\(n)\(text ?? "")"
        }
        let function = try lua.load(
            """
            local a = later(1, 'x')
            local b = coroutine.wrap(function() return later(2) end)()
            local ok, e = pcall(later, -1)
            local bad = pcall(later, 'x')
            return a, b, ok, e.message, bad, ...
            """, name: "a.lua")
        let values = try await lua.run(function, [7])
        #expect(values == ["1x", "2", false, "Unexpected(what: \"negative\")", false, 7])
    }

    @Test func `G7 cancelling the task ends the script, which cannot catch it`() async throws {
        let task = Task {
            let lua = Lua()
            try lua.registerAsync("forever") { () async throws -> Bool in
                withUnsafeCurrentTask { $0?.cancel() }
                try Task.checkCancellation()
                return true
            }
            let function = try lua.load("while true do pcall(forever) end", name: "a.lua")
            do {
                _ = try await lua.run(function)
                return LuaError.Kind.runtime
            } catch let error as LuaError {
                return error.underlying is CancellationError ? error.kind : .runtime
            }
        }
        #expect(try await task.value == .stopped)
    }
}
