import Foundation
import LuaBridge
import Testing

private struct Options: Codable, Equatable {
    enum Mode: String, Codable { case planned, disaster }
    struct Window: Codable, Equatable {
        var opens: Int
        var days: [String]
    }
    var name: String
    var mode: Mode
    var ratio: Double
    var tries: UInt8?
    var windows: [Window]
    var labels: [String: Bool]
    var levels: [Int: String]
    var holes: [Int?]
}

private let options = Options(
    name: "shop", mode: .planned, ratio: 0.5, tries: nil, windows: [.init(opens: 8, days: ["mon", "tue"]), .init(opens: 9, days: [])],
    labels: ["a": true, "b": false], levels: [3: "three", 7: "seven"], holes: [1, nil, 3])

private struct Hooks: Decodable {
    var ready: LuaFunction
    var raw: LuaTable
    var any: LuaValue
    var tree: LuaTree
    var text: LuaString
    var none: LuaFunction?
}

@Suite struct CodingTests {
    @Test func `a Codable value survives the way into Lua and back`() throws {
        let lua = Lua()
        let value = try LuaEncoder().encode(options, in: lua)
        try lua.globals.set("o", value)
        let seen = try lua.run(text: "return o.name, o.mode, o.windows[1].days[2], o.levels[7], o.tries, #o.holes, tostring(o.holes[2])")
        #expect(seen == ["shop", "planned", "tue", "seven", nil, 3, "null"])
        #expect(try LuaDecoder().decode(Options.self, from: value, in: lua) == options)
    }

    static let complaints: [(String, String)] = [
        ("o.name = 5", "name: string expected, got number"), ("o.name = nil", "name: missing"), ("o.mode = 'x'", "mode: Cannot initialize"),
        ("o.windows[2].opens = 1.5", "windows[2].opens: integer expected, got 1.5"),
        ("o.tries = 256", "tries: 256 is out of range: 0 to 255"),
        ("o.tries = -1", "tries: -1 is out of range"), ("o.windows[1].days = 'x'", "windows[1].days: list expected, got string"),
        ("o.windows = { x = 1 }", "windows: list expected, got a table with the field 'x'"),
        ("o.labels.a = 1", "labels.a: boolean expected"),
        ("o.windows[1].opens = 2^53 * 4096", "windows[1].opens: integer expected"), ("o.windows[1] = o", "windows[1].opens: missing"),
    ]

    @Test(arguments: complaints) func `G8 what does not fit names its path`(change: String, expected: String) throws {
        let lua = Lua()
        try lua.globals.set("o", LuaEncoder().encode(options, in: lua))
        let value = try #require(lua.run(text: "\(change) return o").first)
        let error = try #require(throws: LuaCodingError.self) { try LuaDecoder().decode(Options.self, from: value, in: lua) }
        #expect(error.description.hasPrefix(expected), "\(error)")
    }

    @Test func `references and trees are fields like others`() throws {
        let lua = Lua()
        let value = try #require(
            lua.run(
                text: "return { ready = function(n) return n + 1 end, raw = { 1 }, any = 'x', tree = { a = { 1, 2 } }, text = '\\xff' }"
            ).first)
        let hooks = try LuaDecoder().decode(Hooks.self, from: value, in: lua)
        #expect(try hooks.ready.call([1]) == [2])
        #expect(try hooks.raw.count == 1)
        #expect(hooks.any == "x")
        #expect(hooks.tree == ["a": [1, 2]])
        #expect(hooks.text.bytes == [0xff])
        #expect(hooks.none == nil)
        let bad = try #require(lua.run(text: "return { ready = function() end, raw = {}, tree = { deep = { print } }, text = '' }").first)
        let error = try #require(throws: LuaCodingError.self) { try LuaDecoder().decode(Hooks.self, from: bad, in: lua) }
        #expect(error.description == "tree.deep[1]: a value of type function cannot be stored")
    }

    @Test func `G7 tables nested without end or in themselves are errors`() throws {
        let lua = Lua()
        let deep = try #require(lua.run(text: "local t = {} for i = 1, 100000 do t = { t } end return t").first)
        let cycle = try #require(lua.run(text: "local t = { a = {} } t.a.b = t return t").first)
        let diamond = try #require(lua.run(text: "local s = { 1 } return { s, s }").first)
        #expect(try #require(throws: LuaCodingError.self) { try lua.tree(of: deep) }.message == "nested deeper than 100 tables")
        let error = try #require(throws: LuaCodingError.self) { try lua.tree(of: cycle) }
        #expect(error.description == "a.b: the table contains itself")
        #expect(try lua.tree(of: diamond) == [[1], [1]])
        struct Nested: Codable { var a: [Nested]?; var b: [[Nested]]? }
        indirect enum List: Codable { case end, more(List) }
        struct Chain: Decodable { var next: Box?; final class Box: Decodable { var next: Box? } }
        let ring = try #require(lua.run(text: "local t = {} t.next = t return t").first)
        #expect(throws: LuaCodingError.self) { try LuaDecoder().decode(Chain.self, from: ring, in: lua) }
        var tree: LuaTree = 1
        for _ in 0..<200 { tree = [tree] }
        #expect(throws: LuaError.self) { try lua.value(of: tree) }
        #expect(try lua.run(text: "return 1") == [1])
    }

    @Test func `integers that do not fit are errors, never other numbers`() throws {
        struct Large: Codable { var n: UInt64 }
        let lua = Lua()
        #expect(throws: LuaCodingError.self) { try LuaEncoder().encode(Large(n: .max), in: lua) }
        try lua.register("byte") { (n: UInt8) -> UInt8 in n }
        try lua.register("large") { () -> UInt64 in .max }
        #expect(try lua.run(text: "return byte(255), byte(2.0)") == [255, 2])
        for text in ["byte(256)", "byte(-1)", "byte(1.5)", "byte('1')", "large()"] {
            #expect(throws: LuaError.self) { try lua.run(text: text) }
        }
    }

    static let trees: [LuaTree] = [
        nil, true, 5, .integer(.min), 1.5, 2.0, .number(.infinity), .number(-0.0), "text", .string(LuaString(bytes: [0, 0xff])),
        [1, "a", nil],
        ["a": 1, "b": ["c": []]], .record([.integer(2): "x", "y": 1.0]), .record(["$number": "x"]), .record(["": 1]), 1e22, [:],
    ]

    @Test(arguments: trees) func `a tree survives JSON and Lua`(tree: LuaTree) throws {
        let data = try JSONEncoder().encode(["value": tree])
        #expect(try JSONDecoder().decode([String: LuaTree].self, from: data) == ["value": tree])
        let lua = Lua()
        #expect(try lua.tree(of: lua.value(of: tree)) == tree)
    }

    @Test func `typed functions take and give coded values`() throws {
        let lua = Lua()
        try lua.register("twice") { (options: LuaCoded<Options.Window>) -> LuaCoded<Options.Window> in
            var window = options.value
            window.opens *= 2
            return LuaCoded(window)
        }
        #expect(try lua.run(text: "return twice({ opens = 4, days = {} }).opens") == [8])
        let error = try #require(throws: LuaError.self) { try lua.run(text: "twice { opens = 'x', days = {} }") }
        #expect(error.message == "opens: integer expected, got string")
        #expect(try lua.run(text: "local _, e = pcall(twice, {}) return e.field") == ["opens"])
    }
}
