import DRHost
import DRModel
import Foundation
import Testing

/// The runbooks people start from: each has a test, and each is explored.
struct ShippedRunbookTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    struct Shipped: CustomTestStringConvertible {
        let file: String
        var world = "examples/fixtures/bank.yaml"
        var parameters: Value = [:]

        var testDescription: String { file }
    }

    static let all = [
        Shipped(file: "protect.lua", world: "fixtures/shop.yaml"),
        Shipped(file: "disaster.lua", world: "fixtures/shop.yaml", parameters: ["evidence": "no power"]),
        Shipped(file: "home.lua", world: "fixtures/shop.yaml"),
        Shipped(file: "examples/protect.lua"),
        Shipped(file: "examples/drill.lua"),
        Shipped(file: "examples/waves.lua", parameters: ["reason": "explored"]),
        Shipped(file: "examples/disaster.lua", parameters: ["evidence": "no power"]),
        Shipped(file: "examples/failback.lua"),
        Shipped(file: "examples/weekly_drill.lua"),
        Shipped(file: "examples/dns.lua"),
        Shipped(file: "examples/database.lua", world: "examples/fixtures/database.yaml"),
        Shipped(file: "examples/readiness.lua"),
        Shipped(file: "examples/takeover.lua", parameters: ["evidence": "no power"]),
    ]

    /// All schedules, instead of the first few of each.
    private static let isThorough = ProcessInfo.processInfo.environment["EXPLORE"] != nil

    private static func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/runbooks/\(folder)").filter { $0.hasSuffix(".lua") }
            .map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
    }

    @Test func `Every shipped runbook is explored, and has a test`() throws {
        let files = try Self.files("") + Self.files("examples")
        let runbooks = files.filter { !$0.hasSuffix("_test.lua") }
        #expect(Set(runbooks) == Set(Self.all.map(\.file)))
        for runbook in runbooks { #expect(files.contains(runbook.replacing(".lua", with: "_test.lua"))) }
    }

    @Test(arguments: all)
    func `Nothing is found in a shipped runbook, whatever goes wrong`(shipped: Shipped) async throws {
        var explorer = try RunbookExplorer(fixture: "\(Self.root)/runbooks/\(shipped.world)", configuration: nil)
        if !Self.isThorough { explorer.limit = 12 }
        let found = try await explorer.explore("\(Self.root)/runbooks/\(shipped.file)", parameters: shipped.parameters)
        #expect(found.findings.isEmpty, "\(found.findings.map { "\($0.invariant) \($0.schedule): \($0.message)" })")
        #expect(found.schedules == min(found.known, explorer.limit) && found.known > 12)
    }
}
