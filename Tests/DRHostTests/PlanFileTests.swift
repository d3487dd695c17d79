import DRHost
import DRModel
import Foundation
import Testing

/// A run from a plan that people looked at.
@Suite struct PlanFileTests {
    private func planned() throws -> ShopFixture {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "p.json").status == 0)
        return shop
    }

    @Test func `G11 an unchanged plan is run without another yes`() throws {
        let shop = try planned()
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(answer.status == 0, "\(answer.error)")
        #expect(try shop.drrunbook("status", "--json").lines.allSatisfy { $0["active_at"].string == "west" })
    }

    struct Change: CustomTestStringConvertible, Sendable {
        let name: String
        let file: String
        let old: String
        let new: String
        var arguments: [String] = []
        let error: String
        var testDescription: String { name }
    }

    @Test(arguments: [
        Change(
            name: "the runbook", file: "runbooks/failover.lua", old: "draining", new: "emptying",
            error: "the plan no longer fits: runbooks/failover.lua has changed"),
        Change(
            name: "a module", file: "runbooks/lib/say.lua", old: "live at", new: "at home at",
            error: "the plan no longer fits: runbooks/lib/say.lua has changed"),
        Change(
            name: "the configuration", file: "dr.yaml", old: "rto: 5m", new: "rto: 6m",
            error: "the plan no longer fits: dr.yaml has changed"),
        Change(
            name: "a manifest", file: "sites/east/resources/shop-web.yaml", old: "replicas: 2", new: "replicas: 3",
            error: "the plan no longer fits: change 1 was \"scale Deployment shop-web/storefront 2->0 @east\""),
        Change(
            name: "the parameters", file: "dr.yaml", old: "embedded", new: "embedded", arguments: ["-p", "reason=another"],
            error: "the plan no longer fits: the parameters differ"),
    ]) func `G11 a plan is refused when something it was made from has changed`(_ change: Change) throws {
        let shop = try planned()
        try shop.replace(change.file, change.old, change.new)
        let before = try shop.fingerprint("sites")
        let answer = try shop.drrunbook(["run", "runbooks/failover.lua", "--plan", "p.json"] + change.arguments)
        #expect(answer.status == 5)
        #expect(answer.error.hasPrefix("error: \(change.error)"), "\(answer.error)")
        #expect(try shop.fingerprint("sites") == before)
        #expect(!shop.exists(".drrunbook"))
    }

    @Test func `a plan's file is never written over another`() throws {
        let shop = try planned()
        let before = try shop.read("p.json")
        let answer = try shop.drrunbook("plan", "runbooks/failover.lua", "--out", "p.json")
        #expect(answer.status == 5)
        #expect(answer.error.hasPrefix("error: p.json exists already"))
        #expect(try shop.read("p.json") == before)
    }

    @Test func `G11 a plan that would fail is not run`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--without", "east", "--out", "p.json").status == 1)
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--plan", "p.json")
        #expect(answer.status == 5)
        #expect(answer.error.contains("it did not succeed when it was made"))
    }
}
