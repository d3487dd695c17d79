import DRActions
import DRModel
import Foundation
import Testing

@Suite struct ReferenceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test(arguments: ["docs/verbs.md", "runbooks/.luals/dr.lua"])
    func `the generated file is what the declarations say`(file: String) throws {
        let reference = Reference()
        let generated = file.hasSuffix(".md") ? reference.markdown() : reference.luaStubs()
        let url = Self.root.appending(path: file)
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try generated.write(to: url, atomically: true, encoding: .utf8)
        }
        let committed = try String(contentsOf: url, encoding: .utf8)
        #expect(committed == generated, "run `make record` and commit \(file)")
    }

    @Test func `every function of the prelude is in the reference`() async throws {
        let stage = Stage()
        _ = try await stage.run("local names = {} for name in pairs(dr) do names[#names + 1] = name end dr.log(table.concat(names, ' '))")
        let names = Set(stage.logs.first?.split(separator: " ").map(String.init) ?? [])
        // Two are values that depend on where they are read.
        #expect(names.union(["params", "running_as"]) == Set(Reference().names))
    }

    @Test func `a field is explained alone`() {
        #expect(
            Reference().text(for: "failover.mode")
                == "failover.mode: one of \"planned\", \"disaster\". planned stops and syncs the source first; disaster touches nothing of it.\n"
        )
        #expect(Reference().text(for: "failover.mod") == nil)
        #expect(Reference().text(for: "nonsense") == nil)
    }

    @Test func `every verb has an example, and every example is Lua that loads`() async throws {
        for verb in ActionRegistry.standard.verbs {
            let example = try #require(verb.spec.example, "\(verb.spec.name)")
            _ = try await Stage().runner().inspect(Stage.sources(example))
        }
    }

    @Test func `every function of dr is explained with an example that loads`() async throws {
        for name in Reference().names {
            let text = try #require(Reference().text(for: name))
            let example = try #require(text.components(separatedBy: "\nExample\n  ").dropFirst().first, "\(name)")
            let isWhole = example.hasPrefix("return dr.runbook")
            _ = try await Stage().runner().inspect(
                isWhole ? RunbookSources(main: RunbookSources.Module(file: "example.lua", text: example)) : Stage.sources(example))
        }
    }

    @Test func `an editor shows an example with each function of dr`() {
        let blocks = Reference().luaStubs().split(separator: "\n\n")
        for name in Reference().names {
            let block = blocks.first { $0.contains("function dr.\(name)(") || $0.contains("\ndr.\(name) = ") }
            #expect(block?.contains("---```lua") == true, "\(name)")
        }
    }
}
