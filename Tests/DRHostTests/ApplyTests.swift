import DRModel
import Foundation
import Testing

/// Setting up pairs and schedules by the command.
@Suite(.waitsForProcesses) struct ApplyTests {
    @Test func `G12 an apply that ends half-way is partial, says what is set up, and goes on when the cause is gone`() throws {
        let shop = try ShopFixture()
        let folder = shop.file("sites/west/.dr/state")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // A disk that is not there: nothing to be read, and nothing can be written.
        let schedules = folder + "/schedules"
        try FileManager.default.createSymbolicLink(atPath: schedules, withDestinationPath: shop.file("gone/disk"))
        let half = try shop.drrunbook("apply", "--yes")
        #expect(half.status == 6, "\(half.error)")
        #expect(
            half.error.contains("set up before: create ClusterPair east-west @east, create ClusterPair east-west @west"), "\(half.error)")
        try FileManager.default.removeItem(atPath: schedules)
        #expect(try shop.drrunbook("apply", "--yes").status == 0)
    }

    @Test func `A plan that would miss a target says how it is run`() throws {
        let shop = try ShopFixture()
        try shop.replace("dr.yaml", "rpo: 15m", "rpo: 1ms")
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(
            "runbooks/late.lua",
            """
            return dr.runbook { name = "late", run = function()
              dr.failover { pair = "east-west", applications = "all", mode = "disaster", accept_data_loss = "1h",
                source_down = { evidence = "fire", fenced = "power" } }
            end }

            """)
        let plan = try shop.drrunbook("plan", "runbooks/late.lua", "--out", "late.plan")
        #expect(plan.status == 4 && plan.output.contains("next: drrunbook run runbooks/late.lua --plan late.plan"), "\(plan.output)")
        #expect(try shop.drrunbook("run", "runbooks/late.lua", "--plan", "late.plan").status == 4)
    }
}
