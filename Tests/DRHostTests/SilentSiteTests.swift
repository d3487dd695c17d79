import DRModel
import Foundation
import Testing

@testable import DRRunbook

/// What the command says while a site does not answer, and of what was done before: never that there is nothing where nobody could look.
@Suite struct SilentSiteTests {
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

    @Test func `An agent that ends while a site cannot hear that it does so ends with 8`() throws {
        let shop = try ShopFixture()
        try shop.replace("dr.yaml", "{ directory: sites/east }", "{ directory: sites/east, selfFence: 5m }")
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let process = Process()
        process.executableURL = ShopFixture.executable
        process.arguments = ["agent", "east"]
        process.currentDirectoryURL = shop.folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try shop.write("said", "")
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: shop.file("said")))
        try process.run()
        // From when on the other site relies on it.
        while process.isRunning, !shop.exists("sites/west/.dr/agents/east.json") { usleep(20_000) }
        try FileManager.default.moveItem(atPath: shop.file("sites/west"), toPath: shop.file("sites/gone"))
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 8)
        #expect(try shop.read("said").contains("west does not answer, and was not told that nothing stops east any more"))
    }

    @Test func `What an agent stopped is not advised to be looked for among the runs`() {
        func warnings(_ role: String) -> [String] {
            Status.warnings(
                ApplicationStatus(
                    name: "ledger", active_at: "east", epoch: Epoch(1), running: false, split_brain_risk: false, clusters: ["east": role],
                    rpo: .zero, last_point: nil, last_point_at: nil, protected: true, schedule: nil, lock: nil))
        }
        #expect(warnings("active").contains { $0.contains("`drrunbook runs` shows which run stopped it") })
        #expect(!warnings("stopped by its agent").contains { $0.contains("STOPPED") || $0.contains("drrunbook runs") })
    }
}
