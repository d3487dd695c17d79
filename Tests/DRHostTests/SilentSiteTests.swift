import DRModel
import Foundation
import Testing

@testable import DRRunbook

/// What the command says while a site does not answer, and of what was done before: never that there is nothing where nobody could look.
@Suite(.waitsForProcesses) struct SilentSiteTests {
    private func shopWithoutWest() throws -> ShopFixture {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua", "--yes").status == 0)
        try FileManager.default.moveItem(atPath: shop.file("sites/west"), toPath: shop.file("sites/gone"))
        return shop
    }

    @Test func `G12 what lies at a site that does not answer is unknown, not missing`() throws {
        let shop = try shopWithoutWest()
        let status = try shop.drrunbook("status")
        #expect(status.output.contains("ledger: protection UNKNOWN: what lies at west, which does not answer, cannot be seen"))
        #expect(!status.output.contains("UNPROTECTED"))
        let points = try shop.drrunbook("points")
        #expect(points.output == "no recovery points at the clusters that answer\n" && points.error.contains("west"))
        let schedules = try shop.drrunbook("schedules").output
        #expect(schedules.contains("unknown  unknown") && !schedules.contains("never"))
        let cleanup = try shop.drrunbook("cleanup")
        #expect(cleanup.status == 8 && cleanup.output.isEmpty && cleanup.error.contains("west does not answer"))
        #expect(try shop.drrunbook("cleanup", "drill-0123456789").status == 8)
    }

    @Test func `G12 locks at a site that does not answer are neither absent nor broken`() throws {
        let shop = try shopWithoutWest()
        let list = try shop.drrunbook("lock", "list", "--json")
        #expect(list.status == 8 && list.lines.map { $0["type"].string } == ["warning"])
        #expect(try shop.drrunbook("lock", "list").output == "no locks that can be read\n")
        let broken = try shop.drrunbook("lock", "break", "ledger", "--yes")
        #expect(broken.status == 8 && broken.output == "nobody holds ledger at the clusters that answer\n")
        #expect(broken.error.contains("a lock of ledger there stays"))
    }

    @Test func `A drill that was removed before is no error, one that never was is`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua", "--yes").status == 0)
        #expect(try shop.drrunbook("drill", "runbooks/failover.lua").status == 0)
        let removed = try FileManager.default.contentsOfDirectory(atPath: shop.file("sites/west/.dr/removed"))
        let name = String(try #require(removed.first).dropLast(5))
        let again = try shop.drrunbook("cleanup", name)
        #expect(again.status == 0 && again.output == "\(name): already removed\n")
        let wrong = try shop.drrunbook("cleanup", name + "x")
        #expect(wrong.status == 2 && wrong.error.contains("did you mean \"\(name)\"?"))
    }

    @Test func `Advice that is the same for several applications is given once`() throws {
        let shop = try ShopFixture()
        let ready = try shop.drrunbook("ready").output
        #expect(ready.components(separatedBy: "  next: drrunbook serve").count == 2)
    }

    @Test func `One round of an agent that finds nothing says so`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("agent", "east", "--once").output == "nothing to stop or start at east\n")
    }

    @Test func `Who holds a lock is told with a run's name in one piece, and breaking it is told in --json`() throws {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/hold.lua",
            """
            return dr.runbook { name = "hold", run = function()
              dr.quiesce { pair = "east-west", applications = { "storefront" } }
              dr.approve { name = "look", message = "look at it" }
            end }

            """)
        let held = try shop.drrunbook("run", "runbooks/hold.lua", "--yes", "--json")
        let run = try #require(held.lines.compactMap { $0["run"].string }.first)
        let list = try shop.drrunbook("lock", "list")
        #expect(list.status == 0 && list.output.contains("\(run): runbooks/hold.lua on "))
        #expect(list.output.split(separator: "\n").count { $0.hasPrefix("storefront") && $0.contains(" \(run) ") } == 2)
        #expect(try shop.drrunbook("status").output.contains("STOPPED at east, where it is live; run \(run) holds it"))
        #expect(try shop.drrunbook("lock", "break", "storefront").status == 5)
        let broken = try shop.drrunbook("lock", "break", "storefront", "--yes", "--json")
        #expect(broken.lines.map { $0["cluster"].string } == ["east", "west"])
    }
}
