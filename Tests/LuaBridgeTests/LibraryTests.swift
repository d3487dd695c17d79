import LuaBridge
import Testing

/// The functions we wrote anew answer as Lua's own do.
@Suite struct LibraryTests {
    static let expressions: [(String, String)] = [
        ("('hello world'):find('o w')", "5 7"), ("('hello'):find('l+')", "3 4"), ("('hello'):find('xyz')", "nil"),
        ("('a.b'):find('.', 1, true)", "2 2"), ("('hello'):find('', 10)", "nil"), ("('hello'):find('', 6)", "6 5"),
        ("('hello'):find('l', -2)", "4 4"), ("('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key value"),
        ("('2024-05-06'):match('(%d+)-(%d+)-(%d+)')", "2024 05 06"), ("('  trim  '):match('^%s*(.-)%s*$')", "trim"),
        ("('f(a(b)c)d'):match('%b()')", "(a(b)c)"), ("('THE (quick) fox'):find('%((%a+)%)')", "5 11 quick"),
        ("('hello'):match('()ll()')", "3 5"), ("('abcabc'):match('(abc)%1')", "abc"), ("('[x]'):match('[]]')", "]"),
        ("('a-b'):match('[a%-]+')", "a-"), ("('x^y'):match('[%^x]+')", "x^"), ("('abc'):match('[^a-b]')", "c"),
        ("('THE (quick) fox'):gsub('%f[%a]%a+', string.lower)", "the (quick) fox 3"), ("('abc'):gsub('', '-')", "-a-b-c- 4"),
        ("('hello world'):gsub('o', '0', 1)", "hell0 world 1"), ("('abc'):gsub('%w', '%0%0')", "aabbcc 3"),
        ("('hello'):gsub('l', { l = 'L' })", "heLLo 2"), ("('hello'):gsub('(h)(e)', '%2%1')", "ehllo 1"),
        ("('abc'):gsub('b', false)", "ERROR"), ("('abc'):gsub('b', '%2')", "ERROR"), ("('abc'):gsub('b', '%')", "ERROR"),
        ("('abc'):gsub('b', '%%')", "a%c 1"), ("('abc'):gsub('^a', 'x')", "xbc 1"), ("('aaa'):gsub('^a', 'x')", "xaa 1"),
        ("('abc'):gsub('b', function() end)", "abc 1"), ("('abc'):gsub('b', function() return 5 end)", "a5c 1"),
        ("('abc'):find('[')", "ERROR"), ("('abc'):find('%')", "ERROR"), ("('abc'):find('(')", "ERROR"), ("('abc'):find('a)')", "nil"),
        ("('abc'):match('a)')", "ERROR"),
        ("('abc'):find('%1')", "ERROR"), ("('abc'):find('%f')", "ERROR"), ("('abc'):find('%b')", "ERROR"), ("('a$'):find('a$$')", "1 2"),
        ("('a\\0b'):find('\\0')", "2 2"), ("('ab12'):match('%a*%d?')", "ab1"), ("('aXb'):match('%u')", "X"), ("('x'):rep(3, ',')", "x,x,x"),
        ("('x'):rep(0)", ""), ("('ab'):rep(3)", "ababab"), ("('ab'):rep(-1)", ""), ("(''):rep(10, '.')", "........."),
        ("string.format('%5.1f|%-5s|%05d|%x|%q', 3.14159, 'ab', 42, 255, 'a\\nb')", "  3.1|ab   |00042|ff|\"a\\\nb\""),
        ("string.format('%s %s %%', nil, true)", "nil true %"), ("string.format('%d', 'x')", "ERROR"), ("string.format('%y', 1)", "ERROR"),
        ("string.format('%s')", "ERROR"), ("string.format('%10.3s|', 'abcdef')", "       abc|"), ("string.format('%i', 3.0)", "3"),
        ("table.concat({ 1, 2, 'x' }, ', ')", "1, 2, x"), ("table.concat({ 1, 2, 3 }, '-', 2, 3)", "2-3"), ("table.concat({}, 'x')", ""),
        ("table.concat({ 1, {} })", "ERROR"), ("table.remove({ 1, 2, 3 })", "3"), ("table.remove({ 1, 2, 3 }, 1)", "1"),
        ("table.remove({})", "nil"), ("table.remove({ 1 }, 5)", "ERROR"), ("table.remove({ 1, 2 }, 3)", "nil"),
        ("(function() local t = { 1, 3 } table.insert(t, 2, 2) table.insert(t, 4) return table.concat(t, ' ') end)()", "1 2 3 4"),
        ("table.insert({}, 3, 1)", "ERROR"), ("table.insert({})", "ERROR"), ("table.insert(nil, 1)", "ERROR"),
        ("table.concat(table.move({ 1, 2, 3, 4 }, 2, 4, 1), ' ')", "2 3 4 4"),
        ("table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ' ')", "1 1 2 3"),
        ("table.concat(table.move({ 1, 2 }, 1, 2, 3, { 9, 9 }), ' ')", "9 9 1 2"), ("select('#', table.unpack({ 1, nil, 3 }, 1, 3))", "3"),
        ("pcall(error)", "false nil"), ("pcall(error, 'x', 0)", "false x"), ("select('#', pcall(function() return 1, nil end))", "3"),
        ("xpcall(error, function(m) return 'got ' .. m end, 'x')", "false got x"),
        ("xpcall(function(...) return ... end, print, 1, 2)", "true 1 2"),
        ("pcall(assert, false, 'no')", "false no"), ("pcall(assert, nil)", "false assertion failed!"), ("assert(1, 2)", "1 2"),
        ("coroutine.isyieldable()", "false"), ("select(2, coroutine.running())", "true"),
        ("coroutine.close(coroutine.create(print))", "true"),
        ("coroutine.resume(coroutine.create(error), 'x')", "false x"), ("pcall(coroutine.wrap(error), 'x')", "false x"),
        ("coroutine.wrap(function(...) return coroutine.yield(...) end)(1, 2)", "1 2"),
        ("tostring(12) .. tostring(1.5) .. tostring(nil)", "121.5nil"),
        ("#'\\u{48}\\u{20AC}'", "4"), ("utf8.len('h€')", "2"), ("math.type(1)", "integer"), ("'10' + 5", "15"),
        ("rawequal('a', 'a')", "true"),
    ]

    @Test(arguments: expressions) func `an expression gives what Lua gives`(expression: String, expected: String) throws {
        let lua = Lua()
        let text = """
            local r = table.pack(pcall(function() return \(expression) end))
            if not r[1] then return 'ERROR' end
            for i = 2, r.n do r[i] = tostring(r[i]) end
            return table.concat(r, ' ', 2, r.n)
            """
        #expect(try lua.run(text: text).first?.string == expected)
    }

    @Test func `gmatch walks all matches`() throws {
        let values = try Lua().run(
            text: """
                local out = {}
                for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do out[#out + 1] = k .. v end
                for w in ('one two'):gmatch('%a*') do out[#out + 1] = '<' .. w .. '>' end
                for p in ('abc'):gmatch('()', 2) do out[#out + 1] = p end
                return table.concat(out, ' ')
                """)
        #expect(values == ["a1 b2 <one> <two> 2 3 4"])
    }

    @Test func `modules are found by the host, run once, and may not lead outside`() throws {
        var asked: [String] = []
        let lua = Lua(modules: { name in
            asked.append(name)
            switch name {
            case "lib/shop": return LuaModule(source: "local n = ... return { name = n }", chunkName: "runbooks/lib/shop.lua")
            case "a": return LuaModule(source: "return require 'b'", chunkName: "a.lua")
            case "b": return LuaModule(source: "return require 'a'", chunkName: "b.lua")
            case "broken": return LuaModule(source: "\nreturn +", chunkName: "broken.lua")
            default: return nil
            }
        })
        try lua.register(module: "dr", "the verbs")
        #expect(
            try lua.run(text: "return require('lib.shop').name, require('lib.shop') == require('lib/shop'), require 'dr'")
                == ["lib/shop", true, "the verbs"])
        #expect(asked == ["lib/shop"])
        for name in ["../x", "a/../b", "/etc/passwd", "", ".", "a//b", "a\\0b", "ä"] {
            #expect(throws: LuaError.self) { try lua.run(text: "require '\(name)'") }
        }
        let loop = try #require(throws: LuaError.self) { try lua.run(text: "require 'a'") }
        #expect(loop.message == "modules require each other: a -> b -> a")
        #expect(loop.location == LuaLocation(source: "b.lua", line: 1))
        let missing = try #require(throws: LuaError.self) { try lua.run(text: "\nrequire 'none'") }
        #expect("\(missing)" == "test.lua:2: module 'none' not found")
        let broken = try #require(throws: LuaError.self) { try lua.run(text: "require 'broken'") }
        #expect(broken.location == LuaLocation(source: "broken.lua", line: 2))
    }
}
