import DRActions
import DRModel
import DRSupport
import Testing

/// What a report says is to be done next with an application that is stopped.
@Suite struct NextStepTests {
    private static let stopped = #"dr.quiesce { pair = "east-west", applications = { "ledger" } }"#

    /// The run goes on: only `resume` is right.
    private func expectResume(_ report: RunReport, _ stage: Stage) throws {
        let item = try #require(report.applications.first { $0.name == "ledger" })
        let run = try stage.journal.header(of: "any").id
        #expect(item.next?.contains("`drrunbook resume \(run)`") == true, "\(item)")
        #expect(item.next?.contains("run the runbook again") == false, "\(item)")
    }

    @Test(arguments: [
        #"dr.approve { name = "cutover", message = "?" }"#,
        #"dr.window { opens = "2030-01-01T00:00:00Z", closes = "2030-01-02T00:00:00Z" }"#,
    ])
    func `G12 a run that waits says to resume it, not to run the runbook again`(body: String) async throws {
        let stage = Stage()
        let report = try await stage.run(Self.stopped + "\n" + body)
        #expect(report.outcome == .waiting)
        try expectResume(report, stage)
    }

    @Test(arguments: [StopRequest.Kind.pause, .hold, .deadline])
    func `G12 a run that was put down says to resume it, not to run the runbook again`(kind: StopRequest.Kind) async throws {
        let stage = Stage()
        let engine = stage.engine
        let wait =
            #"dr.wait_until({ timeout = "1000000h", every = "1s" }, function() return dr.status { application = "ledger" }.active_at == "west" end)"#
        let runner = stage.runner(control: Person(kind) { engine.calls.contains("status") })
        let report = try await runner.run(RunOrder(sources: Stage.sources(Self.stopped + "\n" + wait), who: "test"))
        #expect(report.isHeld)
        try expectResume(report, stage)
    }

    @Test func `G12 a run with an answer that was lost says to resume it, not to run the runbook again`() async throws {
        let stage = Stage()
        _ = try await stage.run(Self.stopped + "\n" + #"dr.exec { argv = { "psql" } }"#)
        let index = try #require(stage.journal.entries.firstIndex { $0.kind == .intent && $0.verb == "exec" })
        let again = Stage(journal: stage.journal.cut(after: index + 1))
        let report = try await again.resume()
        #expect(report.outcome == .waiting && report.error?.code == .unknownOutcome)
        try expectResume(report, again)
    }

    @Test func `G12 a run that has ended says to run the runbook again`() async throws {
        let stage = Stage(failures: ["restart ledger": DRError(.io, "no")])
        let report = try await stage.run(Self.stopped + "\ndr.fail('enough')")
        let item = try #require(report.applications.first { $0.name == "ledger" })
        #expect(report.outcome == .partial && item.next?.contains("run the runbook again") == true, "\(item)")
    }
}
