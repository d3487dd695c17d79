import DRActions
import DRJournal
import DRModel
import DRSupport
import Foundation
import Testing

@testable import DRHost

/// One run and two hosts: a host is a `state` folder here.
@Suite(.waitsForProcesses) struct TakeoverTests {
    private static let counting = """
        \nallow:
          exec: [{ name: tool, path: TOOL, args: ["*"] }]
        """

    private func shop(_ body: String) throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write("tool.sh", "#!/bin/sh\necho called >> \"$(dirname \"$0\")/calls\"\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: shop.file("tool.sh"))
        try shop.write("dr.yaml", shop.read("dr.yaml") + Self.counting.replacing("TOOL", with: shop.file("tool.sh")))
        try shop.write("runbooks/two.lua", "return dr.runbook { name = \"two\", run = function()\n\(body)\nend }\n")
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        return shop
    }

    private func killed(_ shop: ShopFixture, at place: String) throws -> String {
        let answer = try shop.drrunbook(["run", "runbooks/two.lua", "--yes"], environment: ["DRRUNBOOK_FAILPOINT": place])
        #expect(answer.status == 137, "\(answer.output)\(answer.error)")
        return try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
    }

    private func toHost(_ name: String, from other: String, _ shop: ShopFixture) throws {
        if shop.exists(".drrunbook") { try FileManager.default.moveItem(atPath: shop.file(".drrunbook"), toPath: shop.file(other)) }
        if shop.exists(name) { try FileManager.default.moveItem(atPath: shop.file(name), toPath: shop.file(".drrunbook")) }
    }

    private let moves = """
        dr.migrate { pair = "east-west", applications = { "ledger" } }
        dr.log("%s", tostring(dr.now()))
        dr.migrate { pair = "east-west", applications = { "storefront" } }
        """

    @Test func `who would take a run from a process that is at work is told whose it is, and asked`() throws {
        let shop = try shop(#"dr.quiesce { pair = "east-west", applications = { "ledger" } } dr.sleep("10m")"#)
        try shop.write("other.yaml", shop.read("dr.yaml").replacing("state: .drrunbook", with: "state: other"))
        let running = try RunningRun(shop, "runbooks/two.lua", until: "sleep")
        var terminal = try Terminal(shop, "resume", running.name, "--config", "other.yaml")
        terminal.wait(for: "Type \"takeover\"")
        #expect(terminal.text.contains("is carried on by process \(running.process.processIdentifier) on "), "\(terminal.text)")
        try terminal.master.write(contentsOf: Data("no\n".utf8))
        terminal.process.waitUntilExit()
        #expect(terminal.process.terminationStatus == 9 && !shop.exists("other/journal.sqlite"), "\(terminal.text)")
        #expect(try shop.drrunbook("stop", running.name).status == 0)
        running.process.waitUntilExit()
    }

    @Test func `G2 a host that comes back after another took its run over neither carries it on nor touches its record`() throws {
        let shop = try shop(moves)
        // The outcome is in the journal and not at the cluster: the other host records one of its own.
        let run = try killed(shop, at: "run.outcome-recorded:1")
        try toHost("b", from: "a", shop)
        let taken = try shop.drrunbook("resume", run)
        #expect(taken.status == 0 && (taken.output + taken.error).contains("is taken over from"), "\(taken.output)\(taken.error)")
        let copy = try shop.fingerprint("sites/west/.dr/runs/\(run)"), sites = try shop.fingerprint("sites")
        try toHost("a", from: "b", shop)
        for words in [["resume", run], ["stop", run], ["stop", run, "--undo", "--yes"]] {
            let back = try shop.drrunbook(words)
            #expect(back.status == 5, "\(words): \(back.output)\(back.error)")
            #expect(back.error.contains("carried on twice: record ") && back.error.contains("wrote to west"), "\(back.error)")
        }
        #expect(try shop.fingerprint("sites/west/.dr/runs/\(run)") == copy)
        #expect(try shop.fingerprint("sites") == sites)
    }

    @Test func `G2 a host that wrote nothing since takes what the other one recorded, and finds the run ended`() throws {
        let shop = try shop(moves)
        let run = try killed(shop, at: "run.action-done:1")
        try toHost("b", from: "a", shop)
        #expect(try shop.drrunbook("resume", run).status == 0)
        let there = try shop.drrunbook("show", run, "--json").lines.compactMap { $0["hash"].string }
        try toHost("a", from: "b", shop)
        let back = try shop.drrunbook("resume", run, "--yes")
        #expect(back.status == 5 && back.error.contains("has ended: succeeded"), "\(back.output)\(back.error)")
        let here = try shop.drrunbook("show", run, "--json").lines.compactMap { $0["hash"].string }
        #expect(here == there, "\(here.count) of \(there.count)")
    }

    @Test func `G6 a copy that is no beginning of the record here is never written over`() throws {
        let shop = try ShopFixture()
        let configuration = try shop.host().configuration
        let signatures = try shop.host().headSignatures
        let header = RunHeader(
            id: "r-1", runbook: "x.lua", sources: [:], texts: ["x.lua": ""], parameters: [:], configuration: "", who: "alice@a", seed: 1,
            started: Instant(nanosecondsSince1970: 0))
        func journal(_ name: String, _ logs: [String]) throws -> SQLiteJournal {
            let journal = try SQLiteJournal.open(shop.file(name))
            try journal.begin(header)
            for (index, text) in logs.enumerated() {
                try journal.append(
                    JournalEntry(.log, key: "0/\(index)", verb: "log", payload: .string(text)), to: "r-1",
                    at: Instant(nanosecondsSince1970: Int64(index)))
            }
            return journal
        }
        let change = MirrorOccasion.change(["pair": "east-west"])
        let first = try journal("a", ["one", "two"]), other = try journal("b", ["one", "three", "four"])
        let mine = ClusterMirror(journal: first, configuration: configuration, owner: "alice@a 1 x", signatures: signatures)
        let theirs = ClusterMirror(journal: other, configuration: configuration, owner: "bob@b 2 y", signatures: signatures)
        _ = try mine.write("r-1", for: [(change, at: nil)])
        let before = try shop.fingerprint("sites/west/.dr")
        for attempt in [{ _ = try theirs.write("r-1", for: [(change, at: nil)]) }, { try theirs.claim("r-1") }] {
            let error = #expect(throws: DRError.self) { try attempt() }
            #expect(error?.code == .fenced && error?.details?["record"].integer == 1, "\(String(describing: error))")
            #expect(error?.message.contains("alice@a") == true)
        }
        #expect(try shop.fingerprint("sites/west/.dr") == before)
        // One that had less of it, too.
        let shorter = ClusterMirror(
            journal: try journal("c", ["one"]), configuration: configuration, owner: "carol@c 3 z", signatures: signatures)
        #expect(throws: DRError.self) { try shorter.write("r-1", for: [(change, at: nil)]) }
        // Whoever goes on from there may, and fences who was there before.
        let longer = ClusterMirror(
            journal: try journal("d", ["one", "two", "five"]), configuration: configuration, owner: "dave@d 4 w", signatures: signatures)
        try longer.claim("r-1")
        try first.append(JournalEntry(.log, key: "9"), to: "r-1", at: Instant(nanosecondsSince1970: 9))
        let fenced = #expect(throws: DRError.self) { try mine.write("r-1", for: [(change, at: nil)]) }
        #expect(fenced?.code == .fenced && fenced?.message.contains("taken over by dave@d") == true)
        _ = try longer.write("r-1", for: [(change, at: nil)])
        #expect(try shop.read("sites/west/.dr/runs/r-1/head").hasPrefix("3 "))
    }

    // MARK: Calls outside

    @Test func `G2 a call outside that was under way on another host is not made again`() throws {
        let shop = try shop(#"dr.exec { argv = { "tool" } }"#)
        let run = try killed(shop, at: "run.action-done:1")
        try toHost("b", from: "a", shop)
        let taken = try shop.drrunbook("resume", run)
        #expect(taken.status == 3 && (taken.output + taken.error).contains("nobody knows"), "\(taken.output)\(taken.error)")
        #expect(try shop.read("calls") == "called\n")
        #expect(try shop.drrunbook("resume", run, "--settle", "0/1/1/do=done").status == 0)
        #expect(try shop.read("calls") == "called\n")
    }

    @Test func `a host that only asks what became of a lost call has not taken the run`() throws {
        let shop = try shop(#"dr.migrate { pair = "east-west", applications = { "ledger" } } dr.exec { argv = { "tool" } }"#)
        let run = try killed(shop, at: "run.action-done:2")
        let owner = try shop.read("sites/west/.dr/runs/\(run)/owner")
        try toHost("b", from: "a", shop)
        #expect(try shop.drrunbook("resume", run, "--yes").status == 3)
        #expect(try shop.read("sites/west/.dr/runs/\(run)/owner") == owner)
        #expect(try shop.drrunbook("resume", run, "--yes", "--settle", "0/2/1/do=done").status == 0)
        #expect(try shop.read("sites/west/.dr/runs/\(run)/owner") != owner)
    }

    @Test func `a run that a process carries on elsewhere is taken from it by nobody who has not said so`() throws {
        let shop = try shop(
            """
            dr.migrate { pair = "east-west", applications = { "ledger" } }
            dr.sleep("15s")
            dr.migrate { pair = "east-west", applications = { "storefront" } }
            """)
        try shop.write("other.yaml", shop.read("dr.yaml").replacingOccurrences(of: "state: .drrunbook", with: "state: other   "))
        let first = Process(), errors = Pipe()
        first.executableURL = ShopFixture.executable
        first.arguments = ["run", "runbooks/two.lua", "--yes"]
        first.currentDirectoryURL = shop.folder
        first.standardOutput = FileHandle.nullDevice
        first.standardError = errors
        try first.run()
        var run: String?
        while first.isRunning, run == nil {
            let found = try shop.drrunbook("runs", "--json").lines.last?["run"].string ?? ""
            if try shop.drrunbook("show", found, "--json").lines.contains(where: { $0["verb"].string == "sleep" }) { run = found }
        }
        let name = try #require(run), owner = try shop.read("sites/west/.dr/runs/\(name)/owner")
        for words in [["resume", name, "--yes"], ["stop", name], ["stop", name, "--undo", "--yes"]] {
            let answer = try shop.drrunbook(words + ["--config", "other.yaml"])
            #expect(answer.status == 5, "\(words): \(answer.output)\(answer.error)")
            #expect(answer.error.contains("is carried on by process \(first.processIdentifier) on "), "\(answer.error)")
            #expect(answer.error.contains("last sign of life") && answer.error.contains("--take-over"), "\(answer.error)")
        }
        #expect(first.isRunning)
        #expect(try shop.read("sites/west/.dr/runs/\(name)/owner") == owner)
        let taken = try shop.drrunbook("resume", name, "--yes", "--take-over", "--config", "other.yaml")
        #expect(taken.status == 0 && (taken.output + taken.error).contains("is taken over from"), "\(taken.output)\(taken.error)")
        first.waitUntilExit()
        #expect(first.terminationStatus == 5)
    }

    @Test func `G2 a call outside that must not be made twice is not made where nobody could find it recorded`() throws {
        let shop = try shop(
            """
            dr.log("%s", tostring(select(2, pcall(dr.exec, { argv = { "tool" } }))))
            dr.exec { argv = { "tool" }, idempotent = true }
            """)
        for site in ["east", "west"] { try FileManager.default.removeItem(atPath: shop.file("sites/\(site)/cluster.yaml")) }
        let answer = try shop.drrunbook("run", "runbooks/two.lua", "--yes")
        #expect(answer.status == 0 && answer.output.contains("no cluster can take a copy"), "\(answer.output)\(answer.error)")
        #expect(try shop.read("calls") == "called\n", "only the one that may be repeated")
    }

    @Test func `a cluster that is gone keeps no call from being made that does not need it`() throws {
        let shop = try shop(#"dr.exec { argv = { "tool" } } dr.suspend_schedule { name = "shop" }"#)
        try shop.replace("dr.yaml", "clusters:\n", "clusters:\n  north: { directory: sites/north }\n  south: { directory: sites/south }\n")
        try shop.replace(
            "dr.yaml", "pairs:\n", "pairs:\n  a-first: { source: north, destination: south, objectStore: vault, bothWays: true }\n")
        let answer = try shop.drrunbook("run", "runbooks/two.lua", "--yes")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
        #expect(try shop.read("calls") == "called\n")
    }

    @Test func `G6 the end of a run that was resumed stands at the clusters, and so does where it waits`() throws {
        let shop = try shop(
            #"dr.migrate { pair = "east-west", applications = { "ledger" } } dr.approve { name = "go", message = "?" } dr.log("end")"#)
        #expect(try shop.drrunbook("run", "runbooks/two.lua").status == 3)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        #expect(try shop.drrunbook("verify", run).output.contains("anchored: "))
        #expect(try shop.drrunbook("approve", run, "go", "--as", "bob", "--break-glass", "x").status == 0)
        #expect(try shop.drrunbook("resume", run).status == 0)
        let verified = try shop.drrunbook("verify", run)
        #expect(verified.status == 0 && !verified.output.contains("not anchored"), "\(verified.output)")
    }

    @Test func `G10 an approval is taken where the run is carried on, and refused elsewhere with a word of where`() throws {
        let shop = try shop(
            """
            dr.migrate { pair = "east-west", applications = { "ledger" } }
            dr.approve { name = "go", message = "?", not_author = false }
            dr.log("went on")
            """)
        #expect(try shop.drrunbook("run", "runbooks/two.lua").status == 3)
        let run = try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
        try toHost("b", from: "a", shop)
        #expect(try shop.drrunbook("resume", run).status == 3)
        try toHost("a", from: "b", shop)
        let before = try shop.fingerprint("sites", ".drrunbook")
        let answer = try shop.drrunbook("approve", run, "go")
        #expect(answer.status == 5 && answer.error.contains("is carried on by") && answer.error.contains("say it there"), "\(answer.error)")
        #expect(try shop.fingerprint("sites") == before.split(separator: "\n").filter { $0.hasPrefix("sites") }.joined(separator: "\n"))
        #expect(try shop.drrunbook("show", run, "--json").lines.allSatisfy { $0["kind"].string != "approval" })
        try toHost("b", from: "a", shop)
        #expect(try shop.drrunbook("approve", run, "go").status == 0)
        let end = try shop.drrunbook("resume", run)
        #expect(end.status == 0 && end.output.contains("went on"), "\(end.output)\(end.error)")
    }

    @Test func `G5 a drill copies no record to any cluster`() throws {
        let shop = try shop(#"local d = dr.drill { pair = "east-west", applications = { "ledger" } } dr.cleanup { drill = d }"#)
        let before = ["east", "west"].map { shop.exists("sites/\($0)/.dr/runs") ? (try? shop.fingerprint("sites/\($0)/.dr/runs")) : nil }
        let answer = try shop.drrunbook("drill", "runbooks/two.lua")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
        let after = ["east", "west"].map { shop.exists("sites/\($0)/.dr/runs") ? (try? shop.fingerprint("sites/\($0)/.dr/runs")) : nil }
        #expect(after == before)
    }
}
