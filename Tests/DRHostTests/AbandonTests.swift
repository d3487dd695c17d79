import DRHost
import DRModel
import Foundation
import Testing

/// Runs that nobody can take up any more, and how a person is rid of them.
@Suite(.waitsForProcesses) struct AbandonTests {
    /// A run that was killed when it had stopped ledger.
    private func killed() throws -> (shop: ShopFixture, run: String) {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(
            "runbooks/stop.lua",
            """
            return dr.runbook { name = "stop", run = function()
              dr.log("a-mark-of-its-own")
              dr.quiesce { pair = "east-west", applications = { "ledger" } }
              dr.migrate { pair = "east-west", applications = { "ledger" } }
            end }
            """)
        #expect(
            try shop.drrunbook(["run", "runbooks/stop.lua"], environment: ["DRRUNBOOK_FAILPOINT": "run.outcome-recorded:1"]).status == 137)
        return (shop, try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string))
    }

    private func last(_ shop: ShopFixture) throws -> Value { try #require(try shop.drrunbook("runs", "--json").lines.last) }

    @Test func `G6 G12 a run that its dr.yaml fits no more is ended as it stands, for every host, and looked into`() throws {
        let (shop, run) = try killed()
        let resources = try shop.fingerprint("sites/east/resources", "sites/west/resources")
        try shop.write("dr.yaml", shop.read("dr.yaml").replacing("east-west", with: "over-there"))
        for words in [["resume", run, "--yes"], ["stop", run], ["stop", run, "--undo", "--yes"]] {
            let refused = try shop.drrunbook(words)
            #expect(refused.status == 1 && refused.error.contains("does not fit"), "\(words): \(refused.output)\(refused.error)")
            #expect(refused.error.contains("`drrunbook stop \(run) --abandon REASON` ends the run"), "\(refused.error)")
        }
        for (words, message) in [
            (["--abandon", " ", "--yes"], "expected why it is given up"), (["--abandon", "x", "--undo"], "three ways to stop"),
            (["--abandon", "x"], "needs a yes"), (["--abandon", "x", "--settle", "0/1/1/do=done"], "--settle is of use"),
        ] {
            let refused = try shop.drrunbook(["stop", run] + words)
            #expect(refused.status == 2 && refused.error.contains(message), "\(words): \(refused.error)")
        }
        #expect(try last(shop)["resumable"].bool == true && shop.drrunbook("lock", "list").output.contains(run))
        #expect(try shop.drrunbook("stop", run, "--abandon", "x").error.contains("cannot be carried on: "))

        let ended = try shop.drrunbook("stop", run, "--abandon", "moved by hand", "--yes")
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
        #expect(ended.output.contains("let go: ledger at east") && ended.output.contains("partial"), "\(ended.output)")
        #expect(ended.output.contains("it was stopped and not started again"), "\(ended.output)")
        #expect(try shop.fingerprint("sites/east/resources", "sites/west/resources") == resources, "nothing of it is undone")
        #expect(try shop.drrunbook("lock", "list").output.contains("no locks"))
        #expect(try last(shop)["outcome"].string == "partial" && last(shop)["resumable"].bool == false)
        #expect(try shop.drrunbook("resume", run).status == 5 && shop.drrunbook("stop", run, "--abandon", "again", "--yes").status == 5)

        let who = try #require(try shop.drrunbook("show", run, "--json").lines.first?["who"].string)
        let text = "it was given up as it stood by \(who): moved by hand"
        let report = try shop.drrunbook("report", run).output
        #expect(report.contains("- \(text)\n") && report.contains("not undone (owed): what its runbook registered"), "\(report)")
        let verified = try shop.drrunbook("verify", run)
        #expect(verified.status == 0 && verified.output.contains("anchored: "), "\(verified.output)\(verified.error)")

        // Another host, which has only the clusters.
        try FileManager.default.moveItem(atPath: shop.file(".drrunbook"), toPath: shop.file("a"))
        let elsewhere = try shop.drrunbook("resume", run, "--yes")
        #expect(elsewhere.status == 5 && elsewhere.error.contains("has ended: partial"), "\(elsewhere.output)\(elsewhere.error)")
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        try FileManager.default.moveItem(atPath: shop.file("a"), toPath: shop.file(".drrunbook"))

        #expect(try shop.drrunbook("status").output.contains("run \(run): \(text)"))
        let closed = try shop.drrunbook("show", run, "--close", "ledger runs at east again")
        #expect(closed.status == 0, "\(closed.output)\(closed.error)")
        #expect(try !shop.drrunbook("status").output.contains(text))
        let shown = try shop.drrunbook("show", run).output
        #expect(shown.contains(text) && shown.contains("ledger runs at east again"), "\(shown)")
    }

    @Test func `a run whose record is damaged lets its locks go, and is told as damaged until somebody has looked into it`() throws {
        let (shop, run) = try killed()
        // So that all of it stands in one file.
        #expect(try shop.drrunbook("pause", run).status == 0)
        let journal = shop.file(".drrunbook/journal.sqlite")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
        // The last of them is the record; the text of the runbook stands in the header.
        let place = try #require(bytes.range(of: Data(#""a-mark-of-its-own""#.utf8), options: .backwards))
        bytes.replaceSubrange(place, with: Data(#""a-mark-of-his-own""#.utf8))
        try bytes.write(to: URL(fileURLWithPath: journal))
        let refused = try shop.drrunbook("resume", run, "--yes")
        #expect(refused.status == 7 && refused.error.contains("stop \(run) --abandon REASON"), "\(refused.output)\(refused.error)")
        #expect(try shop.drrunbook("runs").status == 7 && shop.drrunbook("lock", "list").output.contains(run))

        let ended = try shop.drrunbook("stop", run, "--abandon", "the disk lied", "--yes")
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
        #expect(ended.output.contains("let go: ledger at east") && ended.error.contains("nothing could be written to its record"))
        #expect(ended.output.contains("next: drrunbook show \(run) --close"), "\(ended.output)")
        #expect(try shop.drrunbook("lock", "list").output.contains("no locks"))
        #expect(try shop.drrunbook("runs").status == 7)
        let closed = try shop.drrunbook("show", run, "--close", "restored from the copy")
        #expect(closed.status == 0, "\(closed.output)\(closed.error)")
        let list = try shop.drrunbook("runs")
        #expect(list.status == 0 && list.output.contains("damaged: closed by"), "\(list.output)\(list.error)")
        // Evidence stays what it is.
        #expect(try shop.drrunbook("verify", run).status == 7)
        let shown = try shop.drrunbook("show", run)
        #expect(shown.status == 7 && shown.output.contains("restored from the copy"), "\(shown.output)\(shown.error)")
    }

    @Test func `a run of which only locks are left lets them go, and one of which nobody knows is not found`() throws {
        let (shop, run) = try killed()
        try FileManager.default.removeItem(atPath: shop.file(".drrunbook"))
        for site in ["east", "west"] { try? FileManager.default.removeItem(atPath: shop.file("sites/\(site)/.dr/runs")) }
        let ended = try shop.drrunbook("stop", run, "--abandon", "its host burnt", "--yes")
        #expect(ended.status == 0 && ended.output.contains("let go: ledger at east"), "\(ended.output)\(ended.error)")
        let unknown = try shop.drrunbook("stop", run, "--abandon", "its host burnt", "--yes")
        #expect(unknown.status == 2 && unknown.error.contains("there is no run"), "\(unknown.output)\(unknown.error)")
    }

    @Test func `a run that a process carries on is not abandoned`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write("runbooks/wait.lua", "return dr.runbook { name = 'wait', run = function() dr.sleep('10m') end }")
        let running = try RunningRun(shop, "runbooks/wait.lua", until: "sleep")
        let process = running.process.processIdentifier
        #expect(try shop.drrunbook("runs").output.contains("under way: process \(process)"))
        #expect(try shop.drrunbook("show", running.name).output.contains("under way: process \(process)"))
        #expect(try last(shop)["process"].integer == Int64(process))
        let refused = try shop.drrunbook("stop", running.name, "--abandon", "x", "--yes")
        #expect(refused.status == 5 && refused.error.contains("drrunbook stop \(running.name)"), "\(refused.output)\(refused.error)")
        #expect(try shop.drrunbook("stop", running.name).status == 0)
        running.process.waitUntilExit()
        // A sleep changes nothing, and says no more than that it was not brought to its end.
        let report = try shop.drrunbook("report", running.name).output
        #expect(report.contains("| sleep | not finished; it changes nothing |") && !report.contains("no outcome"), "\(report)")
        #expect(try shop.drrunbook("stop", running.name, "--undo", "--yes").status == 9)
        let undone = try shop.drrunbook("report", running.name).output
        #expect(undone.contains("| sleep | not finished; it changes nothing |") && !undone.contains("no outcome"), "\(undone)")
    }
}
