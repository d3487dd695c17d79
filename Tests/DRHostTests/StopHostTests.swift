import DRHost
import DRModel
import Foundation
import Testing

/// Runs that people end, from a shell's point of view.
@Suite(.waitsForProcesses) struct StopHostTests {
    private func shop() throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/stop.lua",
            """
            return dr.runbook { name = "stop", run = function()
              dr.finally(function() dr.log("the end") end)
              dr.quiesce { pair = "east-west", applications = { "ledger" } }
              dr.migrate { pair = "east-west", applications = { "ledger" } }
              dr.fail("enough")
            end }
            """)
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        return shop
    }

    private func observable(_ shop: ShopFixture) throws -> String {
        try shop.fingerprint("sites/east/resources", "sites/west/resources", "sites/east/volumes", "sites/west/volumes")
    }

    private func last(_ shop: ShopFixture) throws -> Value { try #require(try shop.drrunbook("runs", "--json").lines.last) }

    @Test func `a failed run leaves its applications running where they were, and says so`() throws {
        let shop = try shop()
        let before = try observable(shop)
        #expect(before.contains("shop-db") && before.contains("volumes"), "there is something to observe")
        let run = try shop.drrunbook("run", "runbooks/stop.lua", "--json")
        #expect(run.status == 1, "\(run.output)\(run.error)")
        #expect(run.lines.contains { $0["type"].string == "undo" && $0["name"].string == "stop ledger" && $0["state"].string == "undone" })
        #expect(run.output.contains("the end"))
        #expect(try observable(shop) == before)
    }

    @Test func `G2 a run killed at any place of its undo and resumed ends in the same observable state`() throws {
        // Every place of the undo, as one that is not killed passes them.
        let counted = try shop()
        let log = counted.file("places")
        let before = try observable(counted)
        #expect(try counted.drrunbook(["run", "runbooks/stop.lua"], environment: ["DRRUNBOOK_FAILPOINT_LOG": log]).status == 1)
        #expect(try observable(counted) == before)
        let passed = try counted.read("places").split(separator: "\n").map(String.init)
        let name = try #require(try last(counted)["run"].string)
        let records = try counted.drrunbook("show", name, "--json").lines.filter { $0["type"].string == "record" }
        let outcomes = records.filter { $0["kind"].string == "outcome" }.count
        let undone = records.filter { $0["kind"].string == "outcome" && $0["key"].string?.hasSuffix("/undo") == true }.count
        #expect(undone == 2 && passed.count { $0 == "run.action-done" } == outcomes, "\(records.count)")
        var places: [String] = []
        for number in (outcomes - undone + 1)...outcomes { places += ["run.action-done:\(number)", "run.outcome-recorded:\(number)"] }
        let appended = passed.count { $0 == "journal.appended" }
        let first = try #require(records.firstIndex { $0["key"].string?.hasSuffix("/undo") == true })
        places += (first + 1..<appended).map { "journal.appended:\($0)" }
        for place in places {
            let shop = try shop()
            let before = try observable(shop)
            let killed = try shop.drrunbook(["run", "runbooks/stop.lua"], environment: ["DRRUNBOOK_FAILPOINT": place])
            #expect(killed.status == 137, "\(place): \(killed.output)\(killed.error)")
            let name = try #require(try last(shop)["run"].string)
            let end = try shop.drrunbook("resume", name, "--json")
            #expect(end.status == 1, "\(place): \(end.output)\(end.error)")
            #expect(
                end.lines.contains { $0["type"].string == "undo" && $0["name"].string == "stop ledger" && $0["state"].string == "undone" })
            #expect(try observable(shop) == before, "\(place)")
        }
    }

    @Test func `a run that nobody carries on is put down, listed as resumable, shown what it would undo, and undone`() throws {
        let shop = try shop()
        let before = try observable(shop)
        #expect(
            try shop.drrunbook(["run", "runbooks/stop.lua"], environment: ["DRRUNBOOK_FAILPOINT": "run.outcome-recorded:1"]).status == 137)
        let name = try #require(try last(shop)["run"].string)
        #expect(try observable(shop) != before)
        let held = try shop.drrunbook("stop", name)
        #expect(held.status == 0, "\(held.output)\(held.error)")
        #expect(held.output.contains("stop \(name) --undo"))
        #expect(try last(shop)["outcome"].string == "stopped")
        #expect(try last(shop)["resumable"].bool == true)
        #expect(try observable(shop) != before)
        let asked = try shop.drrunbook("stop", name, "--undo")
        #expect(asked.status == 2)
        #expect(asked.error.contains("undone   stop ledger"))
        #expect(try observable(shop) != before)
        let undone = try shop.drrunbook("stop", name, "--undo", "--yes")
        #expect(undone.status == 9, "\(undone.output)\(undone.error)")
        // It ran again where it was: nothing is left to look into.
        let shown = try shop.drrunbook("show", name).output
        #expect(!shown.contains("what a person has to look into") && shown.contains("stop ledger"), "\(shown)")
        #expect(undone.output.contains("ledger") && undone.output.contains("it runs again where it was"), "\(undone.output)")
        #expect(try observable(shop) == before)
        #expect(try last(shop)["resumable"].bool == false)
        #expect(try shop.drrunbook("stop", name).status == 5)
    }

    @Test(arguments: ["engine.activate.fenced:3", "engine.activate.live:3", "engine.start.planned:3"])
    func `G1 G2 a stop with undo after a kill inside an activation leaves nothing down at both sites`(place: String) throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        // The plan before the run has passed the place twice.
        #expect(
            try shop.drrunbook(["run", "runbooks/failover.lua", "--yes"], environment: ["DRRUNBOOK_FAILPOINT": place]).status == 137)
        let name = try #require(try last(shop)["run"].string)
        let asked = try shop.drrunbook("stop", name, "--undo")
        #expect(asked.error.contains("ledger goes on to west"), "\(asked.error)")
        let end = try shop.drrunbook("stop", name, "--undo", "--yes")
        #expect(end.status == 6, "\(end.output)\(end.error)")
        let ledger = try shop.drrunbook("status", "--json").lines.first { $0["application"].string == "ledger" }
        #expect(ledger?["active_at"].string == "west" && ledger?["running"].bool == true, "\(String(describing: ledger))")
        // What was never begun of the move stays where it was stopped, and says so.
        #expect(end.output.contains("storefront") && !end.output.contains("undone   stop storefront"), "\(end.output)")
    }

    @Test func `a run that another process carries on is told, and ends after what it is doing`() throws {
        let shop = try shop()
        try shop.write(
            "runbooks/wait.lua", "return dr.runbook { name = 'wait', run = function() dr.log('waiting') dr.sleep('10m') end }")
        let process = Process()
        process.executableURL = ShopFixture.executable
        process.arguments = ["run", "runbooks/wait.lua", "--yes"]
        process.currentDirectoryURL = shop.folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.start()
        var name: String?
        while process.isRunning, name == nil {
            let run = try last(shop)
            if run["runbook"].string == "runbooks/wait.lua", shop.exists(".drrunbook/running"),
                try shop.read(".drrunbook/running").contains(run["run"].string ?? "?")
            {
                name = run["run"].string
            }
        }
        let told = try shop.drrunbook("pause", try #require(name))
        #expect(told.status == 0, "\(told.output)\(told.error)")
        process.waitUntilExit()
        #expect(process.terminationStatus == 9)
        #expect(told.output.contains("process \(process.processIdentifier) was told"), "\(told.output)")
        let ended = try last(shop)
        #expect(ended["outcome"].string == "stopped" && ended["resumable"].bool == true && !shop.exists(".drrunbook/stop-\(name ?? "")"))
        let again = try shop.drrunbook("pause", try #require(name))
        #expect(again.status == 5 && again.error.contains("put down already"), "\(again.error)")
    }
}
