import DRModel
import DRSupport

/// An engine that does nothing, remembers every call with its key, and fails where a test says so.
final class RecordedEngine: DREngine {
    struct State {
        var calls: [String] = []
        var keys: [String: String] = [:]
        /// Calls that were asked for by the key of another one.
        var conflicts: [String] = []
        var failures: [String: DRError] = [:]
        var activeAt: [ApplicationName: ClusterName] = [:]
        var stopped: Set<ApplicationName> = []
        var unreachable: [String] = []
        var released = false
        var forgotten: [RunID] = []
        var withoutPoint: [ApplicationName] = []
        /// Of these the newest point is fuzzy.
        var fuzzy: [ApplicationName] = []
        /// No cluster says where an application is.
        var isBlind = false
        /// Keeps a migration under way.
        var hold: (@Sendable () async -> Void)?
    }

    let state: Lock<State>
    let inventory: Inventory
    let clock: any WallClock

    init(inventory: Inventory, clock: any WallClock, failures: [String: DRError] = [:]) {
        self.inventory = inventory
        self.clock = clock
        state = Lock(State(failures: failures))
    }

    var calls: [String] { state.withLock { $0.calls } }
    var keys: [String: String] { state.withLock { $0.keys } }

    // The text is what tests compare; a failure is given by it.
    private func note(_ text: String, _ call: EngineCall) throws {
        let failure = state.withLock { state in
            state.calls.append(text)
            if let former = state.keys.updateValue(text, forKey: call.key.text), former != text {
                state.conflicts.append("\(call.key.text): \(former), then \(text)")
            }
            return state.failures[text]
        }
        if let failure { throw failure }
    }

    private func direction(_ name: PairName, _ reversed: Bool) throws -> ClusterPair {
        guard let pair = inventory.pair(name), let direction = reversed ? pair.reversed : pair else {
            throw DRError(.unknownName, "no pair")
        }
        return direction
    }

    func ensurePair(_ pair: ClusterPair, _ call: EngineCall) async throws -> PairReport {
        try note("pair \(pair.name)", call)
        return PairReport(name: pair.name, source: pair.source, destination: pair.destination, changed: true)
    }

    func ensureSchedule(_ schedule: Schedule, _ call: EngineCall) async throws -> ScheduleReport {
        try note("schedule \(schedule.name)", call)
        return ScheduleReport(
            name: schedule.name, pair: schedule.pair, applications: schedule.applications, suspended: schedule.suspended, changed: true)
    }

    func setSuspended(_ suspended: Bool, schedule: ScheduleName, _ call: EngineCall) async throws -> ScheduleReport {
        try note("\(suspended ? "suspend" : "resume") \(schedule)", call)
        return ScheduleReport(name: schedule, pair: "east-west", applications: [], suspended: suspended, changed: true)
    }

    func migrate(_ order: MigrationOrder, _ call: EngineCall) async throws -> MigrationReport {
        try note("migrate \(order.applications.map(\.text).joined(separator: "+"))\(order.final ? " final" : "")", call)
        await state.withLock { $0.hold }?()
        let source = try direction(order.pair, order.reversed).source
        call.effects.record(order.applications.map { Effect(.capture, kind: "Volume", name: $0.text, at: source) })
        let item = MigrationReport.Item(
            recovery_point: "ledger-e1-g1", resources: 3, volumes: 1, bytes_read: ByteCount(100), bytes_sent: ByteCount(50),
            consistency: .crash, instant: clock.now())
        return MigrationReport(
            applications: Dictionary(order.applications.map { ($0.text, item) }) { $1 }, duration: .seconds(1))
    }

    func stop(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StopReport {
        try note("stop \(order.application)", call)
        let source = try direction(order.pair, order.reversed).source
        call.effects.record(Effect(.scale, kind: "StatefulSet", name: order.application.text, from: "1", to: "0", at: source))
        state.withLock { _ = $0.stopped.insert(order.application) }
        return StopReport(application: order.application, cluster: source, stopped_at: clock.now(), changed: true)
    }

    func restart(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StartReport {
        try note("restart \(order.application)", call)
        let source = try direction(order.pair, order.reversed).source
        call.effects.record(Effect(.scale, kind: "StatefulSet", name: order.application.text, from: "0", to: "1", at: source))
        state.withLock { _ = $0.stopped.remove(order.application) }
        return StartReport(application: order.application, cluster: source, ready_at: clock.now(), changed: true)
    }

    func activate(_ order: ActivationOrder, _ call: EngineCall) async throws -> ActivationReport {
        try note("start \(order.application) \(order.mode.rawValue)", call)
        let destination = try direction(order.pair, order.reversed).destination
        if state.withLock({ $0.activeAt[order.application] }) == destination {
            return ActivationReport(
                application: order.application, active_at: destination, epoch: Epoch(2), recovery_point: nil, instant: nil, rpo: .unknown,
                ready_at: clock.now(), split_brain_risk: false, changed: false)
        }
        call.effects.record(Effect(.activate, kind: "Application", name: order.application.text, at: destination))
        state.withLock { $0.activeAt[order.application] = destination }
        return ActivationReport(
            application: order.application, active_at: destination, epoch: Epoch(2), recovery_point: order.point ?? "ledger-e1-g1",
            instant: clock.now(), rpo: order.mode == .planned ? .exact(.zero) : .atMost(.seconds(30)), ready_at: clock.now(),
            split_brain_risk: order.mode == .disaster && !order.sourceFenced, changed: true,
            former: order.mode == .planned ? .fenced : order.sourceFenced ? .said : nil)
    }

    func checks(_ order: CheckOrder, _ call: EngineCall) async throws -> [CheckResult] {
        try note("checks\(order.withoutSource ? " without source" : "")", call)
        return [CheckResult(id: "clusters-reachable", state: .ok, message: "both answer")]
    }

    func status(of applications: [ApplicationName], without: [ClusterName], _ call: EngineCall) async throws -> [ApplicationStatus] {
        try note("status\(without.isEmpty ? "" : " without \(without.map(\.text).joined())")", call)
        let (active, unreachable, isBlind) = state.withLock { ($0.activeAt, $0.unreachable, $0.isBlind) }
        return applications.map {
            ApplicationStatus(
                name: $0, active_at: isBlind ? nil : active[$0] ?? "east", epoch: .first, running: true, split_brain_risk: false,
                clusters: Dictionary(unreachable.map { ($0, "unknown, not fenced") }) { $1 }, rpo: nil,
                last_point: nil, last_point_at: nil, protected: true, schedule: nil, lock: nil)
        }
    }

    func recoveryPoints(of applications: [ApplicationName], pair: PairName, reversed: Bool, _ call: EngineCall) async throws
        -> [PointReport]
    {
        try note("points", call)
        let (missing, fuzzy) = state.withLock { ($0.withoutPoint, $0.fuzzy) }
        return applications.filter { !missing.contains($0) }.flatMap { name in
            let instant = PointReport(
                id: "point-e1-g1", application: name, instant: clock.now(), age: .zero, consistency: .crash, verified_at: clock.now(),
                cluster: "west")
            guard fuzzy.contains(name) else { return [instant] }
            let newer = PointReport(
                id: "point-e1-g2", application: name, instant: clock.now() + .seconds(60), age: .zero, consistency: .fuzzy,
                verified_at: clock.now(), cluster: "west")
            return [newer, instant]
        }
    }

    func forget(run: RunID) async throws { state.withLock { $0.forgotten.append(run) } }
    func release(run: RunID, at clusters: Set<ClusterName>) async throws { state.withLock { $0.released = true } }
    var released: Bool { state.withLock { $0.released } }
}
