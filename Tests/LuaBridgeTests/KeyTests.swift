import LuaBridge
import Testing

private struct Node: Codable, Equatable {
    var name: String
    var children: [Node]
}

private enum One: Codable, Equatable {
    case only(value: Int)
}

// 70 cases: more than names are kept for.
private struct Many: Codable, Equatable {
    enum Key: Int, CaseIterable, CodingKey {
        case a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1,
            d2
        case d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3, g4,
            g5
        case g6, g7, g8, g9
        var stringValue: String { "k\(rawValue)" }
        var intValue: Int? { nil }
        init?(intValue: Int) { return nil }
    }
    var values: [Int]
    init(values: [Int]) { self.values = values }
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        values = try Key.allCases.map { try container.decode(Int.self, forKey: $0) }
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for (key, value) in zip(Key.allCases, values) { try container.encode(value, forKey: key) }
    }
}

// Keys of one byte that are numbers, or whose name holds a zero.
private enum Odd: String, CodingKey {
    case zero = "a\0b"
    case plain
}
private struct Strange: Codable, Equatable {
    enum Position: Int, CodingKey { case first = 1, second }
    var zero, plain: Int
    var list: [String]
    init(zero: Int, plain: Int, list: [String]) { (self.zero, self.plain, self.list) = (zero, plain, list) }
    init(from decoder: any Decoder) throws {
        let names = try decoder.container(keyedBy: Odd.self)
        let positions = try decoder.container(keyedBy: Position.self)
        let again = try decoder.container(keyedBy: Odd.self)
        zero = try names.decode(Int.self, forKey: .zero)
        list = [try positions.decode(String.self, forKey: .first), try positions.decode(String.self, forKey: .second)]
        plain = try again.decode(Int.self, forKey: .plain)
    }
    func encode(to encoder: any Encoder) throws {
        var names = encoder.container(keyedBy: Odd.self)
        try names.encode(zero, forKey: .zero)
        var positions = encoder.container(keyedBy: Position.self)
        try positions.encode(list[0], forKey: .first)
        try positions.encode(list[1], forKey: .second)
        try names.encode(plain, forKey: .plain)
    }
}

// Keeps the containers it was given.
private final class Keeper: Codable {
    enum Key: CodingKey { case n }
    let n: Int
    let decoding: KeyedDecodingContainer<Key>?
    nonisolated(unsafe) static var encoding: KeyedEncodingContainer<Key>?
    // The container of the value before, and what it reads while the next is decoded.
    nonisolated(unsafe) static var before: KeyedDecodingContainer<Key>?
    nonisolated(unsafe) static var readBefore: [Int] = []
    init(n: Int) {
        self.n = n
        decoding = nil
    }
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        n = try container.decode(Int.self, forKey: .n)
        decoding = container
        if let before = Self.before, let read = try? before.decode(Int.self, forKey: .n) { Self.readBefore.append(read) }
        Self.before = container
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(n, forKey: .n)
        Self.encoding = container
    }
}

// Runs what it is told to after its first field, while its container is lent.
private struct Between: Codable, Equatable {
    enum Key: CodingKey { case first, second, third }
    var first, second: Int
    var third: [Int]
    nonisolated(unsafe) static var between: (() throws -> Void)?

    init(first: Int, second: Int, third: [Int]) { (self.first, self.second, self.third) = (first, second, third) }
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        first = try container.decode(Int.self, forKey: .first)
        try Self.runBetween()
        second = try container.decode(Int.self, forKey: .second)
        third = try container.decode([Int].self, forKey: .third)
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(first, forKey: .first)
        try Self.runBetween()
        var copy = container
        try copy.encode(0, forKey: .second)
        try container.encode(second, forKey: .second)
        try copy.encode(third, forKey: .third)
    }

    private static func runBetween() throws {
        guard let run = between else { return }
        between = nil
        try run()
    }
}

@Suite(.serialized) struct KeyTests {
    private func returning<Value: Codable & Equatable>(_ value: Value) throws -> Value {
        let lua = Lua()
        let there = try LuaEncoder().encode(value, in: lua)
        #expect(try LuaDecoder().decode(Value.self, from: there, in: lua) == value)
        return try LuaDecoder().decode(Value.self, from: LuaEncoder().encode(value, in: lua), in: lua)
    }

    @Test func `values of one type inside one another each have their own fields`() throws {
        let tree = Node(name: "a", children: [Node(name: "b", children: [Node(name: "c", children: [])]), Node(name: "d", children: [])])
        #expect(try returning(tree) == tree)
    }

    @Test func `keys of any number of cases, numbers and names with a zero find their fields`() throws {
        #expect(try returning(One.only(value: 7)) == .only(value: 7))
        let many = Many(values: Array(0..<70))
        #expect(try returning(many) == many)
        let strange = Strange(zero: 1, plain: 2, list: ["x", "y"])
        #expect(try returning(strange) == strange)
        let lua = Lua()
        try lua.globals.set("s", LuaEncoder().encode(strange, in: lua))
        #expect(try lua.run(text: "return s['a\\0b'], s.plain, s[1], s[2]") == [1, 2, "x", "y"])
    }

    @Test func `a container that outlives its value says so, and takes nothing from the next`() throws {
        var kept: Keeper?
        do {
            let lua = Lua()
            for n in 1...3 {
                let value = try #require(lua.run(text: "return { n = \(n) }").first)
                let keeper = try LuaDecoder().decode(Keeper.self, from: value, in: lua)
                #expect(keeper.n == n)
                if n == 2 { kept = keeper }
            }
            #expect(Keeper.readBefore.isEmpty)
            let container = try #require(kept?.decoding)
            let error = try #require(throws: LuaCodingError.self) { try container.decode(Int.self, forKey: .n) }
            #expect(error.message == "the container was used after its value was decoded")
            #expect(container.allKeys.isEmpty && !container.contains(.n))
            _ = try LuaEncoder().encode(Keeper(n: 4), in: lua)
            #expect(throws: LuaCodingError.self) { try Keeper.encoding?.encode(5, forKey: .n) }
            let next = try LuaEncoder().encode(Keeper(n: 6), in: lua)
            #expect(try next.table?.get("n") == 6)
        }
        // The state is gone, too.
        #expect(throws: LuaCodingError.self) { try kept?.decoding?.decode(Int.self, forKey: .n) }
        #expect(throws: LuaCodingError.self) { try Keeper.encoding?.encode(5, forKey: .n) }
        Keeper.encoding = nil
        Keeper.before = nil
    }

    @Test func `fields are read raw: a metatable is not asked`() throws {
        let lua = Lua()
        let value = try #require(lua.run(text: "return setmetatable({ name = 'a' }, { __index = function() error 'asked' end })").first)
        let error = try #require(throws: LuaCodingError.self) { try LuaDecoder().decode(Node.self, from: value, in: lua) }
        #expect(error.description == "children: missing: list expected")
    }

    // What a script does to the table, and what is read of it then: (second, third), or the error.
    @Test(arguments: [
        ("t.second = 7", "7 [3]"), ("t.second = nil", "second: missing: integer expected"),
        ("t.second = 'x'", "second: integer expected, got string"), ("t.third = { 4, 5 }", "2 [4, 5]"),
        ("t.third[2] = 9", "2 [3, 9]"), ("setmetatable(t, { __index = function() error('asked') end })", "2 [3]"),
        ("setmetatable(t, { __index = { second = 5 } }) t.second = nil", "second: missing: integer expected"),
        ("for i = 1, 1000 do t['k' .. i] = i end", "2 [3]"), ("for k in pairs(t) do t[k] = nil end t.second, t.third = 8, {}", "8 []"),
        ("t.third = t", "third: list expected, got a table with the field 'first'"),
    ]) func `a table that a script changes while it is decoded is read as it then is`(change: String, outcome: String) throws {
        let lua = Lua()
        let value = try #require(lua.run(text: "t = { first = 1, second = 2, third = { 3 } } return t").first)
        Between.between = { try lua.run(text: change) }
        let read: String
        do {
            let between = try LuaDecoder().decode(Between.self, from: value, in: lua)
            read = "\(between.second) \(between.third)"
        } catch let error as LuaCodingError {
            read = error.description
        }
        #expect(read == outcome)
        // The container is lent again, and as good as new.
        let sound = try #require(lua.run(text: "return { first = 1, second = 2, third = { 3 } }").first)
        #expect(try LuaDecoder().decode(Between.self, from: sound, in: lua) == Between(first: 1, second: 2, third: [3]))
    }

    @Test func `values of one type that a script has coded while one is, each have their own container`() throws {
        let lua = Lua()
        try lua.register("move") { (value: LuaCoded<Between>) -> LuaCoded<Between> in
            LuaCoded(Between(first: value.value.first * 10, second: value.value.second * 10, third: value.value.third + [0]))
        }
        let text = "local r = move({ first = 4, second = 5, third = { 6 } }) return r.first, r.second, #r.third"
        func nested() {
            Between.between = {
                let moved = try lua.run(text: text)
                #expect(moved == [40, 50, 2])
            }
        }
        nested()
        let there = try LuaEncoder().encode(Between(first: 1, second: 2, third: [3]), in: lua)
        nested()
        #expect(try LuaDecoder().decode(Between.self, from: there, in: lua) == Between(first: 1, second: 2, third: [3]))
        // What runs between fails: the container that is lent is taken back all the same.
        Between.between = { try lua.run(text: "move({ first = 1, second = 'x', third = {} })") }
        #expect(throws: LuaError.self) { try LuaDecoder().decode(Between.self, from: there, in: lua) }
        Between.between = { throw CancellationError() }
        #expect(throws: CancellationError.self) { try LuaEncoder().encode(Between(first: 1, second: 2, third: [3]), in: lua) }
        #expect(try returning(Between(first: 1, second: 2, third: [3])) == Between(first: 1, second: 2, third: [3]))
    }

    @Test func `a container that is used in another coroutine while it is lent reads its own table`() throws {
        let lua = Lua()
        try lua.suspending("ask") { (call: LuaCall) in 0 }
        let value = try #require(lua.run(text: "t = { first = 1, second = 2, third = { 3 } } return t").first)
        let coroutine = try lua.drive(text: "local a = { second = 8 } ask() t.second = 6 local b = ask() return b")
        _ = try coroutine.resume()
        Between.between = { _ = try coroutine.resume(returning: [.integer(5)]) }
        let read = try LuaDecoder().decode(Between.self, from: value, in: lua)
        #expect(read == Between(first: 1, second: 6, third: [3]))
        #expect(try coroutine.resume(returning: [5]).values() == [5])
    }
}
