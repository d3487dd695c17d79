import DRHost
import DRModel
import Foundation
import Testing

/// What people see of a run that waits for them, or for a time.
@Suite(.waitsForProcesses) struct WaitingRunTests {
    private func parked(_ body: String) throws -> (shop: ShopFixture, name: String, answer: ShopFixture.Answer) {
        let shop = try ShopFixture()
        try shop.write("runbooks/wait.lua", "return dr.runbook { name = 'wait', run = function() \(body) end }")
        let answer = try shop.drrunbook("run", "runbooks/wait.lua", "--yes")
        #expect(answer.status == 3, "\(answer.output)\(answer.error)")
        return (shop, try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string), answer)
    }

    @Test func `who approves is shown what, in show, in runs and before it is signed`() throws {
        let (shop, name, _) = try parked(
            "dr.approve { name = 'cutover', message = 'Move the shop?', quorum = 2, not_author = false, show = { lag = '12s', orders = 4711 } }"
        )
        let shown = try shop.drrunbook("show", name).output
        for part in [
            "gate cutover", "Move the shop?", "waits for 2 of 2 approvals", "until 20", "lag", "12s", "orders", "4711",
            "drrunbook approve \(name) cutover",
        ] { #expect(shown.contains(part), "\(part): \(shown)") }
        #expect(try shop.drrunbook("runs").output.contains("waiting: gate cutover"))
        let run = try shop.drrunbook("runs", "--json").lines.last
        #expect(run?["gates"].list == [.string("cutover")], "\(String(describing: run))")
        let gate = try shop.drrunbook("show", name, "--json").lines.first { $0["type"].string == "gate" }
        #expect(gate?["message"].string == "Move the shop?" && gate?["show"]["orders"].integer == 4711, "\(String(describing: gate))")
        let said = try shop.drrunbook("approve", name, "cutover").output
        let question = try #require(said.range(of: "Move the shop?"), "\(said)")
        let answer = try #require(said.range(of: "approve  "), "\(said)")
        #expect(question.lowerBound < answer.lowerBound && said.contains("4711"), "\(said)")
    }

    @Test func `a run at a window says the exact command and time, and resume --wait waits for it`() throws {
        let opens = Instant(nanosecondsSince1970: Int64(Date().timeIntervalSince1970 + 5) * 1_000_000_000)
        let (shop, name, answer) = try parked("dr.window { opens = '\(opens)', closes = '\(opens + .seconds(3600))' }")
        #expect(answer.output.contains("next: drrunbook resume \(name)"), "\(answer.output)")
        #expect(answer.output.contains("from \("\(opens)".prefix(10)) "), "\(answer.output)")
        #expect(try shop.drrunbook("runs").output.contains("waiting: window"))
        let end = try shop.drrunbook("resume", name, "--wait")
        #expect(end.status == 0, "\(end.output)\(end.error)")
    }

    @Test func `a run that is paused at a window is told to keep no more locks than it has`() throws {
        let opens = Instant(nanosecondsSince1970: Int64(Date().timeIntervalSince1970 + 3600) * 1_000_000_000)
        let (shop, name, _) = try parked("dr.window { opens = '\(opens)', closes = '\(opens + .seconds(3600))' }")
        let paused = try shop.drrunbook("pause", name)
        let said = paused.output + paused.error
        #expect(paused.status == 0 && said.contains("the locks it has are kept") && !said.contains("its locks"), "\(said)")
    }

    @Test(arguments: [["--statement"], ["--key", "k"], ["--signature", "s"], ["--as", "bob"]])
    func `what belongs to closing is refused where nothing is closed`(_ arguments: [String]) throws {
        let (shop, name, _) = try parked("dr.approve { name = 'go', message = '?' }")
        let refused = try shop.drrunbook(["show", name] + arguments)
        #expect(refused.status == 2 && refused.error.contains("belong to --close COMMENT") && refused.output.isEmpty, "\(refused)")
    }
}
