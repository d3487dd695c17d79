import DRActions
import DRModel
import DRSupport
import Testing

/// What a plan says would be undone if its run failed.
@Suite struct PlannedUndoTests {
    private let move = """
        dr.undo(function() dr.suspend_schedule { name = "first" } end, { name = "first" })
        dr.undo(function() dr.suspend_schedule { name = "name" } end, { name = "name", application = "ledger" })
        dr.undo(function() dr.suspend_schedule { name = "home" } end, { name = "home", application = "ledger", while_active_at = "east" })
        dr.quiesce { pair = "east-west", applications = { "ledger", "storefront" } }
        dr.activate { pair = "east-west", applications = { "ledger", "storefront" }, recovery_point = "latest", mode = "planned" }
        dr.undo(function() dr.suspend_schedule { name = "last" } end, { name = "last" })
        """

    private func report(_ body: String, isPlan: Bool = true, failures: [String: DRError] = [:]) async throws -> RunReport {
        let stage = Stage(failures: failures)
        let runner = RunbookRunner(
            engine: stage.engine, outside: stage.outside, inventory: Stage.inventory, clock: stage.clock, random: CountingRandom(),
            journal: stage.journal, host: "here", process: 1, who: "test", predicted: isPlan, executor: ThreadExecutor(name: "runbook"))
        return try await runner.run(RunOrder(sources: Stage.sources(body), who: "test"))
    }

    @Test func `a plan names what a failure would undo, the last registered first, and until when`() async throws {
        let notes = try await report(move).notes
        #expect(notes.compensations.map(\.name) == ["last", "stop ledger", "stop storefront", "home", "name", "first"])
        let live = "ledger is live at west"
        #expect(notes.compensations.map(\.until) == [nil, live, live, live, live, nil])
        #expect(notes.compensations.map(\.restarts) == [false, true, true, false, false, false])
        #expect(notes.compensations.map(\.cluster?.text) == [nil, "east", "east", "east", nil, nil])
    }

    @Test func `what went live at the destination is named as never undone`() async throws {
        let notes = try await report(move).notes
        #expect(notes.stays.map(\.application.text) == ["ledger", "storefront"])
        #expect(notes.stays.allSatisfy { $0.cluster.text == "west" })
    }

    @Test(arguments: ["start ledger planned", "start storefront planned"])
    func `G4 a run that fails undoes no more than its plan named, and in that order`(_ call: String) async throws {
        let planned = try await report(move).notes.compensations
        let run = try await report(move, isPlan: false, failures: [call: DRError(.io, "no answer")])
        let undone = run.undos.filter { $0.state == .undone }.map(\.name)
        let isLive = call == "start storefront planned"
        // `last` was not registered before the failure.
        #expect(undone == planned.filter { $0.name != "last" && !(isLive && $0.until != nil) }.map(\.name))
        #expect(!undone.isEmpty)
    }

    @Test func `settle ends what was registered before it`() async throws {
        let notes = try await report(
            """
            dr.undo(function() end, { name = "a" })
            dr.settle()
            dr.undo(function() end, { name = "b" })
            """
        ).notes
        #expect(notes.compensations.map(\.name) == ["b", "a"])
        #expect(notes.compensations.map { $0.until?.hasPrefix("settle() at test.lua:") } == [nil, true])
    }

    @Test func `an undo whose application went live is over then, whatever the runbook settles afterwards`() async throws {
        let notes = try await report(
            """
            dr.undo(function() end, { name = "before", application = "ledger" })
            dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }
            dr.undo(function() end, { name = "after", application = "ledger" })
            dr.settle()
            """
        ).notes
        let until = Dictionary(uniqueKeysWithValues: notes.compensations.map { ($0.name, $0.until) })
        #expect(until["before"] == "ledger is live at west" && until["after"] == "ledger is live at west", "\(until)")
    }

    @Test func `what the plan itself has undone is not named again, and a run names nothing`() async throws {
        #expect(try await report(move + "\ndr.fail(\"x\")").notes.compensations.map(\.name) == ["stop ledger", "stop storefront"])
        #expect(try await report(move, isPlan: false).notes.compensations.isEmpty)
    }
}
