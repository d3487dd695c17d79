import DRActions
import DRModel
import DRSupport
import Testing

/// Notes when a run is marked as one that can be asked to end.
private final class Marking: RunControl {
    let marked = Lock<RunID?>(nil)
    func begun(_ run: RunID) throws { marked.withLock { $0 = run } }
    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest? { nil }
}

/// When a run can be asked to end.
@Suite struct MarkTests {
    @Test func `who hears that a run has begun, or goes on, can ask it to end`() async throws {
        let stage = Stage()
        let marking = Marking()
        let early = Lock<[RunID]>([])
        func runner(_ random: UInt64) -> RunbookRunner {
            stage.runner(
                random: random, control: marking,
                hears: { event in
                    guard case .runStarted = event.kind else { return }
                    if marking.marked.withLock({ $0 }) != event.run { early.withLock { $0.append(event.run) } }
                })
        }
        let gate = #"dr.approve { name = "go", message = "?" }"#
        let report = try await runner(1).run(RunOrder(sources: Stage.sources(gate), who: "test"))
        marking.marked.withLock { $0 = nil }
        #expect(try await runner(99).resume(report.run).outcome == .waiting)
        #expect(early.withLock { $0 } == [])
    }
}
