import DRActions
import DRModel
import DRSupport
import Testing

/// What a plan's runbook reads of how long its moves take.
@Suite struct PlannedMoveTimeTests {
    private func planned(_ body: String, knows: [String: Int]) async throws -> (logs: [String], assumed: [String], report: RunReport) {
        var past = PastDurations()
        for (what, seconds) in knows {
            let words = what.split(separator: " ").map(String.init)
            let input: Value =
                words.count > 1 ? ["application": .string(words[1])] : ["applications": ["ledger"], "final": .bool(words[0] == "migrate")]
            past.note(words[0], input, took: .seconds(seconds))
        }
        let stage = Stage()
        let events = stage.events
        let runner = RunbookRunner(
            engine: stage.engine, outside: stage.outside, inventory: Stage.inventory, clock: stage.clock, random: CountingRandom(),
            journal: stage.journal, host: "here", process: 1, who: "test", predicted: true, expectations: past,
            executor: ThreadExecutor(name: "runbook")
        ) { event in events.withLock { $0.append(event) } }
        let report = try await runner.run(RunOrder(sources: Stage.sources(body), who: "test"))
        return (stage.logs, report.notes.assumptions.map { "\($0.what) = \($0.value)" }, report)
    }

    private static let move = """
        local f = dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }
        if f.rto > dr.duration("15m") then dr.log("slow") else dr.log("fast") end
        dr.log("%s", f.applications.ledger.rto)
        """
    private static let all = ["locate": 1, "checks": 2, "stop ledger": 60, "migrate": 240, "start ledger": 900]

    @Test func `G4 the RTO that a plan's runbook reads is what past runs took, and the look is noted`() async throws {
        let (logs, assumed, report) = try await planned(Self.move, knows: Self.all)
        #expect(logs == ["slow", "20m"])
        #expect(assumed.contains("failover.rto = 20m"))
        #expect(report.applications.map(\.rto) == [.seconds(1200)])
    }

    @Test func `G4 what no past run has shown counts as nothing, and the note says at least`() async throws {
        let (logs, assumed, report) = try await planned(Self.move, knows: Self.all.filter { $0.key != "start ledger" })
        #expect(logs == ["fast", "5m"])
        #expect(assumed.contains("failover.rto = at least 5m (no past run has shown all of it)"))
        #expect(report.outcome == .succeeded && report.applications.map(\.rto) == [nil])
    }

    @Test func `G4 an RTO of which no past run has shown anything is called unknown, with what it is taken as`() async throws {
        let (logs, assumed, _) = try await planned(Self.move, knows: [:])
        #expect(logs == ["fast", "0s"])
        #expect(assumed.contains("failover.rto = unknown (no past run), taken as 0s"))
    }

    @Test func `a disaster's predicted RTO counts from when the source was lost, as its run's does`() async throws {
        let (logs, _, report) = try await planned(
            """
            local f = dr.failover { pair = "east-west", applications = { "ledger" }, mode = "disaster",
              source_down = { evidence = "dark", fenced = "power", since = dr.now() - "1h" } }
            dr.log("%s", f.rto)
            """, knows: ["locate": 1, "checks": 2, "recovery_points": 3, "start ledger": 900])
        let known: Duration? = .seconds(3600 + 1 + 2 + 3 + 900)
        #expect(report.applications.map(\.rto) == [known])
        #expect(logs == [known?.text])
    }
}
