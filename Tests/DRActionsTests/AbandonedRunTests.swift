import DRActions
import DRModel
import DRSupport
import Testing

/// Runs that somebody gives up as they stand.
@Suite struct AbandonedRunTests {
    private static let move = #"""
        dr.now()
        dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "fire", fenced = "power" } }
        """#

    /// As it lies there after the first record that `isLast` says.
    private func cut(after isLast: @escaping (JournalEntry) -> Bool) async throws -> Stage {
        let whole = Stage()
        #expect(try await whole.run(Self.move).error == nil)
        let place = whole.journal.entries.firstIndex(where: isLast)
        let index = try #require(place)
        return Stage(journal: whole.journal.cut(after: index + 1))
    }

    private func abandon(_ stage: Stage) async throws -> RunReport {
        let header = try stage.journal.header(of: "any")
        return try await stage.runner(random: 9).abandon(
            header, stage.journal.records(of: header.id), reason: "nobody can carry it on", at: ["east", "west"])
    }

    @Test func `G12 what was under way is unknown, what went live is told, and what it owes is left to look at`() async throws {
        let stage = try await cut { $0.kind == .intent && $0.verb == "start" && $0.payload["application"].string == "storefront" }
        let report = try await abandon(stage)
        #expect(report.outcome == .partial && !report.isHeld && report.error?.message == "abandoned by test: nobody can carry it on")
        let states = Dictionary(report.applications.map { ($0.name.text, $0.state) }) { first, _ in first }
        #expect(states == ["ledger": .moved, "storefront": .unknown], "\(report.applications)")
        #expect(report.undos.map(\.state) == [.owed] && stage.engine.released && stage.engine.calls.isEmpty, "\(report)")
        let end = try #require(stage.journal.entries.last)
        #expect(end.kind == .finished && end.payload["abandoned"] == ["who": "test", "reason": "nobody can carry it on"])
        await #expect { try await stage.resume() } throws: { ($0 as? DRError)?.code == .conflict }
        await #expect { try await abandon(stage) } throws: { ($0 as? DRError)?.code == .conflict }
    }

    @Test func `a run that changed nothing is stopped, and owes nothing`() async throws {
        let stage = try await cut { $0.kind == .input }
        let report = try await abandon(stage)
        #expect(report.outcome == .stopped && report.undos.isEmpty && report.applications.isEmpty, "\(report)")
    }

    @Test func `an answer that cannot be read any more is told, and keeps nobody from ending the run`() async throws {
        let stage = try await cut { $0.kind == .intent && $0.verb == "start" && $0.payload["application"].string == "storefront" }
        let header = try stage.journal.header(of: "any")
        let records = try stage.journal.records(of: header.id).map { record in
            guard record.entry.kind == .outcome, record.entry.verb == "start" else { return record }
            let strange = JournalEntry(.outcome, key: record.entry.key, verb: "start", payload: ["effects": "none"])
            return JournalRecord(index: record.index, time: record.time, entry: strange, hash: record.hash)
        }
        let report = try await stage.runner(random: 9).abandon(header, records, reason: "x", at: [])
        #expect(report.outcome == .partial)
        let warnings = stage.events.withLock { $0.compactMap { if case .warning(let text) = $0.kind { text } else { nil } } }
        #expect(warnings.contains { $0.contains("says nothing to this version") }, "\(warnings)")
    }
}
