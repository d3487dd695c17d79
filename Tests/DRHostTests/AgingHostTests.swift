import DRHost
import DRModel
import Foundation
import Testing

/// A run from a plan with `--max-aging`, from a shell's point of view: it is put down for its data's age and for nothing else.
@Suite(.waitsForProcesses) struct AgingHostTests {
    private static let gate = #"dr.approve { name = "go", message = "?", not_author = false }"#
    private static func move(_ name: String) -> String {
        #"dr.failover { pair = "east-west", applications = { "\#(name)" }, mode = "disaster", "#
            + #"source_down = { evidence = "fire", fenced = "power" } }"#
    }

    /// With points at west, and a plan of the runbook in p.json.
    private func shop(_ body: String...) throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write("dr.yaml", shop.read("dr.yaml") + "\nallow:\n  exec: [{ name: sleep, path: /bin/sleep, args: [\"*\"] }]\n")
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(
            "runbooks/lost.lua",
            "return dr.runbook { name = 'lost', run = function()\n  \(body.joined(separator: "\n  "))\nend }\n")
        let plan = try shop.drrunbook("plan", "runbooks/lost.lua", "--out", "p.json", "--max-aging", "3h")
        #expect(plan.status == 0, "\(plan.output)\(plan.error)")
        return shop
    }

    /// At its gate.
    private func waiting(_ shop: ShopFixture) throws -> String {
        let run = try shop.drrunbook("run", "runbooks/lost.lua", "--plan", "p.json")
        #expect(run.status == 3, "\(run.output)\(run.error)")
        return try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
    }

    private func place(_ shop: ShopFixture, _ application: String) throws -> String? {
        try shop.drrunbook("status", "--json").lines.first { $0["application"].string == application }?["active_at"].string
    }

    @Test func `what a run has not begun when it is paused is no lost call to whoever looks at its data's age`() throws {
        let shop = try shop(
            #"dr.exec { argv = { "sleep", "2" }, idempotent = true }"#, #"dr.exec { argv = { "sleep", "0" } }"#, Self.move("ledger"))
        let running = try RunningRun(shop, "runbooks/lost.lua", plan: "p.json", until: "exec")
        #expect(try shop.drrunbook("pause", running.name).status == 0)
        running.process.waitUntilExit()
        #expect(running.process.terminationStatus == 9)
        let end = try shop.drrunbook("resume", running.name, "--yes")
        #expect(end.status == 0, "\(end.output)\(end.error)")
        #expect(try place(shop, "ledger") == "west")
    }

    @Test func `a lost call that a person settled is not asked about again when its run's data is looked at`() throws {
        let shop = try shop(#"dr.exec { argv = { "sleep", "4" } }"#, Self.move("ledger"))
        let running = try RunningRun(shop, "runbooks/lost.lua", plan: "p.json", until: "exec")
        kill(running.process.processIdentifier, SIGKILL)
        running.process.waitUntilExit()
        let asked = try shop.drrunbook("resume", running.name, "--yes")
        #expect(asked.status == 3 && asked.error.contains("--settle"), "\(asked.output)\(asked.error)")
        let call = try #require(
            try shop.drrunbook("show", running.name, "--json").lines.first {
                $0["kind"].string == "intent" && $0["verb"].string == "exec"
            }?["key"].string)
        let end = try shop.drrunbook("resume", running.name, "--yes", "--settle", "\(call)=not-done")
        #expect(end.status == 0, "\(end.output)\(end.error)")
        #expect(try place(shop, "ledger") == "west")
    }

    @Test func `a call that is under way when a gate of its run passes is no lost one`() throws {
        let shop = try shop(
            "dr.parallel { function() dr.exec { argv = { 'sleep', '5' } } end, function() \(Self.gate) end }", Self.move("ledger"))
        let running = try RunningRun(shop, "runbooks/lost.lua", plan: "p.json", until: "approve")
        let said = try shop.drrunbook("approve", running.name, "go")
        #expect(said.status == 0, "\(said.output)\(said.error)")
        running.process.waitUntilExit()
        #expect(running.process.terminationStatus == 0)
        #expect(try place(shop, "ledger") == "west")
    }

    @Test(arguments: [false, true])
    func `a rejection ends a run at once, whatever became of its data`(isUnknown: Bool) throws {
        let shop = try shop(#"dr.undo(function() dr.log("undone now") end)"#, Self.gate, Self.move("ledger"))
        let run = try waiting(shop)
        #expect(try shop.drrunbook("reject", run, "go", "--comment", "no").status == 0)
        if isUnknown { try FileManager.default.removeItem(atPath: shop.file("sites/west/.dr/points")) }
        let end = try shop.drrunbook("resume", run, "--yes")
        #expect(end.status == 5 && end.output.contains("undone now"), "\(end.output)\(end.error)")
        #expect(try shop.drrunbook("runs", "--json").lines.last?["resumable"].bool == false)
        #expect(try place(shop, "ledger") == "east")
    }

    @Test func `an application that the run does not come to is not looked at, and one that goes live still is`() throws {
        // A plan takes the gate as passed by nobody.
        let shop = try shop(
            Self.move("ledger"), "local said = \(Self.gate)", "if #(said.by or {}) == 0 then \(Self.move("storefront")) end")
        #expect(try shop.drrunbook("run", "runbooks/lost.lua", "--plan", "p.json").status == 3)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        #expect(try shop.drrunbook("approve", run, "go").status == 0)
        let end = try shop.drrunbook("resume", run, "--yes")
        #expect(end.status == 0, "\(end.output)\(end.error)")
        #expect(try place(shop, "ledger") == "west")
        #expect(try place(shop, "storefront") == "east")
    }

    @Test func `show and the report say who allowed older data, and how much older, and who gave more time`() throws {
        let shop = try shop(Self.gate, Self.move("ledger"))
        let run = try waiting(shop)
        #expect(try shop.drrunbook("approve", run, "go").status == 0)
        #expect(try shop.drrunbook("resume", run, "--yes", "--extend", "5m", "--max-aging", "4h").status == 0)
        let who = try #require(try shop.drrunbook("show", run, "--json").lines.first?["who"].string)
        let shown = try shop.drrunbook("show", run).output
        #expect(
            shown.contains("resumed  by \(who), with 5m more for each deadline and data that is 4h older than in its plan allowed"),
            "\(shown)")
        let text = "older data was allowed: 4h older than in the plan, by \(who)"
        #expect(shown.contains(text), "\(shown)")
        let report = try shop.drrunbook("report", run)
        #expect(report.output.contains(text), "\(report.output)\(report.error)")
    }

    @Test func `what a run from no such plan is allowed of its data's age is refused, and nothing is done`() throws {
        let shop = try ShopFixture()
        try shop.write("runbooks/lost.lua", "return dr.runbook { name = 'lost', run = function() \(Self.gate) end }")
        #expect(try shop.drrunbook("run", "runbooks/lost.lua").status == 3)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        let records = try shop.drrunbook("show", run, "--json").output
        let refused = try shop.drrunbook("resume", run, "--max-aging", "5m")
        #expect(refused.status == 2 && refused.error.contains("is from no plan that says how old its data may be"), "\(refused.error)")
        #expect(try shop.drrunbook("show", run, "--json").output == records)
    }
}
