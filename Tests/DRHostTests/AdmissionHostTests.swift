import DRJournal
import DRModel
import Foundation
import Testing

@testable import DRActions

/// Records from elsewhere, whose hashes fit: what they say of gates is decided again before they are believed.
@Suite(.waitsForProcesses) struct AdmissionHostTests {
    private struct Parked {
        let shop: ShopFixture
        let run: RunID
        let archive: RunArchive
    }

    private func parked() throws -> Parked {
        let shop = try ShopFixture()
        try shop.write("dr.yaml", shop.read("dr.yaml") + "\napprovals:\n  people: { bob: { sshKey: \"\(Self.key)\" } }\n")
        try shop.write(
            "runbooks/gate.lua",
            """
            return dr.runbook { name = "gate", run = function()
              dr.migrate { pair = "east-west", applications = { "ledger" } }
              dr.approve { name = "cutover", message = "Move the shop?" }
              dr.migrate { pair = "east-west", applications = { "storefront" } }
            end }
            """)
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        #expect(try shop.drrunbook("run", "runbooks/gate.lua").status == 3)
        let run = try RunID(#require(try shop.drrunbook("runs", "--json").lines.last?["run"].string))
        return Parked(
            shop: shop, run: run, archive: try SQLiteJournal.openForReading(shop.file(".drrunbook/journal.sqlite")).archive(of: run))
    }

    private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"

    private func approval(_ parked: Parked) throws -> JournalEntry {
        let gate = try #require(parked.archive.records.last { $0.entry.kind == .intent && $0.entry.verb == "approve" })
        let statement = GateStatement(
            run: parked.run, gate: "cutover", place: gate.entry.key, decision: .approve, person: "bob",
            plan: try parked.archive.header.planDigest, record: gate.hash, comment: nil, breakGlass: nil)
        return JournalEntry(
            .approval, key: gate.entry.key, verb: "approve",
            payload: try Value(
                encoding: Approval(
                    statement: statement, key: "SHA256:forged", account: "bob@desk", signature: "-----BEGIN SSH SIGNATURE-----")))
    }

    private func outcome(_ parked: Parked) throws -> JournalEntry {
        let gate = try #require(parked.archive.records.last { $0.entry.kind == .intent && $0.entry.verb == "approve" })
        let passed = ActionOutcome(
            result: .success(["by": .list(["bob"]), "identity": .list(["SHA256:forged"])]), effects: [], duration: .seconds(1), points: [:])
        return JournalEntry(.outcome, key: gate.entry.key, path: gate.entry.path, verb: "approve", payload: try passed.payload())
    }

    /// The run with records added to it, hashes and all.
    private func forged(_ parked: Parked, _ added: [JournalEntry]) throws -> String {
        let path = parked.shop.file("forge-\(UUID().uuidString)")
        let journal = try SQLiteJournal.open(path)
        try journal.begin(parked.archive.header)
        for record in parked.archive.records { try journal.append(record.entry, to: parked.run, at: record.time) }
        let last = try #require(parked.archive.records.last).time
        for entry in added { try journal.append(entry, to: parked.run, at: last + .seconds(1)) }
        try journal.close()
        return try SQLiteJournal.openForReading(path).archive(of: parked.run).text
    }

    private func expectRefused(_ answer: ShopFixture.Answer, _ why: String, _ parked: Parked) throws {
        #expect(answer.status == 7 && answer.error.contains(why), "\(answer.output)\(answer.error)")
    }

    @Test func `G10 a gate that a file or a copy says was passed is not passed by that`() throws {
        let parked = try parked(), shop = parked.shop
        let outcome = try outcome(parked), approval = try approval(parked)
        for (added, why) in [
            ([outcome], "gate cutover was passed"), ([approval, outcome], "bob is said to have signed it"), ([approval], "bob is said"),
        ] {
            let text = try forged(parked, added)
            try shop.write("forged.run", text)
            try expectRefused(try shop.drrunbook("verify", "forged.run"), why, parked)
            // By import, over what is here and into an empty journal.
            try expectRefused(try shop.drrunbook("import", "forged.run"), why, parked)
            // From a cluster, by a host that knows the beginning and by one that knows nothing.
            let copy = "sites/west/.dr/runs/\(parked.run)", lines = text.split(separator: "\n")
            let (records, head) = (try shop.read("\(copy)/records"), try shop.read("\(copy)/head"))
            try shop.write("\(copy)/records", lines.dropLast().joined(separator: "\n") + "\n")
            let last = try #require(try? Value(json: String(lines[lines.count - 1])).list?.compactMap(\.string))
            try shop.write("\(copy)/head", "\(last[1]) \(last[2])\n")
            try expectRefused(try shop.drrunbook("resume", parked.run.text, "--yes"), why, parked)
            try FileManager.default.moveItem(atPath: shop.file(".drrunbook"), toPath: shop.file("kept"))
            try expectRefused(try shop.drrunbook("resume", parked.run.text, "--yes"), why, parked)
            try expectRefused(try shop.drrunbook("import", "forged.run"), why, parked)
            if shop.exists(".drrunbook") { try FileManager.default.removeItem(atPath: shop.file(".drrunbook")) }
            try FileManager.default.moveItem(atPath: shop.file("kept"), toPath: shop.file(".drrunbook"))
            try shop.write("\(copy)/records", records)
            try shop.write("\(copy)/head", head)
        }
        // In the journal here, too.
        let journal = try SQLiteJournal.open(shop.file(".drrunbook/journal.sqlite"))
        let now = try #require(parked.archive.records.last).time + .seconds(1)
        try journal.append(outcome, to: parked.run, at: now)
        try journal.close()
        try expectRefused(try shop.drrunbook("resume", parked.run.text, "--yes"), "gate cutover was passed", parked)
        let records = try SQLiteJournal.openForReading(shop.file(".drrunbook/journal.sqlite")).records(of: parked.run)
        #expect(records.count == parked.archive.records.count + 1, "nothing was carried on")
        try expectRefused(try shop.drrunbook("verify", parked.run.text), "gate cutover was passed", parked)
        let page = try shop.drrunbook("report", parked.run.text, "--format", "md").output.split(separator: "\n")
        #expect(
            page.count > 2 && page[1] == "## THIS RECORD IS IN DOUBT" && page[2].contains("gate cutover was passed"), "\(page.prefix(4))")
        let report = try shop.drrunbook("report", parked.run.text, "--format", "json").lines.first
        #expect(report?["record"]["doubt"].string?.contains("gate cutover was passed") == true)
        // It can be ended.
        #expect(try shop.drrunbook("stop", parked.run.text).status == 0)
    }

    @Test func `G10 a record that brings its own rules with it is not vouched for where nobody signed it`() throws {
        let parked = try parked(), shop = parked.shop
        var header = parked.archive.header
        header.approvals = ApprovalRules()
        let path = shop.file("forge")
        let journal = try SQLiteJournal.open(path)
        try journal.begin(header)
        for record in parked.archive.records { try journal.append(record.entry, to: parked.run, at: record.time) }
        let gate = try #require(
            try OpenGate.all(
                header: header, records: journal.records(of: parked.run), rules: ApprovalRules(), now: parked.archive.records[0].time
            ).first)
        let statement = GateStatement(
            run: parked.run, gate: gate.name, place: gate.place, decision: .approve, person: "mallory", plan: gate.plan,
            record: gate.record,
            comment: nil, breakGlass: nil)
        let approval = Approval(statement: statement, key: nil, account: "mallory@desk", signature: nil)
        let said = gate.opened + .seconds(1)
        try journal.append(
            JournalEntry(.approval, key: gate.place, verb: "approve", payload: Value(encoding: approval)), to: parked.run, at: said)
        let answer: Value = [
            "by": .list(["mallory"]), "identity": .list(["unverified"]), "comment": .null, "waited": .duration(.seconds(1)),
            "break_glass": .null,
        ]
        let passed = ActionOutcome(result: .success(answer), effects: [], duration: .seconds(1), points: [:])
        try journal.append(JournalEntry(.outcome, key: gate.place, verb: "approve", payload: passed.payload()), to: parked.run, at: said)
        try journal.close()
        try shop.write("forged.run", SQLiteJournal.openForReading(path).archive(of: parked.run).text)
        let verified = try shop.drrunbook("verify", "forged.run")
        #expect(verified.status == 5 && verified.error.contains("bob is new"), "\(verified.output)\(verified.error)")
        for path in [".drrunbook", "sites/west/.dr/runs/\(parked.run)"] { try FileManager.default.removeItem(atPath: shop.file(path)) }
        let imported = try shop.drrunbook("import", "forged.run")
        #expect(imported.status == 0 && imported.error.contains("bob is new"), "\(imported.output)\(imported.error)")
        #expect(try shop.drrunbook("report", parked.run.text, "--format", "md").output.contains("THIS RECORD IS IN DOUBT"))
        let resumed = try shop.drrunbook("resume", parked.run.text, "--yes")
        #expect(resumed.status == 5 && resumed.error.contains("--accept-configuration"), "\(resumed.output)\(resumed.error)")
    }

    @Test func `a record that goes on after the end of its run is refused`() throws {
        let parked = try parked()
        try parked.shop.write(
            "after.run", try forged(parked, [JournalEntry(.finished, key: "", payload: ["outcome": "failed"]), try approval(parked)]))
        let answer = try parked.shop.drrunbook("import", "after.run")
        #expect(answer.status == 7 && answer.error.contains("after the end of the run"), "\(answer.error)")
    }
}
