/// What moves applications: primitive operations, each idempotent by its key. Flows over several applications are built above it.
///
/// Every operation may throw `cluster-unreachable`, `locked`, `fenced`; a failed one says so in its error and leaves every application in a state that
/// `status` names.
public protocol DREngine: Sendable {
    func ensurePair(_ pair: ClusterPair, _ call: EngineCall) async throws -> PairReport
    func ensureSchedule(_ schedule: Schedule, _ call: EngineCall) async throws -> ScheduleReport
    func setSuspended(_ suspended: Bool, schedule: ScheduleName, _ call: EngineCall) async throws -> ScheduleReport

    /// Copies applications to the destination once: one recovery point each.
    func migrate(_ order: MigrationOrder, _ call: EngineCall) async throws -> MigrationReport
    /// Stops one application at the pair's source; its original state is kept there.
    func stop(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StopReport
    /// Starts one application again where it is active: the way back from `stop`.
    func restart(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StartReport
    /// Raises the epoch and starts one application at the pair's destination from a point.
    func activate(_ order: ActivationOrder, _ call: EngineCall) async throws -> ActivationReport

    func checks(_ order: CheckOrder, _ call: EngineCall) async throws -> [CheckResult]
    /// `without`: clusters that must not be touched (in disaster mode the source); they are reported as unknown.
    func status(of applications: [ApplicationName], without: [ClusterName], _ call: EngineCall) async throws -> [ApplicationStatus]
    /// Newest first.
    func recoveryPoints(of applications: [ApplicationName], pair: PairName, reversed: Bool, _ call: EngineCall) async throws
        -> [PointReport]

    /// Opens a drill at the pair's destination: settles its points, pins them, and notes its lease. Throws `conflict` where another drill has its names.
    func openDrill(_ order: DrillOrder, _ call: EngineCall) async throws -> DrillReport
    /// Makes and starts the clone of one application. Source, epochs, points and replication stay as they are.
    func startClone(_ order: CloneOrder, _ call: EngineCall) async throws -> CloneReport
    /// Removes all of a drill. Succeeds with `changed = false` when there is none of this name.
    func cleanUp(_ drill: DrillID, _ call: EngineCall) async throws -> CleanupReport
    /// The drills that stand at clusters that answer, oldest first.
    func drills() async throws -> [DrillStatus]

    /// Objects of a cluster as trees, in key order.
    func objects(_ order: ObjectOrder, _ call: EngineCall) async throws -> [Value]
    /// Returns when the object is ready, and since when. Throws `not-found`, `timeout`.
    func waitReady(_ order: ObjectOrder, condition: String, timeout: Duration, _ call: EngineCall) async throws -> Instant
    /// Throws `fenced` where the application is not live at the object's cluster.
    func patch(_ order: PatchOrder, _ call: EngineCall) async throws -> PatchReport

    /// The run has ended for good, and nobody asks again for anything by its keys.
    func forget(run: RunID) async throws
    /// Releases what the run holds: locks and pins.
    ///
    /// `clusters`: where processes that carried it on before may have left locks.
    func release(run: RunID, at clusters: Set<ClusterName>) async throws
    /// The run is carried on by this holder: the locks that its former processes have left are its own from here on. What somebody else took meanwhile stays theirs.
    func takeUp(_ holder: LockHolder, at clusters: Set<ClusterName>) async throws
    /// The run is put down, or waits for people: its locks stand until then, but for a while at least.
    func park(run: RunID, at clusters: Set<ClusterName>, until: Instant?) async throws
}

// Not every engine can do everything.
extension DREngine {
    public func openDrill(_ order: DrillOrder, _ call: EngineCall) async throws -> DrillReport { throw unable("drills") }
    public func startClone(_ order: CloneOrder, _ call: EngineCall) async throws -> CloneReport { throw unable("drills") }
    public func cleanUp(_ drill: DrillID, _ call: EngineCall) async throws -> CleanupReport { throw unable("drills") }
    public func drills() async throws -> [DrillStatus] { [] }
    public func forget(run: RunID) async throws {}
    public func takeUp(_ holder: LockHolder, at clusters: Set<ClusterName>) async throws {}
    public func park(run: RunID, at clusters: Set<ClusterName>, until: Instant?) async throws {}
    /// What this process holds for the run.
    public func release(run: RunID) async throws { try await release(run: run, at: []) }
    public func objects(_ order: ObjectOrder, _ call: EngineCall) async throws -> [Value] { throw unable("access to objects") }
    public func waitReady(_ order: ObjectOrder, condition: String, timeout: Duration, _ call: EngineCall) async throws -> Instant {
        throw unable("access to objects")
    }
    public func patch(_ order: PatchOrder, _ call: EngineCall) async throws -> PatchReport { throw unable("access to objects") }

    private func unable(_ what: String) -> DRError { DRError(.notAllowed, "this engine has no \(what)") }
}

/// The surroundings of one engine operation.
public struct EngineCall: Sendable {
    public let key: OperationKey
    public let holder: LockHolder
    public let effects: EffectLog
    public let points: PointSymbols

    public init(key: OperationKey, holder: LockHolder, effects: EffectLog = EffectLog(), points: PointSymbols = PointSymbols()) {
        self.key = key
        self.holder = holder
        self.effects = effects
        self.points = points
    }
}

public struct MigrationOrder: Sendable, Codable, Hashable {
    public let pair: PairName
    /// Over the pair's other direction.
    public var reversed: Bool
    public let applications: [ApplicationName]
    /// The last sync before a switch: the source must be stopped.
    public var final: Bool
    /// Kinds left out of this copy, besides those that an application excludes.
    public var excludeKinds: [String]
    /// Around the snapshot of each application that runs; what is not said here is as the application has it.
    public var rules: SnapshotRules

    public init(
        pair: PairName, reversed: Bool = false, applications: [ApplicationName], final: Bool = false, excludeKinds: [String] = [],
        rules: SnapshotRules = SnapshotRules()
    ) {
        self.rules = rules
        self.excludeKinds = excludeKinds
        self.pair = pair
        self.reversed = reversed
        self.applications = applications
        self.final = final
    }
}

public struct ApplicationOrder: Sendable, Codable, Hashable {
    public let pair: PairName
    public var reversed: Bool
    public let application: ApplicationName

    public init(pair: PairName, reversed: Bool = false, application: ApplicationName) {
        self.pair = pair
        self.reversed = reversed
        self.application = application
    }
}

public struct ActivationOrder: Sendable, Codable, Hashable {
    public enum Mode: String, Sendable, Codable, CaseIterable { case planned, disaster }

    public let pair: PairName
    public var reversed: Bool
    public let application: ApplicationName
    public let mode: Mode
    /// Nil = the newest verified point.
    public var point: PointID?
    /// The oldest data a person has said yes to; nil = the application's RPO target.
    public var acceptedDataLoss: Duration?
    /// A person has said yes to a `fuzzy` point.
    public var acceptFuzzy: Bool
    /// Disaster: a person says that the source was cut off (power, storage, network). False marks the application `split_brain_risk`.
    public var sourceFenced: Bool

    public init(
        pair: PairName, reversed: Bool = false, application: ApplicationName, mode: Mode, point: PointID? = nil,
        acceptedDataLoss: Duration? = nil, acceptFuzzy: Bool = false, sourceFenced: Bool = false
    ) {
        self.pair = pair
        self.reversed = reversed
        self.application = application
        self.mode = mode
        self.point = point
        self.acceptedDataLoss = acceptedDataLoss
        self.acceptFuzzy = acceptFuzzy
        self.sourceFenced = sourceFenced
    }
}

public struct CheckOrder: Sendable, Codable, Hashable {
    public let pair: PairName
    public var reversed: Bool
    public let applications: [ApplicationName]
    /// Nil = all.
    public var only: [String]?
    /// Reason by check.
    public var skip: [String: String]
    /// Those that only warn where they fail: the reason by check.
    public var warnOnly: [String: String]
    /// In disaster mode the source is not touched, by no check.
    public var withoutSource: Bool

    public init(
        pair: PairName, reversed: Bool = false, applications: [ApplicationName], only: [String]? = nil, skip: [String: String] = [:],
        warnOnly: [String: String] = [:], withoutSource: Bool = false
    ) {
        self.pair = pair
        self.reversed = reversed
        self.applications = applications
        self.only = only
        self.skip = skip
        self.warnOnly = warnOnly
        self.withoutSource = withoutSource
    }
}
