import DRHost
import DRModel
import Foundation
import Testing

@testable import DRRunbook

/// Gates from a shell's point of view.
@Suite(.waitsForProcesses) struct GateHostTests {
    private func shop(approvals: String = "", quorum: Int = 1) throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write("dr.yaml", shop.read("dr.yaml") + approvals)
        try shop.write(
            "runbooks/gate.lua",
            """
            return dr.runbook { name = "gate", run = function()
              local g = dr.approve { name = "cutover", message = "Move the shop?", quorum = \(quorum) }
              dr.log("passed by %s as %s", table.concat(g.by, "+"), table.concat(g.identity, "+"))
              dr.migrate { pair = "east-west", applications = { "ledger" } }
            end }
            """)
        return shop
    }

    private func keyed(_ people: [String], quorum: Int = 1) throws -> ShopFixture {
        let shop = try ShopFixture()
        var approvals = "\napprovals:\n  people:\n"
        for person in people {
            try run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", person, "-f", shop.file("\(person).key")])
            approvals += "    \(person): { sshKey: \"\(try shop.read("\(person).key.pub").split(separator: "\n")[0])\" }\n"
        }
        let second = try self.shop(approvals: approvals, quorum: quorum)
        for person in people {
            for suffix in ["key", "key.pub"] {
                try FileManager.default.copyItem(atPath: shop.file("\(person).\(suffix)"), toPath: second.file("\(person).\(suffix)"))
            }
        }
        return second
    }

    private func run(_ program: String, _ arguments: [String], input: String? = nil) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    private func parked(_ shop: ShopFixture) throws -> String {
        let answer = try shop.drrunbook("run", "runbooks/gate.lua", "--yes")
        #expect(answer.status == 3, "\(answer.output)\(answer.error)")
        return try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string)
    }

    @Test func `G6 a run whose record is damaged is listed as damaged, with the others, and the list fails`() throws {
        let shop = try shop()
        let name = try parked(shop)
        let sound = try parked(shop)
        let file = URL(fileURLWithPath: shop.file(".drrunbook/journal.sqlite"))
        var bytes = try Data(contentsOf: file)
        let key = Data("Move the shop?".utf8)
        var places: [Range<Data.Index>] = []
        while let place = bytes[(places.last?.upperBound ?? 0)...].range(of: key) { places.append(place) }
        // Whichever of the two runs it belongs to: a gate's message as it was asked, not the runbook's source.
        let asked = try #require(places.first { bytes[..<$0.lowerBound].suffix(11) == Data("\"message\":\"".utf8) })
        bytes.replaceSubrange(asked, with: Data("Move no shop?!".utf8))
        try bytes.write(to: file)
        let list = try shop.drrunbook("runs")
        #expect(
            list.status == 7 && list.error.contains("error: the journal of run ") && list.error.contains(" is damaged"), "\(list.error)")
        #expect(list.output.contains(name) && list.output.contains(sound), "\(list.output)")
        #expect(
            list.output.components(separatedBy: "damaged").count == 2 && list.output.contains("waiting: gate cutover"), "\(list.output)")
    }

    @Test func `G10 without keys an approval is recorded as unverified, and shown so`() throws {
        let shop = try shop()
        let name = try parked(shop)
        let own = try shop.drrunbook("approve", name, "cutover")
        #expect(own.output.contains("still waits") && own.output.contains("does not count, ") && own.output.contains("started the run"))
        let approved = try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--break-glass", "the disk is dying")
        #expect(approved.output.contains("unverified, from"), "\(approved.output)\(approved.error)")
        let end = try shop.drrunbook("resume", name)
        #expect(end.status == 0, "\(end.output)\(end.error)")
        #expect(end.output.contains("passed by bob as unverified"))
        #expect(try shop.drrunbook("show", name).output.contains("breaking the glass: the disk is dying"))
    }

    @Test func `broken glass is shown by status and show until a person closes it with what came of it, once`() throws {
        let shop = try shop()
        let name = try parked(shop)
        #expect(try shop.drrunbook("status").output.contains("breaking the glass") == false)
        #expect(try shop.drrunbook("show", name, "--close", "x").status == 2)
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--break-glass", "the disk is dying").status == 0)
        #expect(try shop.drrunbook("resume", name).status == 0)
        let text = "gate cutover was passed alone by bob, breaking the glass: the disk is dying"
        #expect(try shop.drrunbook("status").output.contains("run \(name): \(text)"))
        let item = try shop.drrunbook("status", "--json").lines.first { $0["type"].string == "follow_up" }
        #expect(item?["run"].string == name && item?["text"].string == text)
        let shown = try shop.drrunbook("show", name)
        #expect(shown.output.contains("  \(text)\n") && shown.output.contains("next: drrunbook show \(name) --close"), "\(shown.output)")
        #expect(try shop.drrunbook("show", name, "--close", " ").status == 2)
        #expect(try shop.drrunbook("show", name, "--close", "looked into with carol").status == 0)
        #expect(try shop.drrunbook("show", name, "--close", "again").status == 5)
        #expect(try !shop.drrunbook("status").output.contains("breaking the glass"))
        #expect(try shop.drrunbook("show", name).output.contains("looked into with carol"))
        #expect(try shop.drrunbook("report", name).output.contains(text))
    }

    @Test func `broken glass is not closed before its run has ended`() throws {
        let shop = try shop()
        try shop.replace("runbooks/gate.lua", "dr.migrate", #"dr.approve { name = "second", message = "?" } dr.migrate"#)
        let name = try parked(shop)
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--break-glass", "the disk is dying").status == 0)
        #expect(try shop.drrunbook("resume", name).status == 3)
        let early = try shop.drrunbook("show", name, "--close", "fine")
        #expect(early.status == 5 && early.error.contains("has not ended"), "\(early.output)\(early.error)")
        #expect(try shop.drrunbook("status").output.contains("breaking the glass"))
    }

    @Test func `without keys who closed broken glass is shown as unverified`() throws {
        let shop = try shop()
        let name = try parked(shop)
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--break-glass", "x").status == 0)
        #expect(try shop.drrunbook("resume", name).status == 0)
        #expect(try shop.drrunbook("show", name, "--close", "looked into", "--as", "carol").output.contains("carol (unverified, from"))
        #expect(try shop.drrunbook("show", name).output.contains("closed by carol (unverified, from"))
    }

    @Test func `G10 where dr.yaml has keys only a signature closes broken glass, and another text under it closes nothing`() throws {
        let shop = try keyed(["alice", "bob"])
        let name = try parked(shop)
        let broken = try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--key", "bob.key", "--break-glass", "x")
        #expect(broken.status == 0, "\(broken.error)")
        #expect(try shop.drrunbook("resume", name).status == 0)
        #expect(try shop.drrunbook("show", name, "--close", "fine", "--as", "alice").status == 5)
        #expect(try shop.drrunbook("show", name, "--close", "fine", "--as", "mallory", "--key", "alice.key").status == 5)
        #expect(try shop.drrunbook("show", name, "--close", "fine", "--as", "alice", "--key", "bob.key").status == 5)
        #expect(try shop.drrunbook("status").output.contains("breaking the glass"))
        let statement = try shop.drrunbook("show", name, "--close", "fine", "--as", "alice", "--statement")
        try shop.write("statement", statement.output)
        try run(
            "/usr/bin/ssh-keygen", ["-q", "-Y", "sign", "-f", shop.file("alice.key"), "-n", "drrunbook-closing", shop.file("statement")])
        #expect(try shop.drrunbook("show", name, "--close", "other", "--as", "alice", "--signature", "statement.sig").status == 5)
        let closed = try shop.drrunbook("show", name, "--close", "fine", "--as", "alice", "--signature", "statement.sig")
        #expect(closed.status == 0 && closed.output.contains("closed by alice (key SHA256:"), "\(closed.output)\(closed.error)")
        #expect(try !shop.drrunbook("status").output.contains("breaking the glass"))
        // Somebody who can write the state folder and cannot sign.
        try shop.replace(".drrunbook/closed/\(name)", "fine", "all is well")
        #expect(try shop.drrunbook("status").output.contains("breaking the glass"))
        #expect(try !shop.drrunbook("show", name).output.contains("closed by"))
        try shop.replace(".drrunbook/closed/\(name)", "all is well", "fine")
        #expect(try !shop.drrunbook("status").output.contains("breaking the glass"))
    }

    @Test func `G10 with keys only signatures of different people count, made here or brought as a file`() throws {
        let shop = try keyed(["alice", "bob"], quorum: 2)
        let name = try parked(shop)
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "bob").status == 5)
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--break-glass", "x").status == 5)
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--key", "alice.key").status == 5)
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "mallory", "--key", "alice.key").status == 5)
        let here = try shop.drrunbook("approve", name, "cutover", "--as", "alice", "--key", "alice.key", "--comment", "fine")
        #expect(here.status == 0 && here.output.contains("still waits for 1 of 2"), "\(here.output)\(here.error)")
        #expect(try shop.drrunbook("approve", name, "cutover", "--as", "alice", "--key", "alice.key").output.contains("still waits"))
        #expect(try shop.drrunbook("resume", name).status == 3)
        let statement = try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--statement")
        try shop.write("statement", statement.output)
        try run(
            "/usr/bin/ssh-keygen", ["-q", "-Y", "sign", "-f", shop.file("bob.key"), "-n", "drrunbook-approval", shop.file("statement")])
        #expect(
            try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--signature", "statement.sig", "--comment", "other").status == 5)
        #expect(try shop.drrunbook("reject", name, "cutover", "--as", "bob", "--signature", "statement.sig").status == 5)
        let brought = try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--signature", "statement.sig")
        #expect(brought.status == 0 && brought.output.contains("is open"), "\(brought.output)\(brought.error)")
        let end = try shop.drrunbook("resume", name)
        #expect(end.status == 0)
        #expect(end.output.contains("passed by alice+bob as SHA256:"), "\(end.output)")
        #expect(!shop.exists(".drrunbook/signature"))
    }

    @Test func `a rejected run fails and says who rejected it`() throws {
        let shop = try shop()
        let name = try parked(shop)
        #expect(try shop.drrunbook("reject", name, "cutover", "--comment", "not today").status == 0)
        let end = try shop.drrunbook("resume", name)
        #expect(end.status == 5 && end.error.contains("was rejected by "), "\(end.status) \(end.output)\(end.error)")
        #expect(end.error.contains("unverified, from ") && end.error.contains("not today"), "\(end.error)")
        #expect(!end.output.contains("passed by"))
        let ended = try shop.drrunbook("runs", "--json").lines.last
        let late = try shop.drrunbook("approve", name, "cutover")
        #expect(late.status == 5 && late.error.contains("has ended"), "\(late.output)\(late.error)")
        #expect(ended?["outcome"].string != nil && ended?["resumable"].bool == false)
        #expect(try shop.drrunbook("runs", "--json").lines.last == ended)
    }

    /// Has any run passed a gate, or heard somebody at one?
    private func isPassed(_ shop: ShopFixture) throws -> Bool {
        try shop.drrunbook("runs", "--json").lines.compactMap { $0["run"].string }.contains { run in
            let records = try shop.drrunbook("show", run, "--json").lines.filter { $0["type"].string == "record" }
            let gates = Set(
                records.filter { $0["kind"].string == "intent" && $0["verb"].string == "approve" }.compactMap { $0["key"].string })
            #expect(!gates.isEmpty, "run \(run) came to no gate, so it shows nothing")
            return records.contains {
                $0["kind"].string == "approval" || ($0["kind"].string == "outcome" && gates.contains($0["key"].string ?? ""))
            }
        }
    }

    @Test func `G10 no command but approve passes a gate, whatever yes it is given`() throws {
        let shop = try shop()
        let name = try parked(shop)
        // Everything the command line offers, so that a new command has to be put here, and how it ends: one that did not get to work would show nothing.
        let harmless: [(words: [String], status: Int32)] = [
            (["init", "other"], 0), (["run", "runbooks/gate.lua", "--yes"], 3), (["plan", "runbooks/gate.lua", "--out", "gate.plan"], 0),
            (["run", "runbooks/gate.lua", "--plan", "gate.plan"], 3), (["drill", "runbooks/gate.lua"], 3), (["apply", "--yes"], 0),
            (["cleanup"], 0), (["resume", name, "--yes"], 3), (["resume", name, "--yes", "--settle", "0/1/1/do=done"], 2), (["runs"], 0),
            (["show", name], 0), (["status"], 0), (["points"], 0), (["agent", "east", "--once"], 0), (["schedules"], 0),
            (["lock", "list"], 0),
            (["lock", "break", "ledger", "--yes"], 0), (["lint", "runbooks/gate.lua"], 0), (["verify", name], 0),
            (["export", name, "-o", "x.run"], 0), (["import", "x.run"], 0), (["replay", name, "--against", "runbooks/gate.lua"], 0),
            (["report", name], 0), (["explain", "approve"], 0), (["reject", name, "other"], 2), (["approve", name, "other"], 2),
            (["approve", name, "cutover", "--statement"], 0), (["pause", name], 0), (["resume", name, "--yes"], 3), (["stop", name], 0),
            (["resume", name, "--yes"], 3), (["ready"], 4), (["actions", "checks"], 0), (["test", "runbooks"], 0), (["scrub"], 0),
            (["explore", "runbooks/gate.lua", "--limit", "5"], 0),
        ]
        #expect(Set(DRRunbook.commandNames) == Set(harmless.map { $0.words[0] } + ["serve"]))
        for (words, status) in harmless {
            let answer = try shop.drrunbook(words)
            #expect(answer.status == status, "\(words): \(answer.status) \(answer.output)\(answer.error)")
            #expect(try !isPassed(shop), "\(words)")
        }
        try serveForATime(shop)
        #expect(try !isPassed(shop), "serve")
        // And what does pass it is seen.
        #expect(try shop.drrunbook("approve", name, "cutover", "--break-glass", "x").status == 0)
        #expect(try isPassed(shop))
        #expect(try shop.drrunbook("resume", name).status == 0)
    }

    /// Until it has begun to serve.
    private func serveForATime(_ shop: ShopFixture) throws {
        let process = Process(), pipe = Pipe()
        process.executableURL = ShopFixture.executable
        process.arguments = ["serve"]
        process.currentDirectoryURL = shop.folder
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.start()
        #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self).contains("serving"))
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func `a file among the approvals that is none, or is not signed as it says, is set aside and named`() throws {
        let shop = try keyed(["alice", "bob"])
        let name = try parked(shop)
        let signed = try shop.drrunbook("approve", name, "cutover", "--as", "bob", "--key", "bob.key")
        #expect(signed.status == 0, "\(signed.error)")
        let records = try shop.drrunbook("show", name, "--json").lines
        let payload = try #require(records.last { $0["kind"].string == "approval" }?["payload"])
        try shop.write(".drrunbook/approvals/\(name)/a", "{ not json")
        try shop.write(".drrunbook/approvals/\(name)/b", payload.json(.plain).replacingOccurrences(of: "bob", with: "alice"))
        let end = try shop.drrunbook("resume", name)
        #expect(end.status == 0, "\(end.output)\(end.error)")
        for file in ["a", "b"] {
            #expect((end.output + end.error).contains("approvals/\(name)/\(file) holds no approval"), "\(end.output)\(end.error)")
            #expect(shop.exists(".drrunbook/approvals/\(name)/\(file).refused"))
        }
        #expect(try shop.drrunbook("show", name, "--json").lines.filter { $0["kind"].string == "approval" }.count == 1)
    }

    @Test func `what is said at a gate of a run that another process carries on is taken there, and told as it is`() throws {
        let shop = try shop()
        try shop.write(
            "runbooks/gate.lua",
            """
            return dr.runbook { name = "gate", run = function()
              dr.parallel {
                function() dr.approve { name = "cutover", message = "?", quorum = 2, not_author = false } dr.log("passed") end,
                function() dr.sleep("10m") end,
              }
            end }
            """)
        let process = Process()
        process.executableURL = ShopFixture.executable
        process.arguments = ["run", "runbooks/gate.lua", "--yes"]
        process.currentDirectoryURL = shop.folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.start()
        var name: String?
        while process.isRunning, name == nil {
            guard shop.exists(".drrunbook/running") else {
                usleep(20_000)
                continue
            }
            let run = try Value(json: shop.read(".drrunbook/running"))["run"].string
            if let run, try shop.drrunbook("show", run, "--json").lines.contains(where: { $0["verb"].string == "approve" }) { name = run }
        }
        let run = try #require(name)
        let first = try shop.drrunbook("approve", run, "cutover", "--as", "alice")
        #expect(first.status == 0 && first.output.contains("still waits for 1 of 2"), "\(first.output)\(first.error)")
        #expect(first.output.contains("approve  alice"))
        let alone = try shop.drrunbook("approve", run, "cutover", "--as", "bob", "--break-glass", "now")
        #expect(alone.status == 0 && alone.output.contains("gate cutover is passed"), "\(alone.output)\(alone.error)")
        #expect(process.isRunning)
        #expect(try shop.drrunbook("stop", run).status == 0)
        process.waitUntilExit()
        #expect(try shop.drrunbook("show", run).output.contains("passed"))
    }

    @Test func `G10 a script that was left stands at no gate, and what it registered for its end does`() throws {
        let shop = try shop()
        try shop.write(
            "runbooks/gate.lua",
            """
            return dr.runbook { name = "gate", run = function()
              dr.undo(function() dr.approve { name = "back", message = "Put back?", not_author = false } dr.log("put back") end)
              dr.approve { name = "cutover", message = "?", not_author = false }
            end }
            """)
        let run = try parked(shop)
        let left = try shop.drrunbook("stop", run, "--undo", "--yes")
        #expect(left.status == 3, "\(left.output)\(left.error)")
        let late = try shop.drrunbook("approve", run, "cutover")
        #expect(late.status == 2 && late.error.contains("does not stand at a gate") && late.error.contains("open: back"), "\(late.error)")
        #expect(try shop.drrunbook("approve", run, "back").status == 0)
        let end = try shop.drrunbook("resume", run)
        #expect(end.status == 9 && end.output.contains("put back"), "\(end.output)\(end.error)")
        let over = try shop.drrunbook("approve", run, "back")
        #expect(over.status == 5 && over.error.contains("it stands at no gate any more"), "\(over.error)")
    }

    @Test func `G8 a person in no list, a key that is none, are errors of dr.yaml`() throws {
        let shop = try shop(approvals: "\napprovals:\n  people:\n    alice: { sshKey: nonsense }\n  groups:\n    dba: [alcie]\n")
        let answer = try shop.drrunbook("status")
        #expect(answer.status == 2)
        #expect(answer.error.contains("expected an ssh public key"))
        #expect(answer.error.contains("did you mean \"alice\""))
    }
}
