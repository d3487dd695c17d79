import DRHost
import DRModel
import Foundation
import Testing

/// Runbooks that call runbooks, as they lie in a team's folder.
@Suite(.waitsForProcesses) struct CalledRunbookTests {
    private func shop(inner: String = "dr.approve { name = 'drained', message = 'Drained?', not_author = false }") throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/drain.lua",
            """
            return dr.runbook {
              name = "drain",
              params = { pool = { type = "string", required = true } },
              run = function(p)
                dr.step("out of " .. p.pool, function() dr.suspend_schedule { name = "shop" } end)
                \(inner)
              end,
            }
            """)
        try shop.write(
            "runbooks/move.lua",
            """
            local drain = require "drain"
            return dr.runbook {
              name = "move",
              run = function()
                dr.call(drain, { pool = "web" })
                dr.failover { pair = "east-west", applications = "all", mode = "planned" }
              end,
            }
            """)
        return shop
    }

    @Test func `G4 G10 a gate within a called runbook parks the run, and its effects are those of the plan`() throws {
        let shop = try shop()
        let planned = try shop.drrunbook("plan", "runbooks/move.lua", "--json")
        #expect(planned.status == 0, "\(planned.error)")
        let effects = effects(planned)
        #expect(effects.contains { $0.hasPrefix("drain/out of web: ") }, "\(effects)")
        #expect(try shop.drrunbook("run", "runbooks/move.lua", "--yes").status == 3)
        let name = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        #expect(try shop.drrunbook("approve", name, "drained").status == 0)
        let resumed = try shop.drrunbook("resume", name, "--yes", "--json")
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(self.effects(resumed) == effects)
    }

    private func effects(_ answer: ShopFixture.Answer) -> [String] {
        answer.lines.filter { $0["type"].string == "action.finished" }.flatMap { line -> [String] in
            let path = (line["path"].list ?? []).compactMap(\.string).joined(separator: "/")
            return (line["effects"].list ?? []).map { "\(path): \($0["text"].string ?? "")" }
        }
    }

    @Test func `G11 a changed runbook that is called makes a plan stale, and one beside it does not`() throws {
        let shop = try shop(inner: "")
        #expect(try shop.drrunbook("plan", "runbooks/move.lua", "--out", "p.json").status == 0)
        try shop.replace("runbooks/protect.lua", "return", "-- edited\nreturn")
        try shop.replace("runbooks/drain.lua", "out of ", "away from ")
        let stale = try shop.drrunbook("run", "runbooks/move.lua", "--plan", "p.json")
        #expect(stale.status == 5 && stale.error.contains("the plan no longer fits: runbooks/drain.lua has changed"), "\(stale.error)")
        try shop.replace("runbooks/drain.lua", "away from ", "out of ")
        let run = try shop.drrunbook("run", "runbooks/move.lua", "--plan", "p.json")
        #expect(run.status == 0, "\(run.error)")
    }

    @Test func `a resume carries on the recorded text of a called runbook and says that the file was edited`() throws {
        let shop = try shop()
        #expect(try shop.drrunbook("run", "runbooks/move.lua", "--yes").status == 3)
        let name = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        try shop.replace("runbooks/drain.lua", "dr.step", "dr.fail('no') dr.step")
        let replayed = try shop.drrunbook("replay", name, "--against", "runbooks/move.lua")
        #expect(replayed.status != 0 && replayed.error.contains("suspend_schedule"), "\(replayed.error)")
        #expect(try shop.drrunbook("approve", name, "drained").status == 0)
        let resumed = try shop.drrunbook("resume", name, "--yes")
        #expect(resumed.status == 0, "\(resumed.error)")
        let told = "runbooks/drain.lua was edited since run \(name) was started; the recorded text is carried on"
        #expect((resumed.output + resumed.error).contains(told), "\(resumed.output)\(resumed.error)")
    }

    @Test func `what is called lies in the folder of runbooks: no name and no link leads out of it`() throws {
        let shop = try shop()
        try shop.write("drain.lua", "error('not this one')")
        try shop.replace("runbooks/move.lua", "\"drain\"", "\"../drain\"")
        let named = try shop.drrunbook("plan", "runbooks/move.lua")
        #expect(named.status == 2 && named.error.contains("is no module name"), "\(named.error)")
        try shop.replace("runbooks/move.lua", "\"../drain\"", "\"linked\"")
        try FileManager.default.createSymbolicLink(atPath: shop.file("runbooks/linked.lua"), withDestinationPath: "../drain.lua")
        let linked = try shop.drrunbook("plan", "runbooks/move.lua")
        #expect(linked.status == 2 && linked.error.contains("there is no module \"linked\""), "\(linked.error)")
    }

    @Test func `explore, test with coverage and lint see what a called runbook does`() throws {
        let shop = try shop(inner: "")
        try shop.write(
            "runbooks/move_test.lua",
            """
            local t = require "dr.test"
            t.case("moves", function(sim) sim:run("protect.lua") t.outcome(sim:run("move.lua"), "succeeded") end)
            """)
        let test = try shop.drrunbook("test", "runbooks/move_test.lua", "--coverage")
        #expect(test.status == 0, "\(test.output)\(test.error)")
        #expect(test.output.contains("runbooks/drain.lua"), "\(test.output)")
        let wrong = try shop.drrunbook("explore", "runbooks/move.lua", "--limit", "20")
        #expect(wrong.status == 1 && wrong.output.contains("the schedule shop is still suspended"), "\(wrong.output)\(wrong.error)")
        let undo = "dr.undo(function() dr.resume_schedule { name = 'shop' } end, { application = 'ledger', while_active_at = 'east' }) "
        try shop.replace("runbooks/drain.lua", "dr.step", undo + "dr.step")
        let sound = try shop.drrunbook("explore", "runbooks/move.lua", "--limit", "20")
        #expect(sound.status == 0, "\(sound.output)\(sound.error)")
        try shop.replace("runbooks/drain.lua", "dr.step", "dr.stpe")
        let lint = try shop.drrunbook("lint", "runbooks/move.lua")
        #expect(lint.status != 0 && (lint.output + lint.error).contains("runbooks/drain.lua:5"), "\(lint.output)\(lint.error)")
    }

    @Test func `running_as is drill in the hooks of a drill`() throws {
        let shop = try shop()
        try shop.write(
            "runbooks/try.lua",
            """
            return dr.runbook { name = "try", run = function()
              local d = dr.drill { pair = "east-west", applications = "all", on = { ready = function() dr.log("hook: " .. dr.running_as) end } }
              dr.log("run: " .. dr.running_as)
              dr.cleanup { drill = d }
            end }
            """)
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let run = try shop.drrunbook("run", "runbooks/try.lua", "--yes")
        #expect(run.status == 0 && run.output.contains("hook: drill") && run.output.contains("run: live"), "\(run.output)\(run.error)")
    }
}
