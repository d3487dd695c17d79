import ArgumentParser
import DRHost
import DRModel
@testable import DRReplication
@testable import DRRunbook
import Foundation
import Testing

/// `drrunbook ready`, from a shell's point of view.
@Suite(.waitsForProcesses) struct ReadyTests {
    private func states(_ answer: ShopFixture.Answer, _ state: String) -> [String] {
        answer.lines.filter { $0["state"].string == state }.map { "\($0["application"].string ?? "") \($0["id"].string ?? "")" }
    }

    @Test func `What a check says is to be typed next is a command there is`() throws {
        for next in Checks.all.map({ $0.next }) + ["ready --disaster", "points ledger"] {
            #expect(throws: Never.self, "\(next)") { try DRRunbook.parseAsRoot(next.split(separator: " ").map(String.init)) }
        }
    }

    @Test func `A shop that was never copied misses its target, and is ready once it was; G4 nothing is changed by asking`() throws {
        let shop = try ShopFixture()
        let before = try shop.fingerprint()
        let first = try shop.drrunbook("ready", "--json")
        #expect(first.status == 4, "\(first.error)")
        #expect(states(first, "warning") == ["ledger recovery-point-fresh", "storefront recovery-point-fresh"])
        #expect(Set(first.lines.map { $0["id"].string }).count == CheckReference.all.count)
        #expect(first.lines.filter { $0["state"].string == "ok" }.allSatisfy { $0["next"] == .null })
        #expect(first.lines.filter { $0["state"].string == "warning" }.allSatisfy { $0["next"].string == "drrunbook serve" })
        #expect(try shop.fingerprint() == before)

        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let second = try shop.drrunbook("ready")
        #expect(second.status == 0)
        #expect(second.output.contains("ready: 2 of 2"))
        #expect(second.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func `A failed check stands with the application it is about, with its fix and the next command, and is 5`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try FileManager.default.removeItem(atPath: shop.file("sites/east/volumes/pg-data"))
        let answer = try shop.drrunbook("ready", "--json")
        #expect(answer.status == 5, "\(answer.output)")
        #expect(states(answer, "failed") == ["ledger volumes-present"])
        let failed = try #require(answer.lines.first { $0["state"].string == "failed" })
        #expect(failed["next"].string == "drrunbook ready --only volumes-present")
        #expect(failed["fix"].string?.isEmpty == false)
        #expect(failed["source"].string == "east" && failed["destination"].string == "west")
        let text = try shop.drrunbook("ready")
        #expect(text.output.contains("  next: drrunbook ready --only volumes-present"))
        #expect(text.output.contains("not ready: 1 of 2"))
        #expect(try shop.drrunbook("ready", "storefront").status == 0)
        #expect(try shop.drrunbook("ready", "--only", "volumes-presemt").status == 2)
    }

    @Test func `Applications that moved are asked in the other direction, and one without a way out is not ready`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/failover.lua", "--yes").status == 0)
        let back = try shop.drrunbook("ready", "ledger", "--json")
        #expect(back.lines.allSatisfy { $0["source"].string == "west" && $0["destination"].string == "east" })
        #expect(states(back, "failed").isEmpty)
        try shop.replace("dr.yaml", "bothWays: true", "bothWays: false")
        let stranded = try shop.drrunbook("ready", "ledger", "--json")
        #expect(stranded.status == 5)
        #expect(states(stranded, "failed") == ["ledger way-out"])
        #expect(stranded.lines.last { $0["state"].string == "failed" }?["next"].string == "drrunbook apply")
    }

    @Test func `G12 a silent cluster is 8, and whether its loss could be survived is asked without it`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try FileManager.default.moveItem(atPath: shop.file("sites/east"), toPath: shop.file("lost"))
        let silent = try shop.drrunbook("ready")
        #expect(silent.status == 8)
        #expect(silent.output.contains("  next: drrunbook ready --disaster"))
        let disaster = try shop.drrunbook("ready", "--disaster", "--json")
        #expect(disaster.status == 0, "\(disaster.output)")
        #expect(disaster.lines.contains { $0["id"].string == "volumes-present" && $0["state"].string == "skipped" })
    }
}
