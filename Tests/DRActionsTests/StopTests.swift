import DRActions
import DRModel
import DRSupport
import Testing

/// A person who wants a run to end once a call was made.
final class Person: RunControl {
    private let request: StopRequest
    private let isTime: @Sendable () -> Bool
    init(_ kind: StopRequest.Kind, when isTime: @escaping @Sendable () -> Bool) {
        request = StopRequest(kind, who: "alice")
        self.isTime = isTime
    }
    func begun(_ run: RunID) throws {}
    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest? {
        while !isTime() {
            if Task.isCancelled { return nil }
            await Task.yield()
        }
        return request
    }
}

@Suite struct StopTests {
    private let runbook = """
        dr.quiesce { pair = "east-west", applications = { "ledger" } }
        dr.migrate { pair = "east-west", applications = { "ledger" } }
        dr.wait_until({ timeout = "1000000h", every = "1s" }, function() return dr.status { application = "ledger" }.active_at == "west" end)
        """

    private func stopped(_ kind: StopRequest.Kind, journal: ListJournal = ListJournal()) async throws -> (Stage, RunReport) {
        let stage = Stage(journal: journal)
        let engine = stage.engine
        let person = Person(kind) { engine.calls.contains("status") }
        let runner = stage.runner(control: person)
        return (stage, try await runner.run(RunOrder(sources: Stage.sources(runbook), who: "test")))
    }

    @Test(arguments: [StopRequest.Kind.hold, .pause])
    func `a run that is put down leaves everything as it is, and is taken up again where it was`(kind: StopRequest.Kind) async throws {
        let (stage, report) = try await stopped(kind)
        #expect(report.outcome == .stopped && report.isHeld)
        #expect(report.undos.isEmpty)
        #expect(!stage.engine.calls.contains("restart ledger"))
        #expect(stage.engine.released == (kind == .hold))
        #expect(stage.journal.entries.last?.kind == .stopped)
        let again = Stage(journal: stage.journal)
        again.engine.state.withLock { $0.activeAt = ["ledger": "west"] }
        let end = try await again.resume()
        #expect(end.outcome == .partial || end.outcome == .succeeded)
        #expect(Set(again.engine.calls) == ["status"])
    }

    @Test func `G2 a run that is stopped with undo is undone once, wherever it is killed meanwhile`() async throws {
        let (stage, report) = try await stopped(.undo)
        #expect(report.outcome == .stopped && !report.isHeld)
        #expect(report.error?.code == .stopped)
        #expect(report.undos.map(\.name) == ["stop ledger"])
        #expect(stage.engine.calls.last == "restart ledger")
        let first = try #require(stage.journal.entries.firstIndex { $0.kind == .cancelled })
        for cut in (first + 1)..<stage.journal.entries.count {
            let again = Stage(journal: stage.journal.cut(after: cut))
            let end = try await again.resume()
            #expect(end.outcome == .stopped && end.undos == report.undos, "cut after \(cut)")
            for (key, call) in again.engine.keys { #expect(stage.engine.keys[key] == call, "cut after \(cut): \(key)") }
        }
    }

    @Test func `a run nobody carries on is undone from its record`() async throws {
        let (stage, _) = try await stopped(.hold)
        let again = Stage(journal: stage.journal)
        let id = try stage.journal.header(of: "any").id
        let report = try await again.runner(random: 99).resume(id, request: StopRequest(.undo, who: "bob"))
        #expect(again.engine.calls == ["status", "restart ledger"])
        #expect(report.outcome == .stopped)
        #expect(again.journal.entries.last?.kind == .finished)
    }

    @Test func `G1 a stop with undo while one of a move goes live starts no other of it where it was`() async throws {
        let whole = Stage()
        let moved = try await whole.run(#"dr.failover { pair = "east-west", applications = "all", mode = "planned" }"#)
        #expect(moved.outcome == .succeeded)
        let begun = try #require(whole.journal.entries.firstIndex { $0.kind == .intent && $0.verb == "start" })
        let stage = Stage(journal: whole.journal.cut(after: begun + 1))
        let id = try stage.journal.header(of: "any").id
        let report = try await stage.runner(random: 99).resume(id, request: StopRequest(.undo, who: "bob"))
        #expect(stage.engine.calls.contains("start ledger planned"))
        #expect(!stage.engine.calls.contains { $0.hasPrefix("restart") }, "\(stage.engine.calls)")
        #expect(report.outcome == .partial)
        #expect(report.undos.map { [$0.name, $0.state.rawValue] } == [["stop storefront", "skipped"]])
        #expect(report.undos.first?.reason?.contains("ledger of the same move is live at west") == true)
    }

    @Test func `a deadline puts the run down and undoes nothing`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            dr.quiesce { pair = "east-west", applications = { "ledger" } }
            dr.step("wait", function() pcall(function() while true do dr.sleep("1m") end end) end, { deadline = "10m" })
            """)
        #expect(report.outcome == .stopped && report.isHeld)
        #expect(report.error?.message.contains("the deadline of 10m of wait was reached") == true)
        #expect(stage.engine.calls == ["stop ledger"])
    }

    @Test func `the deadline of the whole run counts from where it was taken up`() async throws {
        let stage = Stage()
        let limits = RunLimits(deadline: .seconds(3600))
        let sources = Stage.sources("for _ = 1, 3 do dr.sleep('40m') end dr.log('through')")
        let report = try await stage.runner(limits: limits).run(RunOrder(sources: sources, who: "test"))
        #expect(report.isHeld)
        #expect(report.error?.message.contains("the run's deadline of 1h was reached") == true)
        let id = try stage.journal.header(of: "any").id
        let again = try await stage.runner(limits: limits, random: 99).resume(id)
        #expect(again.outcome == .succeeded)
        #expect(stage.logs == ["through"])
    }
}
