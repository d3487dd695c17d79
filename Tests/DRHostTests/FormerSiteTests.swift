import DRModel
import Foundation
import Testing

/// What a report tells people to do about the site that an application left.
@Suite(.waitsForProcesses) struct FormerSiteTests {
    private func report(_ shop: ShopFixture, _ verb: String, _ body: String) throws -> String {
        try shop.write("runbooks/move.lua", "return dr.runbook { name = 'move', run = function()\n\(body)\nend }\n")
        let ran = try shop.drrunbook(
            verb == "drill" ? ["drill", "runbooks/move.lua", "--json"] : ["run", "runbooks/move.lua", "--yes", "--json"])
        #expect(ran.status == 0, "\(ran.output)\(ran.error)")
        let run = try #require(ran.lines.compactMap { $0["run"].string }.first)
        return ran.output + (try shop.drrunbook("report", run).output)
    }

    private let disaster = """
        dr.failover { pair = "east-west", applications = "all", mode = "disaster", accept_data_loss = "1h",
          source_down = { evidence = "fire", fenced = "power" } }
        """

    @Test func `G12 the drill of a disaster sends nobody to the site that serves`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let text = try report(shop, "drill", disaster)
        #expect(text.contains("serves on: this was a drill"))
        #expect(!text.contains("see that nothing") && !text.contains("when east is back") && !text.contains("cut off"), "\(text)")
    }

    @Test func `G12 a disaster says that nobody looked, and after a failback in the same run nobody needs to`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let there = try report(shop, "run", disaster)
        #expect(
            there.contains("ledger: see that nothing of it runs at east any more: somebody said so, and the run did not look"), "\(there)")

        let other = try ShopFixture()
        #expect(try other.drrunbook("run", "runbooks/protect.lua").status == 0)
        let back = try report(
            other, "run",
            disaster + """

                dr.reprotect { pair = "east-west", applications = "all", interval = "15m" }
                dr.failback { pair = "east-west", applications = "all" }
                """)
        #expect(back.contains("seen stopped there, and fenced"), "\(back)")
        #expect(!back.contains("see that nothing") && !back.contains("said to be cut off"), "\(back)")
    }
}
