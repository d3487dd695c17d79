import DRModel
import Testing

/// What a person reads of a plan.
@Suite(.waitsForProcesses) struct PlanTextTests {
    private func planned(_ body: String) throws -> (text: [String], end: Value) {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write("runbooks/it.lua", "return dr.runbook { name = \"it\", run = function()\n\(body)\nend }\n")
        let text = try shop.drrunbook("plan", "runbooks/it.lua")
        #expect(text.status == 0, "\(text.output)\(text.error)")
        let json = try shop.drrunbook("plan", "runbooks/it.lua", "--json")
        return (text.output.split(separator: "\n").map(String.init), json.lines.last ?? .null)
    }

    private static let move = "dr.failover { pair = \"east-west\", applications = \"all\", mode = \"planned\" }"

    @Test func `what a failure would undo and what never is stands in a plan's text and in its JSON`() throws {
        let (text, end) = try planned("dr.undo(function() end, { name = \"name back to east\" })\n\(Self.move)")
        let first = try #require(text.firstIndex(of: "on failure, undone in this order:"), "\(text)")
        #expect(
            text[first...].prefix(4) == [
                "on failure, undone in this order:", "  start again at east: ledger, storefront (until ledger is live at west)",
                "  name back to east", "never undone once live at west: ledger, storefront",
            ])
        #expect(end["on_failure"]["undone"].list?.map { $0["name"] } == ["stop ledger", "stop storefront", "name back to east"])
        #expect(end["on_failure"]["undone"].list?.first?["until"] == "ledger is live at west")
        #expect(end["on_failure"]["stays"].list?.map { $0["cluster"] } == ["west", "west"])
    }

    @Test func `figures that a plan predicts are marked, and the point of each application is named`() throws {
        let (text, end) = try planned(Self.move)
        let row = try #require(text.first { $0.hasPrefix("ledger ") }, "\(text)")
        // Nothing is lost by a planned move: that is no prediction. The point is made by the run.
        #expect(row.contains(" 0s ") && row.contains("~") && row.contains("rp#"), "\(row)")
        let ledger = end["applications"].list?.first { $0["name"] == "ledger" }
        #expect(ledger?["predicted"] == ["bytes_sent"])
        #expect(ledger?["recovery_point"].string?.hasPrefix("rp#") == true)
    }

    @Test func `in a disaster the age is a prediction and the point one that exists`() throws {
        let (text, end) = try planned(
            "dr.failover { pair = \"east-west\", applications = \"all\", mode = \"disaster\", source_down = { evidence = \"dark\", fenced = \"power\" } }"
        )
        let row = try #require(text.first { $0.hasPrefix("ledger ") }, "\(text)")
        #expect(row.contains("~at most") && row.contains("ledger-e1-g1"), "\(row)")
        #expect(end["applications"].list?.first { $0["name"] == "ledger" }?["predicted"].list?.contains("rpo") == true)
    }

    @Test func `a gate stands once in a plan's text`() throws {
        let (text, _) = try planned("dr.approve { name = \"cutover\", message = \"Go on?\" }")
        #expect(text.count { $0.contains("cutover") } == 1, "\(text)")
    }
}
