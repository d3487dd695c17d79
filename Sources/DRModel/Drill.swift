public enum DrillTag {}
/// One drill: `drill-` and ten hex digits.
public typealias DrillID = Name<DrillTag>

/// An isolated clone of some applications at the pair's destination, for as long as its lease.
public struct DrillOrder: Sendable, Codable, Hashable {
    public let pair: PairName
    public var reversed: Bool
    public let applications: [ApplicationName]
    /// The points that were asked for; of the others the newest verified one.
    public var points: [String: PointID]
    /// How long the clone may stay; then whoever comes next removes it.
    public var lease: Duration
    /// Its namespaces and volumes are called NAME-SUFFIX.
    public var suffix: String

    public init(
        pair: PairName, reversed: Bool = false, applications: [ApplicationName], points: [String: PointID] = [:],
        lease: Duration = .seconds(4 * 3600), suffix: String = "drill"
    ) {
        self.pair = pair
        self.reversed = reversed
        self.applications = applications
        self.points = points
        self.lease = lease
        self.suffix = suffix
    }
}

/// One application of an open drill.
public struct CloneOrder: Sendable, Codable, Hashable {
    public let drill: DrillID
    public let cluster: ClusterName
    public let application: ApplicationName

    public init(drill: DrillID, cluster: ClusterName, application: ApplicationName) {
        self.drill = drill
        self.cluster = cluster
        self.application = application
    }
}

public struct DrillReport: Sendable, Codable, Hashable {
    public let id: DrillID
    public let cluster: ClusterName
    public let expires: Instant
    /// What each namespace of the applications is called in the clone.
    public let namespaces: [String: String]
    /// By application.
    public let recovery_points: [String: PointID]

    public init(
        id: DrillID, cluster: ClusterName, expires: Instant, namespaces: [String: String], recovery_points: [String: PointID]
    ) {
        self.id = id
        self.cluster = cluster
        self.expires = expires
        self.namespaces = namespaces
        self.recovery_points = recovery_points
    }
}

public struct CloneReport: Sendable, Codable, Hashable {
    public let application: ApplicationName
    public let cluster: ClusterName
    public let recovery_point: PointID
    public let instant: Instant
    public let ready_at: Instant
    /// Where its services answer inside the cluster, by port: `pg.shop-db-drill.svc:5432`.
    public let endpoints: [String: String]
    /// What a clone must not have: objects that serve the whole cluster or are reached from outside it.
    public let left_out: [String]
    /// What did not go as it should and did not keep it from being ready; nil when there is nothing to say.
    public let warnings: [String]?

    public init(
        application: ApplicationName, cluster: ClusterName, recovery_point: PointID, instant: Instant, ready_at: Instant,
        endpoints: [String: String], left_out: [String], warnings: [String] = []
    ) {
        self.warnings = warnings.isEmpty ? nil : warnings
        self.application = application
        self.cluster = cluster
        self.recovery_point = recovery_point
        self.instant = instant
        self.ready_at = ready_at
        self.endpoints = endpoints
        self.left_out = left_out
    }
}

public struct CleanupReport: Sendable, Codable, Hashable {
    public let drill: DrillID
    /// Objects and volumes.
    public let removed: Int
    /// What is still there, one line each; empty when nothing is.
    public let left: [String]
    public let changed: Bool

    public init(drill: DrillID, removed: Int, left: [String], changed: Bool) {
        self.drill = drill
        self.removed = removed
        self.left = left
        self.changed = changed
    }
}

/// A drill that stands at a cluster.
public struct DrillStatus: Sendable, Codable, Hashable {
    public let id: DrillID
    public let cluster: ClusterName
    public let applications: [ApplicationName]
    public let begun: Instant
    public let expires: Instant
    public let run: RunID
    public let expired: Bool

    public init(
        id: DrillID, cluster: ClusterName, applications: [ApplicationName], begun: Instant, expires: Instant, run: RunID, expired: Bool
    ) {
        self.id = id
        self.cluster = cluster
        self.applications = applications
        self.begun = begun
        self.expires = expires
        self.run = run
        self.expired = expired
    }
}

/// The last time a clone of an application was seen ready.
public struct LastDrill: Sendable, Codable, Hashable {
    public let id: DrillID
    public let ready_at: Instant
    public let recovery_point: PointID
    /// From the opening of the drill.
    public let rto: Duration

    public init(id: DrillID, ready_at: Instant, recovery_point: PointID, rto: Duration) {
        self.id = id
        self.ready_at = ready_at
        self.recovery_point = recovery_point
        self.rto = rto
    }
}
