internal import DRModel

/// Lets an application go live somewhere else only when a person said yes to it, whatever the runbook does.
///
/// The command line asks before the run, by what a plan shows. This holds where the run then differs from its plan. What was begun under a yes goes on under it: between
/// its fence and its start an application runs nowhere, and only going forward mends that.
struct ActivationGate: DREngine {
    let engine: any DREngine
    let isConfirmed: Bool
    /// Activations that may have been begun when somebody had said yes.
    var begun: Set<OperationKey> = []

    func activate(_ order: ActivationOrder, _ call: EngineCall) async throws -> ActivationReport {
        guard isConfirmed || begun.contains(call.key) else {
            throw DRError(
                .notAllowed, "\(order.application) was to go live over \(order.pair), and nobody confirmed that",
                hint: "run it again with --yes, or on a terminal")
        }
        return try await engine.activate(order, call)
    }

    func ensurePair(_ pair: ClusterPair, _ call: EngineCall) async throws -> PairReport { try await engine.ensurePair(pair, call) }
    func ensureSchedule(_ schedule: Schedule, _ call: EngineCall) async throws -> ScheduleReport {
        try await engine.ensureSchedule(schedule, call)
    }
    func setSuspended(_ suspended: Bool, schedule: ScheduleName, _ call: EngineCall) async throws -> ScheduleReport {
        try await engine.setSuspended(suspended, schedule: schedule, call)
    }
    func migrate(_ order: MigrationOrder, _ call: EngineCall) async throws -> MigrationReport { try await engine.migrate(order, call) }
    func stop(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StopReport { try await engine.stop(order, call) }
    func restart(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StartReport { try await engine.restart(order, call) }
    func checks(_ order: CheckOrder, _ call: EngineCall) async throws -> [CheckResult] { try await engine.checks(order, call) }
    func status(of applications: [ApplicationName], without: [ClusterName], _ call: EngineCall) async throws -> [ApplicationStatus] {
        try await engine.status(of: applications, without: without, call)
    }
    func recoveryPoints(
        of applications: [ApplicationName], pair: PairName, reversed: Bool, _ call: EngineCall
    ) async throws -> [PointReport] {
        try await engine.recoveryPoints(of: applications, pair: pair, reversed: reversed, call)
    }
    func openDrill(_ order: DrillOrder, _ call: EngineCall) async throws -> DrillReport { try await engine.openDrill(order, call) }
    func startClone(_ order: CloneOrder, _ call: EngineCall) async throws -> CloneReport { try await engine.startClone(order, call) }
    func cleanUp(_ drill: DrillID, _ call: EngineCall) async throws -> CleanupReport { try await engine.cleanUp(drill, call) }
    func drills() async throws -> [DrillStatus] { try await engine.drills() }
    func objects(_ order: ObjectOrder, _ call: EngineCall) async throws -> [Value] { try await engine.objects(order, call) }
    func waitReady(_ order: ObjectOrder, condition: String, timeout: Duration, _ call: EngineCall) async throws -> Instant {
        try await engine.waitReady(order, condition: condition, timeout: timeout, call)
    }
    func patch(_ order: PatchOrder, _ call: EngineCall) async throws -> PatchReport { try await engine.patch(order, call) }
    func forget(run: RunID) async throws { try await engine.forget(run: run) }
    func release(run: RunID, at clusters: Set<ClusterName>) async throws { try await engine.release(run: run, at: clusters) }
    func takeUp(_ holder: LockHolder, at clusters: Set<ClusterName>) async throws { try await engine.takeUp(holder, at: clusters) }
    func park(run: RunID, at clusters: Set<ClusterName>, until: Instant?) async throws {
        try await engine.park(run: run, at: clusters, until: until)
    }
}

extension ActivationGate {
    /// The activations of a run that were asked for under a yes and have no outcome.
    static func begun(_ header: RunHeader, _ records: [JournalRecord]) -> Set<OperationKey> {
        var isConfirmed = header.confirmed == true
        var begun: Set<OperationKey> = []
        for record in records {
            let key = OperationKey("\(header.id)/\(record.entry.key)")
            switch record.entry.kind {
            case .resumed: isConfirmed = record.entry.payload["confirmed"].bool == true
            case .intent where isConfirmed && record.entry.verb == "start": begun.insert(key)
            case .outcome: begun.remove(key)
            default: break
            }
        }
        return begun
    }
}
