import DRModel
import DRReport
import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct ReportTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Snapshots")
    private static let start = Instant(nanosecondsSince1970: 1_772_331_300_000_000_000)

    private static let header = RunHeader(
        id: "20260301-021500-3f2a", runbook: "runbooks/failover.lua", sources: ["runbooks/failover.lua": "00ff"], texts: [:],
        parameters: ["reason": "move <b>now</b> | today"], configuration: "c0ffee", who: "alice@host", seed: 42, started: start,
        plan: "abcd")

    /// A move of two applications over a gate, one undo that failed, and a call that a person settled.
    private static func records() throws -> [JournalRecord] {
        var list: [JournalRecord] = []
        func add(_ seconds: Int64, _ entry: JournalEntry) {
            list.append(JournalRecord(index: Int64(list.count), time: start + .seconds(seconds), entry: entry, hash: "h\(list.count)"))
        }
        func action(
            _ begin: Int64, _ end: Int64, _ key: String, _ verb: String, _ input: Value, _ result: Value = [:], _ effects: [Effect] = []
        ) throws {
            add(begin, JournalEntry(.intent, key: key, path: ["failover"], verb: verb, payload: input))
            add(
                end,
                JournalEntry(
                    .outcome, key: key, path: ["failover"], verb: verb,
                    payload: [
                        "result": result, "effects": try Value(encoding: effects), "duration": .duration(.seconds(end - begin)),
                        "points": [:],
                    ]))
        }
        try action(1, 2, "0/1/1/do", "locate", ["pair": "east-west"])
        try action(
            2, 5, "0/2/1/do", "stop", ["application": "ledger"], [:],
            [Effect(.scale, kind: "StatefulSet", name: "pg", from: "1", to: "0", at: "east")])
        try action(
            5, 5, "0/7/1/do", "checks", ["pair": "east-west"],
            [
                ["id": "capacity", "state": "ok", "message": "west has 10 GiB, 2 GiB are needed"],
                ["id": "store-reachable", "state": "warning", "message": "vault answered after 3s", "fix": "look at vault"],
            ])
        add(5, JournalEntry(.intent, key: "0/3/1/do", verb: "approve", payload: ["name": "cutover", "message": "Go?", "show": ["lag": 3]]))
        let statement = GateStatement(
            run: header.id, gate: "cutover", place: "0/3/1/do", decision: .approve, person: "bob", plan: "p", record: "r", comment: "fine",
            breakGlass: "fire")
        add(
            30,
            JournalEntry(
                .approval, key: "0/3/1/do", verb: "approve",
                payload: try Value(encoding: Approval(statement: statement, key: nil, account: "bob@desk", signature: nil))))
        add(
            35,
            JournalEntry(
                .outcome, key: "0/3/1/do", verb: "approve",
                payload: [
                    "result": ["by": ["bob"], "break_glass": "fire"], "effects": [], "duration": .duration(.seconds(30)), "points": [:],
                ]))
        try action(35, 36, "0/4/1/do", "exec", ["argv": ["psql"]], ["settled": "done"])
        try action(
            36, 50, "0.5-1/1/1/do", "start", ["application": "ledger", "mode": "planned"], [:],
            [Effect(.activate, kind: "Application", name: "ledger", at: "west")])
        try action(36, 40, "0.5-2/1/1/do", "migrate", ["applications": ["storefront"]])
        try action(
            51, 60, "0/6/1/do", "start", ["application": "storefront", "mode": "planned"], [:],
            [Effect(.activate, kind: "Application", name: "storefront", at: "west")])
        add(
            61,
            JournalEntry(
                .note, key: "1/1", verb: "undo",
                payload: try Value(encoding: RunReport.Undo(name: "pool", application: nil, state: .failed, reason: "no answer"))))
        let items = ["ledger", "storefront"].map { name in
            let application = Application(
                name: ApplicationName(stringLiteral: name), namespaces: ["shop"], rto: .seconds(name == "ledger" ? 30 : 300),
                rpo: .seconds(900))
            return RunReport.Item(
                name: ApplicationName(stringLiteral: name), active_at: "west", epoch: Epoch(2), state: .moved,
                rpo: name == "ledger" ? .exact(.zero) : .unknown,
                rto: .seconds(58), reason: nil, next: nil, from: "east", bytes_sent: ByteCount(100), verified_at: start,
                recovery_point: name == "ledger" ? "rp-20260301-021500-a1b2" : nil, split_brain_risk: name != "ledger",
                targets: RecoveryTargets(application), rto_at_least: name != "ledger")
        }
        add(
            62,
            JournalEntry(
                .finished, key: "",
                payload: [
                    "outcome": "partial", "error": try Value(encoding: DRError(.failed, "enough")),
                    "applications": try Value(encoding: items), "results": ["moved": 2],
                ]))
        return list
    }

    private func golden(_ name: String, _ text: String) throws {
        let url = Self.folder.appending(path: name)
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == text, "run `make record` and look at Tests/Snapshots/\(name)")
    }

    @Test func `G6 the report is what the record says, to the byte`() throws {
        let evidence = try RunEvidence(header: Self.header, records: Self.records())
        try golden("report.md", evidence.markdown())
        try golden("report.html", evidence.html())
        try golden("report.json", evidence.json.json(.plain) + "\n")
        try golden("report.xml", evidence.junit())
        let again = try RunEvidence(header: Self.header, records: Self.records())
        #expect(again.html() == evidence.html() && again.json == evidence.json)
    }

    @Test func `the time to recovery is split, and its critical path is what waited for one another`() throws {
        let recovery = try #require(try RunEvidence(header: Self.header, records: Self.records()).recovery)
        #expect(recovery.detect == .zero)
        #expect(recovery.decide == .seconds(30))
        #expect(recovery.machine == .seconds(28))
        #expect(recovery.ready - recovery.began == .seconds(58))
        #expect(recovery.critical.map(\.verb) == ["stop", "approve", "exec", "start", "start"])
    }

    @Test func `G12 what a person has to look into is listed`() throws {
        let list = try RunEvidence(header: Self.header, records: Self.records()).followUps
        #expect(list.contains("gate cutover was passed alone by bob, breaking the glass: fire"))
        #expect(list.contains("gate cutover: the identity of bob (unverified, from bob@desk) was not verified"))
        #expect(list.contains("not undone (failed): pool: no answer"))
        #expect(list.contains("settled by a person as done: failover > exec"))
    }

    @Test func `G12 what was asked for and never begun is no call without an outcome, and what may have begun is one`() throws {
        func evidence(_ entries: JournalEntry...) throws -> RunEvidence {
            try RunEvidence(
                header: Self.header,
                records: entries.enumerated().map { JournalRecord(index: Int64($0), time: Self.start, entry: $1, hash: "") })
        }
        func call(_ key: String) -> JournalEntry { JournalEntry(.intent, key: key, verb: "exec", payload: ["argv": ["tool"]]) }
        func word(_ kind: JournalEntry.Kind, _ keys: Value?) -> JournalEntry {
            JournalEntry(
                kind, key: "",
                payload: .map(["kind": "undo", "who": "bob"].merging(keys.map { ["keys": $0] } ?? [:]) { $1 }))
        }
        let asked = "no outcome recorded: exec"
        #expect(try evidence(call("0/1/1/do")).followUps == [asked])
        #expect(try evidence(call("0/1/1/do"), word(.stopped, ["0/1/1/do"])).followUps == [])
        #expect(try evidence(call("0/1/1/do"), word(.stopped, [])).followUps == [asked], "it was under way")
        #expect(
            try evidence(call("0/1/1/do"), word(.stopped, ["0/1/1/do"]), JournalEntry(.resumed, key: "")).followUps == [asked],
            "whoever took it up may have begun it")
        #expect(try evidence(call("0/1/1/do"), call("0/2/1/do"), word(.cancelled, ["0/1/1/do"])).followUps == [asked], "one was under way")
        #expect(try evidence(call("0/1/1/do"), word(.cancelled, nil)).followUps == [asked], "as older versions left a script")
        #expect(try evidence(call("1/1/1/do"), word(.cancelled, [])).followUps == [asked], "the end of a run goes on")
        #expect(try evidence(word(.cancelled, []), call("1/1/1/undo")).followUps == [asked])
    }

    private static func disaster(_ mode: RunningAs, _ former: FormerSite?, risk: Bool = false, starts: [Value] = []) throws -> RunEvidence {
        var header = Self.header
        header.runningAs = mode
        let item = RunReport.Item(
            name: "ledger", active_at: "west", epoch: Epoch(2), state: .moved, rpo: .unknown, rto: nil, reason: nil,
            next: "when east is back, do this", from: "east", split_brain_risk: risk, former: former)
        var entries: [JournalEntry] = []
        for (index, input) in starts.enumerated() {
            entries.append(JournalEntry(.intent, key: "0/\(index)/1/do", verb: "start", payload: input))
            let effects = [Effect(.activate, kind: "Application", name: "ledger", at: "west")]
            entries.append(
                JournalEntry(
                    .outcome, key: "0/\(index)/1/do", verb: "start",
                    payload: ["result": [:], "effects": try Value(encoding: effects), "duration": .duration(.zero), "points": [:]]))
        }
        entries.append(
            JournalEntry(.finished, key: "", payload: ["outcome": "succeeded", "applications": try Value(encoding: [item])]))
        return try RunEvidence(
            header: header,
            records: entries.enumerated().map { JournalRecord(index: Int64($0), time: start, entry: $1, hash: "h\($0)") })
    }

    @Test(
        arguments: [
            (.fenced, "seen stopped there, and fenced", false), (.said, "said to be cut off, not seen", true),
            (.agent, "its agent had promised to stop it by then, not seen", true), (nil, "no risk is noted", false),
        ] as [(FormerSite?, String, Bool)])
    func `G12 the report says why the former site is no risk, and no more than that`(
        _ former: FormerSite?, _ words: String, _ isToBeLookedAt: Bool
    ) throws {
        let evidence = try Self.disaster(.live, former)
        #expect(evidence.markdown().contains("| \(words) |"))
        #expect(evidence.followUps.contains { $0.contains("see that nothing of it runs at east any more") } == isToBeLookedAt)
    }

    @Test func `G12 the report of a drill sends nobody to the site that serves`() throws {
        for former in [FormerSite.drill, nil] {
            let evidence = try Self.disaster(
                .drill, former, starts: [["application": "ledger", "mode": "disaster", "source_fenced": true]])
            #expect(evidence.followUps.isEmpty && evidence.markdown().contains("| serves on: this was a drill |"))
        }
    }

    @Test func `G12 of an older record the last move of an application says why there is no risk, not an earlier one`() throws {
        let there: Value = ["application": "ledger", "mode": "disaster", "source_fenced": true]
        let back: Value = ["application": "ledger", "mode": "planned", "reversed": true]
        #expect(try Self.disaster(.live, nil, starts: [there, back]).markdown().contains("| seen stopped there, and fenced |"))
        #expect(try Self.disaster(.live, nil, starts: [there]).markdown().contains("| said to be cut off, not seen |"))
    }

    @Test func `G7 no text of a run becomes markup of the page`() throws {
        let page = try RunEvidence(header: Self.header, records: Self.records()).html()
        #expect(!page.contains("<b>now") && page.contains("&lt;b&gt;now&lt;/b&gt;"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"))
    }

    // The same run with other words in it.
    private func report(_ words: String) throws -> RunEvidence {
        var header = Self.header
        header = RunHeader(
            id: header.id, runbook: words, sources: [words: "00ff"], texts: [:], parameters: ["reason": .string(words)],
            configuration: "c0ffee", who: words, seed: 42, started: Self.start)
        let records = try Self.records().map { record -> JournalRecord in
            var payload = record.entry.payload
            if record.entry.kind == .intent, record.entry.verb == "approve" {
                payload = ["name": .string(words), "message": .string(words), "show": .string(words)]
            } else if record.entry.kind == .approval {
                let statement = GateStatement(
                    run: header.id, gate: words, place: record.entry.key, decision: .approve, person: words, plan: "p", record: "r",
                    comment: words, breakGlass: words)
                payload = try Value(encoding: Approval(statement: statement, key: nil, account: words, signature: nil))
            } else if record.entry.kind == .note {
                payload = try Value(encoding: RunReport.Undo(name: words, application: nil, state: .failed, reason: words))
            } else if record.entry.kind == .finished {
                payload = ["outcome": "partial", "error": try Value(encoding: DRError(.failed, words)), "results": ["x": .string(words)]]
            }
            let entry = record.entry
            return JournalRecord(
                index: record.index, time: record.time,
                entry: JournalEntry(entry.kind, key: entry.key, path: [words], verb: entry.verb, payload: payload), hash: record.hash)
        }
        return try RunEvidence(header: header, records: records)
    }

    private static let hostile = [
        "x\n## Gate cutover\n\n- passed after 30s", "a | b | c |\n|---|", "| +30s | approve | alice |", "# head", "- item", "1. one",
        "> quote",
        "![x](https://evil.example/x.png)", "[ok](javascript:1)", "<script>alert(1)</script>", "`code", "\\", "~~~", "---", "===", "* * *",
        "x\r## y", "x\u{2028}## y", "\u{1B}[2J\u{1B}[31m", "\u{202E}dlrow", "\0\u{7}\u{9B}", "\u{FFFE}", "  # indented", "&lt;b&gt;",
    ]

    /// Where its lines begin what, and how many cells each has.
    private func shape(_ markdown: String) -> [String] {
        markdown.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let begin = line.prefix { "#-|".contains($0) || $0 == " " }
            return begin + " \(line.replacing("\\\\", with: "").replacing("\\|", with: "").count { $0 == "|" })"
        }
    }

    @Test(arguments: Self.hostile.indices) func `G7 no text of a run forges a line of its report`(index: Int) throws {
        let words = Self.hostile[index]
        let harmless = try report("words").markdown(), forged = try report(words).markdown()
        #expect(shape(forged) == shape(harmless), "\(words.debugDescription)")
        for text in [forged, try report(words).html(), try report(words).junit()] {
            #expect(
                !text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || (0x7F..<0xA0).contains($0.value) || $0.value == 0x202E })
        }
        // What is left without the characters that were escaped.
        var isEscaped = false
        let active = String(
            forged.filter { character in
                defer { isEscaped = character == "\\" && !isEscaped }
                return !isEscaped
            })
        #expect(!active.contains("[") && !active.contains("<") && !active.contains("`") && !active.contains("&"))
        let reader = Reader()
        let parser = XMLParser(data: Data(try report(words).junit().utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(reader.cases == 1)
    }

    private final class Reader: NSObject, XMLParserDelegate {
        var cases = 0
        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) { if name == "testcase" { cases += 1 } }
    }

    @Test func `G10 who counted at a gate is told beside who spoke`() throws {
        var records = try Self.records()
        let place = try #require(records.firstIndex { $0.entry.kind == .approval })
        func said(_ person: String, _ decision: Approval.Decision, _ seconds: Int64) throws -> JournalRecord {
            let statement = GateStatement(
                run: Self.header.id, gate: "cutover", place: "0/3/1/do", decision: decision, person: person, plan: "p", record: "r",
                comment: nil, breakGlass: nil)
            let approval = Approval(statement: statement, key: nil, account: "x@y", signature: nil)
            return JournalRecord(
                index: 0, time: Self.start + .seconds(seconds),
                entry: JournalEntry(.approval, key: "0/3/1/do", verb: "approve", payload: try Value(encoding: approval)), hash: "")
        }
        records.insert(try said("alice", .approve, 20), at: place)
        records.append(try said("bob", .approve, 70))
        let evidence = try RunEvidence(header: Self.header, records: records)
        let gate = try #require(evidence.gates.first)
        #expect(gate.said.map { gate.counts($0) } == [false, true, false], "neither who may not, nor what came after")
        #expect(gate.counted == ["bob (unverified)"])
        #expect(evidence.markdown().contains("- counted: bob (unverified)"))
        #expect(evidence.json["gates"].list?.first?["counted"] == .list(["bob (unverified)"]))
    }

    @Test func `gates that are open side by side are waited for once`() throws {
        var records = try Self.records()
        func add(_ seconds: Int64, _ kind: JournalEntry.Kind, _ payload: Value) {
            records.append(
                JournalRecord(
                    index: 0, time: Self.start + .seconds(seconds),
                    entry: JournalEntry(kind, key: "0.9-1/1/1/do", verb: "approve", payload: payload), hash: ""))
        }
        add(15, .intent, ["name": "second", "message": "?"])
        add(40, .outcome, ["result": ["by": ["bob"]], "effects": [], "duration": .duration(.seconds(25)), "points": [:]])
        let recovery = try #require(try RunEvidence(header: Self.header, records: records).recovery)
        // 5 to 35 and 15 to 40.
        #expect(recovery.decide == .seconds(35))
        #expect(recovery.machine == .seconds(23))
    }

    /// Approved after 6.5 s, held for 4 s, at a window for 5 s, crashed for 2 s, and live 30 s after it began.
    private static func disaster(since: Instant?) throws -> [JournalRecord] {
        var list: [JournalRecord] = []
        func add(_ seconds: Double, _ kind: JournalEntry.Kind, _ key: String, _ verb: String, _ payload: Value) {
            list.append(
                JournalRecord(
                    index: Int64(list.count), time: start + .milliseconds(Int64(seconds * 1000)),
                    entry: JournalEntry(kind, key: key, verb: verb, payload: payload), hash: "h\(list.count)"))
        }
        func outcome(_ result: Value, _ effects: [Effect] = []) throws -> Value {
            ["result": result, "effects": try Value(encoding: effects), "duration": .duration(.zero), "points": [:]]
        }
        add(0, .intent, "0/1/1/do", "approve", ["name": "disaster", "message": "Give up east?"])
        // Parked meanwhile: the gate is what it waits for.
        add(6, .resumed, "", "", .null)
        add(6.5, .outcome, "0/1/1/do", "approve", try outcome(["by": ["bob"]]))
        add(6.5, .stopped, "", "", ["kind": "hold", "who": "bob", "keys": []])
        add(10.5, .resumed, "", "", .null)
        add(10.5, .intent, "0/2/1/do", "window", ["opens": .instant(start + .seconds(15))])
        add(15.5, .outcome, "0/2/1/do", "window", try outcome([:]))
        add(15.5, .intent, "0/3/1/do", "locate", ["pair": "east-west"])
        add(16, .outcome, "0/3/1/do", "locate", try outcome([:]))
        var input: [String: Value] = ["application": "ledger", "mode": "disaster"]
        input["down_since"] = since.map(Value.instant)
        add(16, .intent, "0/4/1/do", "start", .map(input))
        add(18, .resumed, "", "", .null)
        add(30, .outcome, "0/4/1/do", "start", try outcome([:], [Effect(.activate, kind: "Application", name: "ledger", at: "west")]))
        return list
    }

    @Test func `G12 in a disaster the decision counts, and what the run was not carried on for is not the machine's`() throws {
        let evidence = try RunEvidence(header: Self.header, records: Self.disaster(since: nil))
        let recovery = try #require(evidence.recovery)
        #expect(recovery.began == Self.start && recovery.ready - recovery.began == .seconds(30))
        #expect(recovery.detect == nil && recovery.isAtLeast)
        #expect(recovery.decide == .milliseconds(6500))
        #expect(recovery.waited == .seconds(11))
        #expect(recovery.machine == .milliseconds(12500))
        try golden("disaster.md", evidence.markdown())
        let known = try #require(
            try RunEvidence(header: Self.header, records: Self.disaster(since: Self.start - .seconds(90))).recovery)
        #expect(known.detect == .seconds(90) && !known.isAtLeast && known.ready - known.began == .seconds(120))
        #expect(known.decide == recovery.decide && known.waited == recovery.waited && known.machine == recovery.machine)
    }

    @Test func `a run that has only begun has a report, too`() throws {
        let evidence = try RunEvidence(header: Self.header, records: Array(Self.records().prefix(3)))
        #expect(evidence.recovery == nil)
        #expect(evidence.outcome == nil)
        #expect(evidence.markdown().contains("no outcome recorded: failover > stop ledger"))
    }
}
