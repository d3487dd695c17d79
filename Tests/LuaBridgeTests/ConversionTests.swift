import Foundation
import LuaBridge
import Testing

private enum Mode: String, CaseIterable, LuaReadable, LuaWritable { case planned, disaster }
private enum Level: Int, LuaReadable, LuaWritable { case low = 1, high = 2 }

@Suite struct ConversionTests {
    @Test func `enums are their raw values, and a wrong one says which there are`() throws {
        let lua = Lua()
        try lua.register("flip") { (mode: Mode) -> Mode in mode == .planned ? .disaster : .planned }
        try lua.register("level") { (level: Level) -> Int in level.rawValue * 10 }
        #expect(try lua.run(text: "return flip('planned'), level(2)") == ["disaster", 20])
        let error = try #require(throws: LuaError.self) { try lua.run(text: "flip('plannd')") }
        #expect(error.message == "bad argument #1 to 'flip': 'plannd' is no Mode: expected 'planned', 'disaster'")
        #expect(throws: LuaError.self) { try lua.run(text: "level(3)") }
        #expect(throws: LuaError.self) { try lua.run(text: "flip(1)") }
    }

    @Test func `a function takes any number of arguments more`() throws {
        let lua = Lua()
        try lua.register("join") { (separator: String, rest: LuaRest<Int>) -> String in
            rest.values.map(String.init).joined(separator: separator)
        }
        #expect(try lua.run(text: "return join('-'), join('-', 1), join('-', 1, 2, 3)") == ["", "1", "1-2-3"])
        let error = try #require(throws: LuaError.self) { try lua.run(text: "join('-', 1, 'x')") }
        #expect(error.message == "bad argument #2 to 'join': argument #3: integer expected, got string")
    }

    @Test func `a function gives several results, also none`() throws {
        let lua = Lua()
        try lua.register("divide") { (a: Int, b: Int) -> LuaResults in LuaResults(a / b, a % b, "done") }
        try lua.register("nothing") { () -> LuaResults in LuaResults() }
        #expect(try lua.run(text: "return select('#', nothing()), divide(7, 2)") == [0, 3, 1, "done"])
    }

    // Text of plain ASCII is not validated: a byte that is none must be found wherever it stands, in blocks, words and what is left of them.
    @Test func `text of any length is what it was, and a byte that is not UTF-8 is found at any place in it`() throws {
        let lua = Lua()
        try lua.register("same") { (text: String) -> String in text }
        let same = try #require(lua.globals["same"].function)
        for length in [0, 1, 7, 8, 9, 15, 16, 17, 31, 40, 127, 128, 129, 200, 255, 256, 257, 300, 520] {
            let plain = [UInt8](repeating: 0x61, count: length)
            #expect(try same.call([.string(LuaString(bytes: plain))]) == [.string(LuaString(bytes: plain))])
            for place in 0..<length {
                var wrong = plain
                wrong[place] = 0xff
                #expect(throws: LuaError.self, "\(length), \(place)") { try same.call([.string(LuaString(bytes: wrong))]) }
                let text = LuaString(
                    String(decoding: plain[..<place], as: UTF8.self) + "ü" + String(decoding: plain[(place + 1)...], as: UTF8.self))
                #expect(try same.call([.string(text)]) == [.string(text)])
            }
        }
    }

    @Test func `bytes and dates of Foundation cross unchanged`() throws {
        let lua = Lua()
        let bytes = Data([0, 0xff, 10])
        try lua.register("same") { (data: Data) -> Data in data }
        try lua.register("later") { (date: Date) -> Date in date + 60 }
        #expect(
            try lua.run(text: "return same('\\0\\xff\\n'), later(1000.5)") == [.string(LuaString(bytes: Array(bytes))), .number(1060.5)])
        #expect(throws: LuaError.self) { try lua.run(text: "later(0 / 0)") }
        #expect(throws: LuaError.self) { try lua.run(text: "later('x')") }
    }
}
