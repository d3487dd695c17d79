import DRHost
import DRModel
import Foundation
import Testing

@testable import DRHost

/// dr.yaml is another when a run stands at a gate, or is taken up: who may approve, and what it may reach.
@Suite(.waitsForProcesses) struct ChangedRulesTests {
    private static let people = ["alice", "bob", "carol"]

    /// A shop with a key for each of the people, and a run that waits at its first gate.
    private func parked(plan: Bool = false, asks: String = "", groups: String = "") throws -> (shop: ShopFixture, run: String) {
        let shop = try ShopFixture()
        for person in Self.people + ["other"] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-keygen")
            process.arguments = ["-q", "-t", "ed25519", "-N", "", "-C", person, "-f", shop.file("\(person).key")]
            try process.start()
            process.waitUntilExit()
        }
        try shop.write("without.yaml", shop.read("dr.yaml"))
        try write(shop, Self.people, groups: groups)
        try shop.write(
            "runbooks/gate.lua",
            """
            return dr.runbook { name = "gate", run = function()
              dr.undo(function() dr.log("taken back") end)
              dr.approve { name = "first", message = "?"\(asks) }
              dr.approve { name = "second", message = "?" }
              dr.log("went on")
            end }
            """)
        if plan { #expect(try shop.drrunbook("plan", "runbooks/gate.lua", "--out", "p.json").status == 0) }
        let answer = try shop.drrunbook(["run", "runbooks/gate.lua"] + (plan ? ["--plan", "p.json"] : ["--yes"]))
        #expect(answer.status == 3, "\(answer.output)\(answer.error)")
        return (shop, try #require(try shop.drrunbook("runs", "--json").lines.last?["run"].string))
    }

    /// dr.yaml with these people. `keys`: whose key is another's. `more`: what follows.
    private func write(
        _ shop: ShopFixture, _ people: [String], keys: [String: String] = [:], groups: String = "", more: String = ""
    ) throws {
        var text = try shop.read("without.yaml") + more
        if !people.isEmpty { text += "\napprovals:\n  people:\n" }
        for person in people {
            text += "    \(person): { sshKey: \"\(try shop.read("\(keys[person] ?? person).key.pub").split(separator: "\n")[0])\" }\n"
        }
        if !groups.isEmpty { text += "  groups: \(groups)\n" }
        try shop.write("dr.yaml", text)
    }

    private func approve(_ shop: ShopFixture, _ run: String, _ gate: String, _ person: String, key: String? = nil) throws
        -> ShopFixture.Answer
    {
        try shop.drrunbook("approve", run, gate, "--as", person, "--key", "\(key ?? person).key")
    }

    private func records(_ shop: ShopFixture, _ run: String) throws -> [Value] {
        try shop.drrunbook("show", run, "--json").lines.filter { $0["type"].string == "record" }
    }

    @Test func `G10 what is said counts under the rules by which a gate was asked, and by no others`() throws {
        let (shop, run) = try parked()
        let before = try records(shop, run)
        // Whoever can write dr.yaml takes the keys away, or puts their own in another's place.
        for (people, keys, change) in [
            ([], [:], "alice is gone"), (Self.people, ["bob": "other"], "bob has another key"),
            (["mallory"], ["mallory": "other"], "mallory is new"),
        ] as [([String], [String: String], String)] {
            try write(shop, people, keys: keys)
            let who = people.isEmpty ? ["--as", "mallory"] : ["--as", people.last == "mallory" ? "mallory" : "bob", "--key", "other.key"]
            let said = try shop.drrunbook(["approve", run, "first"] + who)
            #expect(said.status == 5 && said.error.contains(change), "\(said.output)\(said.error)")
            #expect(said.error.contains(" then, ") && said.error.contains("--accept-configuration"), "\(said.error)")
            let alone = try shop.drrunbook(["approve", run, "first", "--break-glass", "now"] + who)
            #expect(alone.status == 5 && alone.error.contains("is not who the approvals name"), "\(alone.output)\(alone.error)")
            let resumed = try shop.drrunbook("resume", run, "--yes")
            #expect(
                resumed.status == 5 && resumed.error.contains(change) && resumed.error.contains("--accept-configuration"),
                "\(resumed.error)")
            #expect(try records(shop, run) == before)
        }
        try write(shop, Self.people)
        #expect(try approve(shop, run, "first", "bob").status == 0)
        let on = try shop.drrunbook("resume", run, "--yes")
        #expect(on.status == 3 && (on.output + on.error).contains("gate second waits"), "\(on.output)\(on.error)")
    }

    @Test func `G10 breaking the glass is heard from somebody whom both dr.yaml know`() throws {
        let (shop, run) = try parked()
        try write(shop, Self.people, keys: ["bob": "other"])
        #expect(try shop.drrunbook("approve", run, "first", "--as", "carol", "--key", "carol.key", "--break-glass", "now").status == 0)
        try write(shop, Self.people)
        let on = try shop.drrunbook("resume", run, "--yes")
        #expect(on.status == 3 && (on.output + on.error).contains("gate second waits"), "\(on.output)\(on.error)")
    }

    @Test func `G10 whoever waits for a run goes by the rules that a person accepted, and takes it up when they are met`() async throws {
        let (shop, run) = try parked()
        #expect(try approve(shop, run, "first", "bob").status == 0)
        try write(shop, ["alice", "carol"])
        let host = try shop.host()
        let waiting = try await host.resume(try RunID(run), mayActivate: true, word: TakeUpWord(acceptsConfiguration: true))
        func taken() throws -> Int { try records(shop, run).count { $0["kind"].string == "resumed" } }
        let before = try taken()
        let waited = Task { try await host.carryOn(waiting, mayActivate: true) }
        #expect(try approve(shop, run, "first", "carol").status == 0)
        let next = try await waited.value
        #expect(next.outcome == .waiting && next.error?.details?["gate"] == "second", "\(next)")
        #expect(try taken() == before + 1)
    }

    @Test func `G10 under rules that a person accepted, open gates are asked anew, and the record says so`() throws {
        let (shop, run) = try parked()
        #expect(try approve(shop, run, "first", "bob").status == 0)
        try write(shop, ["alice", "carol"])
        let accepted = try shop.drrunbook("resume", run, "--yes", "--accept-configuration")
        #expect(
            accepted.status == 3 && (accepted.output + accepted.error).contains("gate first waits"),
            "bob is gone: \(accepted.output)\(accepted.error)")
        let resumed = try #require(try records(shop, run).last { $0["kind"].string == "resumed" }?["payload"])
        #expect(resumed["configuration"].string?.count == 64 && !resumed["approvals"].isNull && resumed["allow"].isNull)
        // Accepted once. What was signed for the question before is no answer to this one.
        #expect(try shop.drrunbook("resume", run, "--yes").status == 3)
        #expect(try approve(shop, run, "first", "carol").status == 0)
        #expect(try shop.drrunbook("resume", run, "--yes").status == 3)
        #expect(try approve(shop, run, "second", "carol").status == 0)
        let end = try shop.drrunbook("resume", run, "--yes")
        #expect(end.status == 0 && end.output.contains("went on"), "\(end.output)\(end.error)")
        let report = try shop.drrunbook("report", run, "--format", "json").lines.first
        #expect(
            report?["follow_ups"].list?.contains { $0.string?.contains("accepted that its approvals had changed") == true } == true,
            "\(report ?? .null)")
        #expect(try shop.drrunbook("verify", run).status == 0)
    }

    @Test func `G11 a run from a plan goes on by the dr.yaml that the plan was made with`() throws {
        let (shop, run) = try parked(plan: true)
        try write(shop, ["alice", "carol"])
        for words in [[], ["--accept-configuration"]] {
            let answer = try shop.drrunbook(["resume", run, "--yes"] + words)
            #expect(answer.status == 5 && answer.error.contains("from a plan that people looked at"), "\(answer.error)")
        }
        #expect(try shop.drrunbook("stop", run).status == 0)
    }

    @Test func `what a run may reach is what it was started with, unless a person accepts something else`() throws {
        let (shop, run) = try parked()
        try write(shop, Self.people, more: "\nallow:\n  exec: [{ name: tool, path: /bin/true, args: [\"*\"] }]\n")
        let refused = try shop.drrunbook("resume", run, "--yes")
        #expect(refused.status == 5 && refused.error.contains("allow ("), "\(refused.error)")
        let accepted = try shop.drrunbook("resume", run, "--yes", "--accept-configuration")
        #expect(accepted.status == 3, "\(accepted.error)")
        let resumed = try #require(try records(shop, run).last { $0["kind"].string == "resumed" }?["payload"])
        #expect(resumed["allow"].string?.count == 64 && resumed["approvals"].isNull)
        // Anything else of it only stands in the record.
        try shop.replace("dr.yaml", "rto: 5m", "rto: 6m")
        #expect(try shop.drrunbook("resume", run, "--yes").status == 3)
        #expect(try shop.drrunbook("show", run).output.contains("dr.yaml was another when"))
    }

    @Test(arguments: ["rotated", "removed"])
    func `a run whose approver has another key since, or is gone, is carried on and ended all the same`(
        _ how: String
    ) throws {
        for words in [["resume", "--yes", "--accept-configuration"], ["stop"], ["stop", "--undo", "--yes"]] {
            let (shop, run) = try parked()
            #expect(try approve(shop, run, "first", "bob").status == 0)
            #expect(try shop.drrunbook("resume", run, "--yes").status == 3)
            if how == "rotated" { try write(shop, Self.people, keys: ["bob": "other"]) } else { try write(shop, ["alice", "carol"]) }
            let answer = try shop.drrunbook([words[0], run] + words.dropFirst())
            let expected: Int32 = words[0] == "resume" ? 3 : words.count == 1 ? 0 : 9
            #expect(answer.status == expected, "\(words): \(answer.status) \(answer.output)\(answer.error)")
            if expected == 9 { #expect(answer.output.contains("taken back")) }
            // Nobody signed the record, so nobody knows whether bob was among them: no damage, and no good word either.
            let verified = try shop.drrunbook("verify", run)
            #expect(
                verified.status == 5 && verified.error.contains(how == "rotated" ? "bob has another key" : "bob is gone"),
                "\(verified.error)")
        }
    }

    @Test(arguments: ["{ dba: [alice] }", ""])
    func `a gate that could be asked is no reason to leave a run where it is, because its group has fewer people since, or is gone`(
        groups: String
    ) throws {
        for words in [["resume", "--yes", "--accept-configuration"], ["stop"], ["stop", "--undo", "--yes"]] {
            let (shop, run) = try parked(asks: ", quorum = 2, groups = { \"dba\" }", groups: "{ dba: [alice, bob] }")
            try write(shop, Self.people, groups: groups)
            let answer = try shop.drrunbook([words[0], run] + words.dropFirst())
            let expected: Int32 = words[0] == "resume" ? 3 : words.count == 1 ? 0 : 9
            #expect(answer.status == expected, "\(words): \(answer.status) \(answer.output)\(answer.error)")
        }
    }

    @Test func `what a call may set of a program's environment is part of what a run may reach`() throws {
        let (shop, run) = try parked()
        let tool = "\nallow:\n  exec: [{ name: tool, path: /bin/true, args: [\"*\"]"
        try write(shop, Self.people, more: tool + " }]\n")
        #expect(try shop.drrunbook("resume", run, "--yes", "--accept-configuration").status == 3)
        #expect(try shop.drrunbook("resume", run, "--yes").status == 3)
        try write(shop, Self.people, more: tool + ", env: [GIT_SSH_COMMAND] }]\n")
        let refused = try shop.drrunbook("resume", run, "--yes")
        #expect(refused.status == 5 && refused.error.contains("allow ("), "\(refused.error)")
    }
}
