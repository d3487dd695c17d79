import Testing

@testable import DRLint

/// Our reading of Lua's grammar.
@Suite struct ParserTests {
    @Test(arguments: [
        "", "#!/usr/bin/lua\nreturn 1", "local a <const>, b <close> = 1, nil", "goto done ::done::", "a.b.c:d(1)(2)[3].e = 4, 5",
        "function a.b:c(x, ...) return x, ... end", "for i = 1, 2, 3 do break end for k, v in pairs {} do end",
        "repeat local x = 1 until x == 1 while true do if a then elseif b then else end end",
        "f 'text' f \"text\" f [[text]] f { 1; 2, [3] = 4 }",
        "local x = not -#~1 ^ -2 // 3 << 4 .. '5' and 6 or 7", "return", "return;", "return 0x1p-4, 3e+5, .5, 0xA.8, 1 .. 2",
        "local s = '\\z  \\x41\\u{1F600}\\065\\\n'", "--[==[ a\nb ]] ]==] local x", "do end; ; ;",
    ])
    func `reads what Lua reads`(_ text: String) throws {
        _ = try LuaParser.parse(text)
    }

    @Test(arguments: [
        ("x =", 1), ("local 1", 1), ("f(\n", 2), ("\n\nend", 3), ("return 1 2", 1), ("'a\nb'", 1), ("[[ a", 1), ("x", 1), ("a + b", 1),
        ("if x then", 1),
        ("$", 1), ("f() = 1 + ", 1), ("for a.b in c do end", 1),
    ])
    func `says on which line it stops being Lua`(_ text: String, _ line: Int) {
        let error = #expect(throws: LuaSyntaxError.self) { try LuaParser.parse(text) }
        #expect(error?.line == line)
    }

    @Test func `nesting that Lua refuses is refused, not followed`() {
        for text in ["(", "{", "-", "not ", "f(", "function() return "].map({ "x = " + String(repeating: $0, count: 5_000) }) {
            #expect(throws: LuaSyntaxError.self) { try LuaParser.parse(text) }
        }
        #expect(throws: LuaSyntaxError.self) { try LuaParser.parse(String(repeating: "do ", count: 5_000)) }
    }

    @Test func `binds operators as Lua does`() throws {
        func shape(_ text: String) throws -> String {
            guard case .return(let values)? = try LuaParser.parse("return \(text)").body.first?.kind else { return "" }
            return values.map(Self.shown).joined(separator: ", ")
        }
        #expect(try shape("a + b * c ^ d ^ e") == "(a + (b * (c ^ (d ^ e))))")
        #expect(try shape("a .. b .. c") == "(a .. (b .. c))")
        #expect(try shape("a - b - c") == "((a - b) - c)")
        #expect(try shape("not a == b") == "((not a) == b)")
        #expect(try shape("-a ^ b") == "(- (a ^ b))")
        #expect(try shape("a or b and c < d") == "(a or (b and (c < d)))")
        #expect(try shape("a | b ~ c & d << e") == "(a | (b ~ (c & (d << e))))")
    }

    private static func shown(_ expression: LuaExpression) -> String {
        switch expression.kind {
        case .global(let name): name
        case .binary(let symbol, let left, let right): "(\(shown(left)) \(symbol) \(shown(right)))"
        case .unary(let symbol, let value): "(\(symbol) \(shown(value)))"
        default: "?"
        }
    }

    @Test func `a name is the local that is seen from there`() throws {
        let chunk = try LuaParser.parse(
            """
            local x = x
            do local x = x; x = 2 end
            local function f(x) return x end
            for x = x, f(x) do local _ = x end
            repeat local y = 1 until y
            """)
        #expect(
            chunk.locals.map { "\($0.name)\($0.line) \($0.reads) \($0.assignments)" } == [
                "x1 3 []", "x2 0 [2]", "f3 1 []", "x3 1 []", "x4 1 []", "_4 0 []", "y5 1 []",
            ])
    }

    @Test func `strings are what Lua makes of them`() throws {
        let chunk = try LuaParser.parse(#"return "a\65\x42\u{43}\z    d\n", [==[x]]y]==], '\255'"#)
        guard case .return(let values)? = chunk.body.first?.kind else { throw LuaSyntaxError(line: 1, message: "no return") }
        #expect(values.map(\.string) == ["aABCd\n", "x]]y", nil])
    }
}
