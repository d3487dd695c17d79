import DRActions
import DRHost
import DRModel
import Foundation
import Testing

/// What editors are told stands in files that are made from the declarations.
@Suite(.waitsForProcesses) struct EditorFileTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test(arguments: ["runbooks/.luals/dr.test.lua", ".luarc.json", ".luacheckrc"])
    func `the committed file is what the declarations say`(file: String) throws {
        let generated =
            switch file {
            case ".luarc.json": EditorFiles.languageServer
            case ".luacheckrc": try EditorFiles.luacheck()
            default: TestReference.luaStubs()
            }
        let url = Self.root.appending(path: file)
        if ProcessInfo.processInfo.environment["RECORD"] != nil { try generated.write(to: url, atomically: true, encoding: .utf8) }
        #expect(try String(contentsOf: url, encoding: .utf8) == generated, "run `make record` and commit \(file)")
    }

    @Test func `init and explain write the same files, and editors find the stubs`() throws {
        let shop = try ShopFixture()
        #expect(try shop.read(".luarc.json") == shop.drrunbook("explain", "--format", "luarc").output)
        #expect(try shop.read(".luacheckrc") == shop.drrunbook("explain", "--format", "luacheckrc").output)
        #expect(try shop.read("runbooks/.luals/dr.lua") == shop.drrunbook("explain", "--format", "lua-stubs").output)
        #expect(try shop.read("runbooks/.luals/dr.test.lua") == shop.drrunbook("explain", "dr.test", "--format", "lua-stubs").output)
        let settings = try #require(try JSONSerialization.jsonObject(with: Data(shop.read(".luarc.json").utf8)) as? [String: Any])
        for folder in try #require(settings["workspace.library"] as? [String]) { #expect(shop.exists("\(folder)/dr.lua"), "\(folder)") }
    }

    @Test func `luacheck is told every verb, the functions of the sandbox, and nothing a runbook does not find`() throws {
        let text = try EditorFiles.luacheck()
        for name in Reference().names { #expect(text.contains(" \(name) = {"), "\(name)") }
        for name in ["assert", "require", "pairs"] { #expect(text.contains("[\"\(name)\"] = {}"), "\(name)") }
        for name in ["format", "gsub", "unpack", "wrap", "floor"] { #expect(text.contains(" \(name) = {}"), "\(name)") }
        for name in ["io", "os", "debug", "dofile", "loadfile", "dump", "collectgarbage"] {
            #expect(!text.contains("\"\(name)\"") && !text.contains(" \(name) = {}"), "\(name)")
        }
    }

    @Test func `Every function of dr.test stands in the stubs and in explain with an example, and in the book`() throws {
        let shop = try ShopFixture()
        let stubs = TestReference.luaStubs().split(separator: "\n\n")
        let book = try String(contentsOf: Self.root.appending(path: "docs/testing-runbooks.md"), encoding: .utf8)
        for name in TestReference.names {
            let block = try #require(stubs.first { $0.contains("function \(name)(") }, "\(name)")
            #expect(block.contains("---```lua\n---"), "\(name)")
            #expect(book.contains("\(name)"), "\(name)")
        }
        // The names come from what a test finds.
        try shop.write(
            "runbooks/own_test.lua",
            """
            local t = require "dr.test"
            t.case("it", function(sim)
              local names = {}
              for name in pairs(sim) do names[#names + 1] = "sim:" .. name end
              for name in pairs(t) do names[#names + 1] = "t." .. name end
              table.sort(names)
              t.fail(table.concat(names, " "))
            end)
            """)
        let answer = try shop.drrunbook("test", "runbooks/own_test.lua", "--json")
        let message = try #require(answer.lines.first?["error"]["message"].string)
        #expect(message == "t.fail: " + TestReference.names.sorted().joined(separator: " "), "\(message)")
        #expect(try shop.drrunbook("explain", "sim.fault").output.contains("sim:fault { at ="))
        let wrong = try shop.drrunbook("explain", "t.outcom")
        #expect(wrong.status == 2 && wrong.error.contains("did you mean \"t.outcome\"?"), "\(wrong.error)")
    }
}
