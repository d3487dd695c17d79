/// A sign of life of a cluster's agent, left at the clusters it replicates with, and what it promises them.
public struct AgentMark: Sendable, Codable, Hashable {
    /// How much longer than `lease` a destination waits: for processes to stop, and for clocks that differ.
    public static let grace: Duration = .seconds(70)

    public let cluster: ClusterName
    /// When it was written, by the agent's clock.
    public let at: Instant
    /// So long after its last sign of life the agent stops what runs there; nil = never, or it has ended and took its promise back.
    public let lease: Duration?
    /// How often it is written anew while the agent lives.
    public let every: Duration
    /// What it promises to stop.
    public let applications: [ApplicationName]
    /// When each other cluster was last reached. Only in the agent's own copy, for the one that comes after it.
    public let contacts: [String: Instant]?
    /// What each other cluster was promised and was not told is over. Only in the agent's own copy, for itself and the one that comes after it.
    public let promises: [String: Promise]?
    /// The clusters that were promised something: all that older versions noted of it.
    public let promised: [ClusterName]?

    /// What one cluster relies on: whatever dr.yaml says by now, it stands until that cluster was told otherwise, or it is kept.
    public struct Promise: Sendable, Codable, Hashable {
        /// When it was said last, by the agent's clock.
        public let at: Instant
        public let lease: Duration
        public let applications: [ApplicationName]

        public init(at: Instant, lease: Duration, applications: [ApplicationName]) {
            self.at = at
            self.lease = lease
            self.applications = applications
        }

        /// When what it names is stopped unless the cluster is heard of.
        public var end: Instant { at + lease }
    }

    public init(
        cluster: ClusterName, at: Instant, lease: Duration?, every: Duration, applications: [ApplicationName] = [],
        contacts: [String: Instant]? = nil, promises: [String: Promise]? = nil
    ) {
        self.promises = promises
        promised = nil
        self.cluster = cluster
        self.at = at
        self.lease = lease
        self.every = every
        self.applications = applications
        self.contacts = contacts
    }

    /// So far a mark may lie from the loss of its cluster: a few renewals, and the pause of whoever watches from outside.
    public var patience: Duration { every * 3 + SiteContact.pause * 2 }
}

/// When another cluster answered last, as whoever watches it from here noted: agents, `serve` and copies.
public struct SiteContact: Sendable, Codable, Hashable {
    /// How often those that watch look at the most.
    public static let pause: Duration = .seconds(10)

    public let cluster: ClusterName
    public let reached: Instant
    /// Since when it did not answer any more; nil = it did when it was asked last.
    public let silent: Instant?

    public init(cluster: ClusterName, reached: Instant, silent: Instant? = nil) {
        self.cluster = cluster
        self.reached = reached
        self.silent = silent
    }
}

/// What one round of a cluster's agent found and did.
public struct AgentRound: Sendable {
    public struct Event: Sendable, Hashable {
        public enum Kind: String, Sendable {
            /// It was live elsewhere in a newer epoch: its workloads here were stopped, its record raised.
            case deposed
            /// Nobody could be reached for longer than `selfFence`: its workloads here were stopped until somebody can be.
            case selfFenced = "self-fenced"
            /// The agent was asked to end, and tries to tell those that rely on it.
            case ending
            /// The agent ends, and a cluster that relies on it could not be told: its workloads here were stopped, as was promised.
            case kept
            /// It was stopped by itself, nobody took it over, and it runs again.
            case resumed
            /// It was held for a snapshot by a process that died, and goes on.
            case letGo = "let-go"
            /// It could not be looked at or stopped; the next round tries again.
            case failed
        }
        public let kind: Kind
        /// Nil: what is said is of the whole cluster.
        public let application: ApplicationName?
        public let message: String

        public init(kind: Kind, application: ApplicationName?, message: String) {
            self.kind = kind
            self.application = application
            self.message = message
        }
    }

    /// When each cluster it replicates with was last reached.
    public let contacts: [ClusterName: Instant]
    public let events: [Event]
    /// Clusters that did not answer.
    public let silent: [ClusterName]

    public init(contacts: [ClusterName: Instant], events: [Event], silent: [ClusterName]) {
        self.contacts = contacts
        self.events = events
        self.silent = silent
    }
}
