import DRHost
import DRJournal
import DRModel
import Foundation
import Testing

/// The built executable, from a shell's point of view.
@Suite(.waitsForProcesses) struct CommandLineTests {
    @Test func `what init writes can be planned at once, and G4 the plan leaves no byte behind`() throws {
        let shop = try ShopFixture()
        let before = try shop.fingerprint()
        let answer = try shop.drrunbook("plan", "runbooks/failover.lua")
        #expect(answer.status == 0, "\(answer.error)")
        #expect(answer.output.contains("activate Application ledger @west"))
        #expect(try shop.drrunbook("lint", "runbooks/failover.lua", "runbooks/failback.lua", "runbooks/protect.lua").status == 0)
        #expect(try shop.drrunbook("status").status == 0)
        #expect(try shop.drrunbook("points").status == 0)
        #expect(try shop.drrunbook("runs").status == 0)
        #expect(try shop.fingerprint() == before)
    }

    @Test func `G4 the shop goes there and back, each time doing what the plan said`() throws {
        let shop = try ShopFixture()
        for (runbook, site) in [("protect", "east"), ("failover", "west"), ("failback", "east"), ("failover", "west")] {
            let file = "runbooks/\(runbook).lua"
            let planned = try shop.drrunbook("plan", file, "--json")
            let run = try shop.drrunbook("run", file, "--yes", "--json")
            #expect(planned.status == 0)
            #expect(run.status == 0, "\(run.error)")
            #expect(Self.effects(planned) == Self.effects(run))
            #expect(!Self.effects(run).isEmpty)
            let status = try shop.drrunbook("status", "--json")
            #expect(status.lines.map { $0["active_at"].string } == [site, site])
        }
        #expect(
            try shop.drrunbook("runs", "--json").lines.map { $0["outcome"].string } == ["succeeded", "succeeded", "succeeded", "succeeded"])
        #expect(try shop.read("sites/west/volumes/pg-data/ledger/2026-03.csv").contains("sale-4712"))
    }

    @Test func `G1 a second disaster, where the shop lives now, is answered by a failback in disaster mode`() throws {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/back.lua",
            """
            return dr.runbook {
              name = "back",
              params = { mode = { type = "string", default = "planned" } },
              run = function(p)
                dr.failback { pair = "east-west", applications = "all", mode = p.mode,
                  source_down = p.mode == "disaster" and { evidence = "west burnt down", fenced = "power" } or nil }
              end,
            }

            """)
        for runbook in ["protect", "failover"] { #expect(try shop.drrunbook("run", "runbooks/\(runbook).lua", "--yes").status == 0) }
        try FileManager.default.moveItem(atPath: shop.file("sites/west"), toPath: shop.file("sites/gone"))
        let planned = try shop.drrunbook("run", "runbooks/back.lua", "--yes")
        #expect(planned.status == 8 && planned.error.contains("mode = \"disaster\""))
        try shop.write(
            "runbooks/wrong.lua",
            """
            return dr.runbook {
              name = "wrong way",
              run = function()
                dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "x", fenced = "power" } }
              end,
            }

            """)
        let wrong = try shop.drrunbook("run", "runbooks/wrong.lua", "--yes")
        #expect(wrong.status == 8 && wrong.error.contains("dr.failback with mode = \"disaster\""), "\(wrong.error)")
        let disaster = try shop.drrunbook("run", "runbooks/back.lua", "-p", "mode=disaster", "--yes")
        #expect(disaster.status == 0, "\(disaster.error)")
        let status = try shop.drrunbook("status", "--json").lines
        #expect(status.map { $0["active_at"].string } == ["east", "east"] && status.map { $0["epoch"].integer } == [3, 3])
        #expect(status.allSatisfy { $0["running"] == true && $0["split_brain_risk"] == false })
    }

    @Test func `a drill that never was is not cleaned up, and the nearest one is named`() throws {
        let shop = try ShopFixture()
        try shop.drrunbook("run", "runbooks/protect.lua")
        try shop.write(
            "runbooks/wrong.lua",
            """
            return dr.runbook {
              name = "wrong",
              run = function()
                local d = dr.drill { pair = "east-west", applications = "all", suffix = "spring" }
                local ok, e = pcall(dr.cleanup, { drill = d.id .. "x" })
                dr.log("%s %s", ok, e)
                dr.cleanup { drill = d }
                dr.cleanup { drill = d.id }
              end,
            }

            """)
        let answer = try shop.drrunbook("run", "runbooks/wrong.lua")
        #expect(answer.status == 0, "\(answer.output) \(answer.error)")
        #expect(answer.output.contains("false") && answer.output.contains("(did you mean \""), "\(answer.output)")
    }

    @Test func `the checks are listed under either name`() throws {
        let shop = try ShopFixture()
        let answer = try shop.drrunbook("actions", "checks")
        #expect(answer.status == 0 && answer.output.contains("agent-alive"))
        #expect(try shop.drrunbook("explain", "checks").output.hasSuffix(answer.output))
    }

    private static func effects(_ answer: ShopFixture.Answer) -> [String] {
        answer.lines.filter { $0["type"].string == "action.finished" }.flatMap { line in
            (line["effects"].list ?? []).map { "\(line["path"].json()) \($0["text"].string ?? "")" }
        }
    }

    @Test func `json is one object a line and nothing else`() throws {
        let shop = try ShopFixture()
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--yes", "--json")
        let lines = answer.lines
        #expect(lines.count == answer.output.split(separator: "\n").count)
        #expect(lines.map { $0["seq"].integer } == (1...Int64(lines.count)).map { $0 })
        #expect(lines.allSatisfy { $0["v"].integer == 1 && $0["run"].string == lines[0]["run"].string && $0["time"].string != nil })
        #expect(lines.first?["type"].string == "run.started")
        let end = try #require(lines.last)
        #expect(end["type"].string == "run.finished")
        #expect(end["outcome"].string == "succeeded")
        let ledger = try #require(end["applications"].list?.first { $0["name"].string == "ledger" })
        #expect(ledger["active_at"].string == "west")
        #expect(ledger["epoch"].integer == 2)
        #expect(ledger["rpo_bound"].string == "exact")
        #expect(ledger["rpo"] == 0 || ledger["rpo"] == .number(0))
        let started = lines.filter { $0["type"].string == "action.started" }.map { $0["key"].string }
        let finished = lines.filter { $0["type"].string == "action.finished" }.map { $0["key"].string }
        #expect(Set(started) == Set(finished))
    }

    @Test func `moving what is there already succeeds and changes nothing`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/failover.lua", "--yes").status == 0)
        let before = try shop.fingerprint("sites")
        // Nothing goes live any more, so nobody has to say yes.
        let again = try shop.drrunbook("run", "runbooks/failover.lua", "--json")
        #expect(again.status == 0, "\(again.error)")
        #expect(Self.effects(again).isEmpty)
        #expect(try shop.fingerprint("sites") == before)
    }

    @Test func `G12 a cluster that does not answer is 8, and nothing is changed`() throws {
        let shop = try ShopFixture()
        try FileManager.default.moveItem(atPath: shop.file("sites/west"), toPath: shop.file("lost"))
        let before = try shop.fingerprint("sites/east/resources", "sites/east/volumes")
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--yes")
        #expect(answer.status == 8, "\(answer.output)\(answer.error)")
        #expect(answer.error.contains("west"))
        #expect(try shop.fingerprint("sites/east/resources", "sites/east/volumes") == before)
        let status = try shop.drrunbook("status", "--json")
        #expect(status.status == 0)
        #expect(status.lines.first?["clusters"]["west"].string?.contains("unknown") == true)
        #expect(try shop.drrunbook("lint", "runbooks/failover.lua").status == 0)
    }

    @Test func `G4 a plan says how long a move would take from what past runs took, and changes no byte for it`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let unknown = try shop.drrunbook("plan", "runbooks/failover.lua")
        #expect(unknown.output.contains("RTO unknown: 1 past run of this host never showed stop storefront"), "\(unknown.output)")
        #expect(try shop.drrunbook("run", "runbooks/failover.lua", "--yes").status == 0)
        #expect(try shop.drrunbook("run", "runbooks/failback.lua", "--yes").status == 0)
        let before = try shop.fingerprint()
        let plan = try shop.drrunbook("plan", "runbooks/failover.lua")
        #expect(plan.output.contains("Plan: 2 applications move east -> west, 2 start, 2 stop"), "\(plan.output)")
        #expect(plan.output.contains("critical path, as 3 past runs took: stop storefront ~"))
        #expect(plan.output.contains("possible, predicted RTO "))
        let json = try shop.drrunbook("plan", "runbooks/failover.lua", "--json").lines.last
        #expect(json?["planned"]["critical_path"].list?.count == 5)
        #expect(try shop.fingerprint() == before)
    }

    @Test func `a plan says that the journal cannot be read, and is no worse otherwise`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        try shop.write(".drrunbook/journal.sqlite", String(repeating: "no journal ", count: 1000))
        let plan = try shop.drrunbook("plan", "runbooks/failover.lua")
        #expect(plan.status == 0, "\(plan.output)\(plan.error)")
        #expect((plan.output + plan.error).contains("past runs say nothing of times: "), "\(plan.output)\(plan.error)")
        #expect(plan.output.contains("Plan: 2 applications move east -> west"))
    }

    @Test func `a plan without a cluster fails where the cluster is needed and succeeds where it is not`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        let before = try shop.fingerprint()
        #expect(try shop.drrunbook("plan", "runbooks/failover.lua", "--without", "east").status == 1)
        let disaster = try shop.drrunbook("plan", "runbooks/failover.lua", "-p", "planned=false", "--without", "east")
        #expect(disaster.status == 0, "\(disaster.output)\(disaster.error)")
        #expect(try shop.fingerprint() == before)
    }

    @Test func `G2 a run killed in the middle is listed as open and carried on to the same end`() throws {
        let undisturbed = try ShopFixture()
        #expect(try undisturbed.drrunbook("run", "runbooks/failover.lua", "--yes").status == 0)
        let expected = try undisturbed.fingerprint(
            "sites/east/resources", "sites/west/resources", "sites/west/volumes", "sites/west/.dr/state")

        for place in ["journal.begun", "journal.appended:5", "run.action-done:4", "run.outcome-recorded:5"] {
            let shop = try ShopFixture()
            let killed = try shop.drrunbook(["run", "runbooks/failover.lua", "--yes"], environment: ["DRRUNBOOK_FAILPOINT": place])
            #expect(killed.status == 137, "\(place): \(killed.error)")
            let listed = try #require(try shop.drrunbook("runs", "--json").lines.first)
            #expect(listed["resumable"].bool == true)
            let run = try #require(listed["run"].string)

            let unasked = try shop.drrunbook("resume", run)
            #expect(unasked.status == 2)
            #expect(unasked.error.contains("go live at west: this needs a yes") || unasked.error.contains("goes live at west"))
            let resumed = try shop.drrunbook("resume", run, "--yes")
            #expect(resumed.status == 0, "\(place): \(resumed.output)\(resumed.error)")
            #expect(
                try shop.fingerprint("sites/east/resources", "sites/west/resources", "sites/west/volumes", "sites/west/.dr/state")
                    == expected)

            let again = try shop.drrunbook("resume", run, "--yes")
            #expect(again.status == 5)
            #expect(try shop.drrunbook("show", run).output.contains("chain intact"))
        }
    }

    @Test func `G6 a changed record is 7, and so is the list it stands in`() throws {
        let shop = try ShopFixture()
        #expect(try shop.drrunbook("run", "runbooks/failover.lua", "--yes", "-p", "reason=original").status == 0)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.first?["run"].string)
        let file = shop.file(".drrunbook/journal.sqlite")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let place = try #require(bytes.range(of: Data("reason: original".utf8)))
        bytes.replaceSubrange(place, with: Data("reason: 0riginal".utf8))
        try bytes.write(to: URL(fileURLWithPath: file))
        let answer = try shop.drrunbook("show", run)
        #expect(answer.status == 7)
        #expect(answer.error.contains("record 0 is not what was written"), "\(answer.error)")
    }

    @Test func `a second run waits its turn: the journal has one writer`() throws {
        let shop = try ShopFixture()
        try FileManager.default.createDirectory(atPath: shop.file(".drrunbook"), withIntermediateDirectories: true)
        let journal = try SQLiteJournal.open(shop.file(".drrunbook/journal.sqlite"))
        let before = try shop.fingerprint("sites")
        let answer = try shop.drrunbook("run", "runbooks/failover.lua", "--yes")
        #expect(answer.status == 5)
        #expect(answer.error.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
        #expect(try shop.fingerprint("sites") == before)
        #expect(try shop.drrunbook("runs").status == 0)
        try journal.close()
    }

    @Test func `apply changes nothing where one of its changes was not among what was shown`() async throws {
        let shop = try ShopFixture()
        let whole = try shop.read("dr.yaml")
        let start = try #require(whole.range(of: "\nschedules:"))
        // What was looked at had the pair alone, which is changed before the schedule.
        try shop.write("dr.yaml", String(whole[..<start.lowerBound]) + "\n")
        let before = try shop.host()
        let shown = try await before.apply(plan: true)
        before.close()
        #expect(!shown.effects.isEmpty)
        try shop.write("dr.yaml", whole)
        let sites = try shop.fingerprint("sites")
        let now = try shop.host()
        defer { now.close() }
        let refused = await #expect(throws: DRError.self) { try await now.apply(plan: false, shown: shown) }
        #expect(refused?.code == .conflict && refused?.message.contains("was not among what was shown") == true)
        #expect(try shop.fingerprint("sites") == sites)
        #expect(try await now.apply(plan: false, shown: try await now.apply(plan: true)).changed)
    }

    @Test func `apply sets up what dr.yaml declares, once`() throws {
        let shop = try ShopFixture()
        let first = try shop.drrunbook("apply", "--json")
        #expect(first.status == 0, "\(first.error)")
        #expect(first.lines.map { $0["changed"].bool } == [true, true])
        #expect(shop.exists("sites/west/.dr/state/pairs/east-west.json"))
        let before = try shop.fingerprint("sites/east/.dr/state", "sites/west/.dr/state")
        let second = try shop.drrunbook("apply")
        #expect(second.status == 0)
        #expect(second.output == "everything is set up as dr.yaml says\n")
        #expect(try shop.fingerprint("sites/east/.dr/state", "sites/west/.dr/state") == before)
    }

    @Test func `every command explains itself with an example`() throws {
        let shop = try ShopFixture()
        let commands = ["init", "apply", "run", "plan", "resume", "runs", "show", "status", "points", "lint", "explain"]
        for command in commands {
            let answer = try shop.drrunbook("help", command)
            #expect(answer.status == 0)
            #expect(answer.output.contains("EXAMPLE"), "\(command)")
            #expect(answer.output.contains("drrunbook \(command)"), "\(command)")
        }
        let help = try shop.drrunbook("--help")
        for command in commands { #expect(help.output.contains("  \(command) ")) }
    }

    @Test func `what people read is at most 100 columns wide`() throws {
        let shop = try ShopFixture()
        let wide = "a-name-that-is-rather-long-for-an-application-that-sells-books"
        try shop.replace("dr.yaml", "storefront:", "\(wide):")
        try shop.replace("dr.yaml", "[ledger, storefront]", "[ledger, \(wide)]")
        #expect(try shop.drrunbook("run", "runbooks/failover.lua", "--yes").status == 0)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.first?["run"].string)
        for arguments in [["status"], ["points"], ["runs"], ["show", run, "--applications"]] {
            let answer = try shop.drrunbook(arguments)
            #expect(answer.status == 0)
            for line in answer.output.split(separator: "\n") where !line.contains("UNPROTECTED") {
                #expect(line.count <= 100, "\(line)")
            }
        }
    }
}
