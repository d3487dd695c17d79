package import DRModel

/// The engine as one process of a simulation reaches it: every operation takes its time and meets the faults planned for it.
package struct SimulatedEngine: DREngine {
    let engine: any DREngine
    let process: SimulatedProcess

    package init(_ engine: any DREngine, _ process: SimulatedProcess) {
        self.engine = engine
        self.process = process
    }

    private func act<Result>(_ call: EngineCall, _ body: () async throws -> Result) async throws -> Result {
        try await process.act(call.key, body)
    }

    package func activate(_ order: ActivationOrder, _ call: EngineCall) async throws -> ActivationReport {
        try await act(call) {
            let report = try await engine.activate(order, call)
            process.world.activated(order, report)
            return report
        }
    }

    package func ensurePair(_ pair: ClusterPair, _ call: EngineCall) async throws -> PairReport {
        try await act(call) { try await engine.ensurePair(pair, call) }
    }
    package func ensureSchedule(_ schedule: Schedule, _ call: EngineCall) async throws -> ScheduleReport {
        try await act(call) { try await engine.ensureSchedule(schedule, call) }
    }
    package func setSuspended(_ suspended: Bool, schedule: ScheduleName, _ call: EngineCall) async throws -> ScheduleReport {
        try await act(call) { try await engine.setSuspended(suspended, schedule: schedule, call) }
    }
    package func migrate(_ order: MigrationOrder, _ call: EngineCall) async throws -> MigrationReport {
        try await act(call) { try await engine.migrate(order, call) }
    }
    package func stop(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StopReport {
        try await act(call) { try await engine.stop(order, call) }
    }
    package func restart(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StartReport {
        try await act(call) { try await engine.restart(order, call) }
    }
    package func checks(_ order: CheckOrder, _ call: EngineCall) async throws -> [CheckResult] {
        try await act(call) { try await engine.checks(order, call) }
    }
    package func status(
        of applications: [ApplicationName], without: [ClusterName], _ call: EngineCall
    ) async throws -> [ApplicationStatus] {
        try await act(call) { try await engine.status(of: applications, without: without, call) }
    }
    package func recoveryPoints(
        of applications: [ApplicationName], pair: PairName, reversed: Bool, _ call: EngineCall
    ) async throws -> [PointReport] {
        try await act(call) { try await engine.recoveryPoints(of: applications, pair: pair, reversed: reversed, call) }
    }
    package func openDrill(_ order: DrillOrder, _ call: EngineCall) async throws -> DrillReport {
        try await act(call) { try await engine.openDrill(order, call) }
    }
    package func startClone(_ order: CloneOrder, _ call: EngineCall) async throws -> CloneReport {
        try await act(call) { try await engine.startClone(order, call) }
    }
    package func cleanUp(_ drill: DrillID, _ call: EngineCall) async throws -> CleanupReport {
        try await act(call) { try await engine.cleanUp(drill, call) }
    }
    package func drills() async throws -> [DrillStatus] { try await engine.drills() }
    package func objects(_ order: ObjectOrder, _ call: EngineCall) async throws -> [Value] {
        try await act(call) { try await engine.objects(order, call) }
    }
    package func waitReady(_ order: ObjectOrder, condition: String, timeout: Duration, _ call: EngineCall) async throws -> Instant {
        try await act(call) { try await engine.waitReady(order, condition: condition, timeout: timeout, call) }
    }
    package func patch(_ order: PatchOrder, _ call: EngineCall) async throws -> PatchReport {
        try await act(call) { try await engine.patch(order, call) }
    }
    package func forget(run: RunID) async throws {
        try process.live()
        try await engine.forget(run: run)
    }
    package func release(run: RunID, at clusters: Set<ClusterName>) async throws {
        try process.live()
        try await engine.release(run: run, at: clusters)
    }
    package func park(run: RunID, at clusters: Set<ClusterName>, until: Instant?) async throws {
        try process.live()
        try await engine.park(run: run, at: clusters, until: until)
    }
}
