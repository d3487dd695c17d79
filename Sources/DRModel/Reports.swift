// What the engine's operations answer. Members are named as runbooks see them.

public struct PairReport: Sendable, Codable, Hashable {
    public let name: PairName
    public let source: ClusterName
    public let destination: ClusterName
    public let changed: Bool

    public init(name: PairName, source: ClusterName, destination: ClusterName, changed: Bool) {
        self.name = name
        self.source = source
        self.destination = destination
        self.changed = changed
    }
}

public struct ScheduleReport: Sendable, Codable, Hashable {
    public let name: ScheduleName
    public let pair: PairName
    public let applications: [ApplicationName]
    public let suspended: Bool
    public let changed: Bool

    public init(name: ScheduleName, pair: PairName, applications: [ApplicationName], suspended: Bool, changed: Bool) {
        self.name = name
        self.pair = pair
        self.applications = applications
        self.suspended = suspended
        self.changed = changed
    }
}

public struct MigrationReport: Sendable, Codable, Hashable {
    public struct Item: Sendable, Codable, Hashable {
        public let recovery_point: PointID
        public let resources: Int
        public let volumes: Int
        public let bytes_read: ByteCount
        public let bytes_sent: ByteCount
        public let consistency: Consistency
        public let instant: Instant

        public init(
            recovery_point: PointID, resources: Int, volumes: Int, bytes_read: ByteCount, bytes_sent: ByteCount, consistency: Consistency,
            instant: Instant
        ) {
            self.recovery_point = recovery_point
            self.resources = resources
            self.volumes = volumes
            self.bytes_read = bytes_read
            self.bytes_sent = bytes_sent
            self.consistency = consistency
            self.instant = instant
        }
    }

    public let applications: [String: Item]
    public let duration: Duration
    /// The figures are a plan's estimates.
    public let predicted: Bool
    /// What did not go as it should and did not keep the copies from being made; nil when there is nothing to say.
    public let warnings: [String]?

    public init(applications: [String: Item], duration: Duration, predicted: Bool = false, warnings: [String]? = nil) {
        self.applications = applications
        self.duration = duration
        self.predicted = predicted
        self.warnings = warnings
    }
}

public struct StopReport: Sendable, Codable, Hashable {
    public let application: ApplicationName
    public let cluster: ClusterName
    /// When nothing of it ran any more.
    public let stopped_at: Instant
    public let changed: Bool

    public init(application: ApplicationName, cluster: ClusterName, stopped_at: Instant, changed: Bool) {
        self.application = application
        self.cluster = cluster
        self.stopped_at = stopped_at
        self.changed = changed
    }
}

public struct StartReport: Sendable, Codable, Hashable {
    public let application: ApplicationName
    public let cluster: ClusterName
    public let ready_at: Instant
    public let changed: Bool

    public init(application: ApplicationName, cluster: ClusterName, ready_at: Instant, changed: Bool) {
        self.application = application
        self.cluster = cluster
        self.ready_at = ready_at
        self.changed = changed
    }
}

public struct ActivationReport: Sendable, Codable, Hashable {
    public let application: ApplicationName
    public let active_at: ClusterName
    public let epoch: Epoch
    public let recovery_point: PointID?
    /// The data's instant; with `stopped_at` of the same application the loss is exactly nothing.
    public let instant: Instant?
    public let rpo: RecoveryPointObjective
    public let ready_at: Instant
    /// The source may still be running: it was neither stopped by us nor seen fenced.
    public let split_brain_risk: Bool
    public let changed: Bool
    /// When every byte of the point was last read back and compared at the destination.
    public let verified_at: Instant?
    /// What did not go as it should and did not keep it from being live; nil when there is nothing to say.
    public let warnings: [String]?
    /// Why there is no risk; nil: there is one, nothing was made live, or nobody knows any more.
    public let former: FormerSite?

    public init(
        application: ApplicationName, active_at: ClusterName, epoch: Epoch, recovery_point: PointID?, instant: Instant?,
        rpo: RecoveryPointObjective, ready_at: Instant, split_brain_risk: Bool, changed: Bool, verified_at: Instant? = nil,
        warnings: [String] = [], former: FormerSite? = nil
    ) {
        self.former = former
        self.warnings = warnings.isEmpty ? nil : warnings
        self.application = application
        self.active_at = active_at
        self.epoch = epoch
        self.recovery_point = recovery_point
        self.instant = instant
        self.rpo = rpo
        self.ready_at = ready_at
        self.split_brain_risk = split_brain_risk
        self.changed = changed
        self.verified_at = verified_at
    }
}

/// Why an application that went live is taken not to run at its former site any more.
public enum FormerSite: String, Sendable, Codable, Hashable {
    /// It was seen stopped there, and the site was told that it lost it.
    case fenced
    /// A person said that the site is cut off. Nobody looked.
    case said
    /// The site's agent had promised to stop it, and its time was over. Nobody looked.
    case agent
    /// Only a clone went live: the former site serves on.
    case drill
}

/// The age of the data made live. Never a guessed zero.
public enum RecoveryPointObjective: Sendable, Hashable {
    /// The application was stopped before its last sync, so this is what was lost: nothing.
    case exact(Duration)
    /// No younger data was seen, but there may have been some.
    case atMost(Duration)
    case unknown

    /// Nil: nobody knows.
    public var age: Duration? {
        switch self {
        case .exact(let age), .atMost(let age): age
        case .unknown: nil
        }
    }

    /// A plan says it as its run will: nothing is lost, or nobody knows.
    public var isCertain: Bool { if case .atMost = self { false } else { true } }
}

extension RecoveryPointObjective: Codable, CustomStringConvertible {
    public var description: String {
        switch self {
        case .exact(let age): age == .zero ? "0s" : age.text
        case .atMost(let age): "at most \(age.text)"
        case .unknown: "unknown"
        }
    }

    public func encode(to encoder: any Encoder) throws {
        let value: Value =
            switch self {
            case .exact(let age): ["exact": .duration(age)]
            case .atMost(let age): ["at_most": .duration(age)]
            case .unknown: [:]
            }
        try value.encode(to: encoder)
    }

    public init(from decoder: any Decoder) throws {
        let value = try Value(from: decoder)
        if case .duration(let age) = value["exact"] {
            self = .exact(age)
        } else if case .duration(let age) = value["at_most"] {
            self = .atMost(age)
        } else {
            self = .unknown
        }
    }
}

public struct CheckResult: Sendable, Codable, Hashable {
    public enum State: String, Sendable, Codable { case ok, warning, failed, skipped }
    public let id: String
    public let state: State
    public let message: String
    /// What a person can do about it.
    public let fix: String?
    /// What a person types next, `drrunbook ...`. Whatever is not ready has a fix and a next step.
    public let next: String?

    public init(id: String, state: State, message: String, fix: String? = nil, next: String? = nil) {
        self.id = id
        self.state = state
        self.message = message
        self.fix = fix
        self.next = next
    }
}

public struct ApplicationStatus: Sendable, Codable, Hashable {
    public let name: ApplicationName
    /// Nil = unknown: no reachable cluster knows.
    public let active_at: ClusterName?
    public let epoch: Epoch
    /// Nil = unknown: the cluster where it is live does not answer.
    public let running: Bool?
    public let split_brain_risk: Bool
    /// What each cluster says: `active`; `standby`, never live there; `fenced`, seen to know that it lost it; `stopped by its agent`; `back, not fenced`, it
    /// still takes itself for the active one; `unknown, not fenced`, it does not answer; `record damaged`.
    public let clusters: [String: String]
    /// Age of the newest verified point.
    public let rpo: Duration?
    public let last_point: PointID?
    public let last_point_at: Instant?
    public let protected: Bool
    /// Since when nothing younger would survive the loss of its cluster; nil = it is protected, or nobody knows.
    public let unprotected_since: Instant?
    public let schedule: ScheduleName?
    /// The run that holds the lock.
    public let lock: RunID?
    /// Records at the clusters that cannot be read, one line each; nil = none.
    public let problems: [String]?
    /// When a clone of it was last seen ready; nil = never.
    public let last_drill: LastDrill?
    /// What clusters wrote by themselves after they had lost it; nil = nothing is known of any.
    public let forks: [Fork]?
    /// Clusters that answer again, and do not know yet that it went live elsewhere: to be protected from, and to be fenced by the first copy. Nil = none.
    public let returned: [ClusterName]?
    /// Since when it is stopped where it is active because the agent there stopped it, and no person or run; nil = it did not.
    public let self_fenced: Instant?

    public init(
        name: ApplicationName, active_at: ClusterName?, epoch: Epoch, running: Bool?, split_brain_risk: Bool, clusters: [String: String],
        rpo: Duration?, last_point: PointID?, last_point_at: Instant?, protected: Bool, schedule: ScheduleName?, lock: RunID?,
        problems: [String] = [], last_drill: LastDrill? = nil, unprotected_since: Instant? = nil, forks: [Fork] = [],
        returned: [ClusterName] = [], self_fenced: Instant? = nil
    ) {
        self.self_fenced = self_fenced
        self.forks = forks.isEmpty ? nil : forks
        self.returned = returned.isEmpty ? nil : returned
        self.unprotected_since = unprotected_since
        self.last_drill = last_drill
        self.name = name
        self.active_at = active_at
        self.epoch = epoch
        self.running = running
        self.split_brain_risk = split_brain_risk
        self.clusters = clusters
        self.rpo = rpo
        self.last_point = last_point
        self.last_point_at = last_point_at
        self.protected = protected
        self.schedule = schedule
        self.lock = lock
        self.problems = problems.isEmpty ? nil : problems
    }
}

public struct PointReport: Sendable, Codable, Hashable {
    public let id: PointID
    public let application: ApplicationName
    public let instant: Instant
    public let age: Duration
    public let consistency: Consistency
    public let verified_at: Instant?
    public let cluster: ClusterName

    public init(
        id: PointID, application: ApplicationName, instant: Instant, age: Duration, consistency: Consistency, verified_at: Instant?,
        cluster: ClusterName
    ) {
        self.id = id
        self.application = application
        self.instant = instant
        self.age = age
        self.consistency = consistency
        self.verified_at = verified_at
        self.cluster = cluster
    }
}
