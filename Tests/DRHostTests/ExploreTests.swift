import DRHost
import DRModel
import Foundation
import Testing

/// `explore`: planted mistakes are found, their sound twins are not accused, and a seed gives a finding again.
@Suite(.waitsForProcesses) struct ExploreTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Planted").path

    private static func planted(_ ending: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(ending) }.sorted()
    }

    static let mistakes = planted("_wrong.lua")
    static let twins = planted("_sound.lua")

    /// All schedules, instead of those that fit among fast tests.
    private static let isThorough = ProcessInfo.processInfo.environment["EXPLORE"] != nil

    private func explorer() throws -> RunbookExplorer {
        var explorer = try RunbookExplorer(fixture: "\(Self.folder)/shop.yaml", configuration: nil)
        if !Self.isThorough { explorer.limit = 130 }
        return explorer
    }

    @Test func `Every mistake has a sound twin`() {
        #expect(Self.mistakes.count >= 11)
        #expect(Self.mistakes.map { $0.replacing("_wrong", with: "_sound") } == Self.twins)
    }

    @Test(arguments: mistakes)
    func `A planted mistake is found, with the shortest schedule, and its seed gives the same trace`(file: String) async throws {
        let path = "\(Self.folder)/\(file)"
        let first = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first.map(String.init) ?? ""
        let expected = try #require(Invariant(rawValue: String(first.dropFirst("-- expected: ".count))))
        var once = try explorer()
        once.enough = 1
        let found = try await once.explore(path)
        let finding = try #require(found.findings.first { $0.invariant == expected }, "\(found.findings.map(\.message))")
        #expect(finding.schedule.count <= 1)
        #expect(!finding.timeline.isEmpty)
        var again = try explorer()
        again.seed = finding.seed
        let replayed = try await again.explore(path).findings.first { $0.invariant == expected && $0.message == finding.message }
        #expect(replayed?.trace == finding.trace)
        #expect(replayed?.timeline == finding.timeline)
    }

    @Test(arguments: twins)
    func `A sound runbook is not accused of anything, whatever goes wrong`(file: String) async throws {
        var explorer = try explorer()
        if !Self.isThorough { explorer.limit = 40 }
        let found = try await explorer.explore("\(Self.folder)/\(file)")
        #expect(found.findings.isEmpty, "\(found.findings.map { "\($0.schedule): \($0.message)" })")
        #expect(found.schedules > 10)
    }

    @Test func `G12 two faults at a time find nothing in a planned move`() async throws {
        var explorer = try explorer()
        explorer.faults = 2
        explorer.limit = Self.isThorough ? 4000 : 220
        let found = try await explorer.explore("\(Self.folder)/ensures_sound.lua")
        #expect(found.findings.isEmpty, "\(found.findings.map { "\($0.schedule): \($0.message)" })")
        #expect(found.schedules == explorer.limit && found.known > 5000)
    }

    @Test func `What init writes is explored with its sites' contents, and nothing on disk changes`() async throws {
        let shop = try ShopFixture()
        let before = try shop.fingerprint()
        let sound = try shop.drrunbook("explore", "runbooks/failback.lua", "--limit", "10", "--json")
        #expect(sound.status == 0, "\(sound.output)\(sound.error)")
        let end = try #require(sound.lines.last)
        #expect(end["type"] == "explored" && end["schedules"].integer == 10 && end["findings"].integer == 0)
        #expect(sound.error.contains("all applications live at west when the run begins"))
        let lost = try shop.drrunbook("explore", "runbooks/failover.lua", "-p", "planned=false", "--limit", "5")
        #expect(lost.status == 0 && lost.error.contains("east is lost when the run begins"), "\(lost.output)\(lost.error)")
        #expect(try shop.fingerprint() == before)
    }

    @Test func `A finding is told with its schedule, its timeline and the command that runs it again`() async throws {
        let shop = try ShopFixture()
        let path = "\(Self.folder)/gate_wrong.lua"
        let answer = try shop.drrunbook("explore", path, "--json", "--limit", "120")
        #expect(answer.status == 1)
        let finding = try #require(answer.lines.first { $0["type"] == "finding" })
        #expect(finding["invariant"] == "gate" && finding["schedule"].list?.first == "reject at approve")
        let seed = try #require(finding["seed"].integer)
        let again = try shop.drrunbook("explore", path, "--json", "--seed", "\(seed)")
        #expect(again.lines.first { $0["type"] == "finding" }?["trace"] == finding["trace"])
        let text = try shop.drrunbook("explore", path, "--seed", "\(seed)")
        #expect(text.output.contains("again: drrunbook explore \(path) --seed \(seed)"), "\(text.output)")
    }

    @Test func `G8 what cannot be explored ends with 2`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("explore", "runbooks/nothing.lua").status == 2)
        #expect(try shop.drrunbook("explore", "runbooks/failover.lua", "--faults", "3").status == 2)
        #expect(try shop.drrunbook("explore", "runbooks/failover.lua", "-p", "planed=true").status == 2)
        let seed = try shop.drrunbook("explore", "runbooks/failover.lua", "--seed", "9999999999999")
        #expect(seed.status == 2 && seed.error.contains("no schedule of this runbook has this seed"), "\(seed.error)")
    }
}
