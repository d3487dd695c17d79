import Foundation
import LuaBridge
import Testing

/// Values of a script that would cost the host more than the script.
@Suite struct LargeValueTests {
    private static let twins = "local t = {} for i = 1, 60 do t = { t, t } end return t"
    // The border of this table is the largest integer there is. Written whole, or a part of it becomes an array.
    private static let farBorder =
        "return { " + (0...62).map { "[1 << \($0)] = 0" }.joined(separator: ", ") + ", [math.maxinteger] = 0 }"

    private struct Pairs: Decodable {
        let inner: [Pairs]
        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            var inner: [Pairs] = []
            while !list.isAtEnd { inner.append(try list.decode(Pairs.self)) }
            self.inner = inner
        }
    }

    @Test func `G7 one table in many places is copied only as often as the memory limit has room`() throws {
        let lua = Lua(limits: LuaLimits(memory: 4 << 20))
        let value = try #require(lua.run(text: Self.twins).first)
        for copy in [{ _ = try lua.tree(of: value) }, { _ = try LuaDecoder().decode(Pairs.self, from: value, in: lua) }] {
            let error = try #require(throws: LuaCodingError.self) { try copy() }
            #expect(error.message == "larger than the memory limit when every table in it is copied")
        }
        #expect(try lua.tree(of: lua.run(text: "local s = { 1 } return { s, s, s }")[0]) == [[1], [1], [1]])
    }

    @Test func `G7 a list is no longer than a table can be`() throws {
        let lua = Lua()
        let value = try #require(lua.run(text: Self.farBorder).first)
        let table = try #require(value.table)
        #expect(throws: LuaError.self) { try table.elements() }
        #expect(throws: LuaError.self) { try table.append(1) }
        #expect(throws: (any Error).self) { try lua.read(value, as: [Int?].self) }
        let error = try #require(throws: LuaCodingError.self) { try LuaDecoder().decode([Int?].self, from: value, in: lua) }
        #expect(error.message == "list expected, got a table with holes")
        try lua.register("list") { (list: [LuaValue]) -> Int in list.count }
        #expect(throws: LuaError.self) { try lua.run(text: "return list((function() \(Self.farBorder) end)())") }
        #expect(try lua.run(text: "return list { 1, 2, 3 }") == [3])
    }

    @Test func `G7 long names and texts of a script are not worked on`() throws {
        let lua = Lua(limits: LuaLimits(memory: 64 << 20))
        try lua.register("thing") { () -> LuaNull in LuaNull() }
        let values = try lua.run(
            text: """
                local long = ('a.'):rep(5e6)
                local _, unknown = pcall(require, long)
                local _, missing = pcall(function() return thing()[long] end)
                return unknown, missing
                """)
        for value in values { #expect(try #require(value.string).utf8.count < 500) }
        do {
            try lua.run(text: "error(('x'):rep(2e7))")
        } catch let error as LuaError {
            let (line, length) = (error.location?.line, error.message.utf8.count)
            #expect(line == 1)
            #expect(length == 20_000_000)
        }
    }

    private struct Probing: Decodable {
        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        var tables = 0
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            for key in container.allKeys {
                if (try? container.nestedContainer(keyedBy: Key.self, forKey: key)) != nil { tables += 1 }
                if (try? container.nestedUnkeyedContainer(forKey: key)) != nil { tables += 1 }
            }
        }
    }

    @Test func `G7 asking for containers that are none leaves nothing on the stack`() throws {
        let lua = Lua()
        try lua.register("probe") { (probing: LuaCoded<Probing>) -> Int in probing.value.tables }
        #expect(try lua.run(text: "local t = { a = {} } for i = 1, 5000 do t['k' .. i] = 'text' end return probe(t)") == [2])
    }
}
