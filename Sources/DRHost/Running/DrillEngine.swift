internal import DRModel

/// A runbook run as a drill: what would move an application makes a clone of it instead, and what would change anything else is left out.
///
/// It keeps nothing itself, so a drill that is carried on after a crash goes on with the clones it had.
struct DrillEngine: DREngine {
    let engine: any DREngine
    let inventory: Inventory
    let clock: any WallClock
    var lease: Duration = .seconds(4 * 3600)

    private func ends(_ pair: PairName, _ reversed: Bool) throws -> ClusterPair {
        guard let known = inventory.pair(pair), let pair = reversed ? known.reversed : known else {
            throw DRError(.unknownName, "dr.yaml declares no pair \"\(pair)\" that leads this way", hint: "a drill sets up no pairs")
        }
        return pair
    }

    func activate(_ order: ActivationOrder, _ call: EngineCall) async throws -> ActivationReport {
        let pair = try ends(order.pair, order.reversed)
        var points: [String: PointID] = [:]
        points[order.application.text] = order.point
        let drill = try await engine.openDrill(
            DrillOrder(pair: order.pair, reversed: order.reversed, applications: [order.application], points: points, lease: lease),
            call.part("drill"))
        let clone = try await engine.startClone(
            CloneOrder(drill: drill.id, cluster: drill.cluster, application: order.application), call.part("clone"))
        let silent = order.mode == .disaster ? [pair.source] : []
        let status = try await engine.status(of: [order.application], without: silent, call).first
        return ActivationReport(
            application: order.application, active_at: drill.cluster, epoch: status?.epoch ?? .first, recovery_point: clone.recovery_point,
            instant: clone.instant, rpo: .atMost(max(.zero, clone.ready_at - clone.instant)), ready_at: clone.ready_at,
            split_brain_risk: false, changed: true, former: .drill)
    }

    func ensurePair(_ pair: ClusterPair, _ call: EngineCall) async throws -> PairReport {
        PairReport(name: pair.name, source: pair.source, destination: pair.destination, changed: false)
    }

    func ensureSchedule(_ schedule: Schedule, _ call: EngineCall) async throws -> ScheduleReport {
        ScheduleReport(
            name: schedule.name, pair: schedule.pair, applications: schedule.applications, suspended: schedule.suspended, changed: false)
    }

    func setSuspended(_ suspended: Bool, schedule: ScheduleName, _ call: EngineCall) async throws -> ScheduleReport {
        guard let known = inventory.schedules.first(where: { $0.name == schedule }) else {
            throw DRError.unknown("schedule", schedule.text, among: inventory.schedules.map(\.name.text))
        }
        return ScheduleReport(
            name: schedule, pair: known.pair, applications: known.applications, suspended: known.suspended, changed: false)
    }

    /// Nothing is copied: what counts is what the destination would have if the source were gone now.
    func migrate(_ order: MigrationOrder, _ call: EngineCall) async throws -> MigrationReport {
        let points = try await engine.recoveryPoints(of: order.applications, pair: order.pair, reversed: order.reversed, call)
        var items: [String: MigrationReport.Item] = [:]
        for name in order.applications {
            guard let point = points.first(where: { $0.application == name && $0.verified_at != nil }) else {
                throw DRError(
                    .noRecoveryPoint, "\(name) has no verified recovery point at the destination, and a drill makes none",
                    hint: "migrate it first")
            }
            items[name.text] = MigrationReport.Item(
                recovery_point: point.id, resources: 0, volumes: 0, bytes_read: .zero, bytes_sent: .zero, consistency: point.consistency,
                instant: point.instant)
        }
        return MigrationReport(applications: items, duration: .zero)
    }

    func stop(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StopReport {
        StopReport(
            application: order.application, cluster: try ends(order.pair, order.reversed).source, stopped_at: clock.now(), changed: false)
    }

    func restart(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StartReport {
        StartReport(
            application: order.application, cluster: try ends(order.pair, order.reversed).source, ready_at: clock.now(), changed: false)
    }

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
    /// The real one is not touched, and nobody looks at the clone through it.
    func patch(_ order: PatchOrder, _ call: EngineCall) async throws -> PatchReport { PatchReport(changed: false, inverse: [:]) }
    func forget(run: RunID) async throws { try await engine.forget(run: run) }
    func release(run: RunID, at clusters: Set<ClusterName>) async throws { try await engine.release(run: run, at: clusters) }
    func takeUp(_ holder: LockHolder, at clusters: Set<ClusterName>) async throws { try await engine.takeUp(holder, at: clusters) }
    func park(run: RunID, at clusters: Set<ClusterName>, until: Instant?) async throws {
        try await engine.park(run: run, at: clusters, until: until)
    }
}

extension EngineCall {
    /// A part of the call, with the same effects.
    func part(_ name: String) -> EngineCall { EngineCall(key: key.part(name), holder: holder, effects: effects, points: points) }
}
