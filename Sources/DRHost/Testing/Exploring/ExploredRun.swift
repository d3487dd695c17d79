internal import DRActions
internal import DRModel
internal import DRSimulation
internal import DRSupport

/// One schedule, run to its end: carried on after crashes, with lost answers settled as they were and gates passed by whoever may.
struct ExploredRun {
    let schedule: FaultSchedule
    let run: SimulatedRun
    let records: [JournalRecord]
    let start: Ending
    let ending: Ending
    /// What was seen while it ran.
    var found: [(Invariant, String)]
    let commits: [PortCall: Int]
    let outside: [OutsideWorld.Call]
    let timeline: [String]
    let trace: String
    let usesDisaster: Bool

    var report: RunReport? { run.report }
    var outcome: String { run.outcome }

    private static let mostLives = 6

    static func perform(
        _ schedule: FaultSchedule, _ file: String, _ parameters: Value, in template: Simulation, executor: ThreadExecutor
    ) async throws -> ExploredRun {
        let world = template.world.copy(seed: UInt64(schedule.pace), faults: schedule.faults)
        let simulation = Simulation(template.fixture, world: world, registry: template.registry, executor: executor)
        simulation.hasHelpfulPeople = true
        world.outside.answerAll()
        let start = Ending(world)
        let watch = WorldWatch(world)
        var found: [(Invariant, String)] = []
        let run = try await simulation.run(file, parameters, .live)
        for _ in 0..<mostLives {
            let isUnknown = run.report?.error?.code == .unknownOutcome && run.outcome == "waiting"
            guard run.id != nil, run.outcome == "interrupted" || isUnknown else { break }
            // It died when all was recorded.
            if try simulation.records(of: run).last?.entry.kind == .finished { break }
            do {
                try await simulation.resume(run) { key in world.outside.calls.contains { $0.key.hasSuffix("/" + key) } ? .done : .notDone }
            } catch let error as DRError {
                found.append((.resumable, "the run was interrupted and cannot be carried on: \(error.code.rawValue): \(error.message)"))
                break
            }
        }
        let ending = Ending(world)
        let calls = world.timeline.calls
        // The changes of the run itself; what follows is the world's.
        let (timeline, trace) = (world.timeline.text(), world.timeline.trace)
        if !ending.drills.isEmpty { found += try await leases(simulation) }
        found = watch.found + found
        return ExploredRun(
            schedule: schedule, run: run, records: try simulation.records(of: run), start: start, ending: ending, found: found,
            commits: calls,
            outside: run.outside, timeline: timeline, trace: trace,
            usesDisaster: world.activations.withLock { $0.contains { $0.order.mode == .disaster } })
    }

    // A drill that stands when its run has ended goes with its lease.
    private static func leases(_ simulation: Simulation) async throws -> [(Invariant, String)] {
        try simulation.world.heal()
        simulation.world.clock.advance(by: .seconds(30 * 24 * 3600))
        let host = simulation.host(simulation.world.process(isSpared: true))
        do {
            for drill in try await host.drills().found { _ = try await host.cleanUp(drill.id) }
        } catch let error as DRError {
            return [(.drill, "a drill cannot be removed after its lease: \(error.message)")]
        }
        return Ending(simulation.world).drills.map { (.drill, "the drill \($0) is left, though its lease is over") }
    }
}

extension RunReport {
    /// The report says something of the application that a person can go by.
    func lists(_ application: String) -> Bool {
        applications.contains { $0.name.text == application && ($0.next != nil || $0.state == .moved || $0.state == .skipped) }
            || undos.contains { $0.state != .undone && ($0.application?.text == application || $0.name.contains(application)) }
    }

    /// Something was registered to be taken back, and the report says that it was not.
    var listsAnUndo: Bool { undos.contains { $0.state != .undone } }
}
