/// A sign of life of a cluster's agent, left at the clusters it replicates with.
public struct AgentMark: Sendable, Codable, Hashable {
    /// How much longer than `lease` a destination waits: for processes to stop, and for clocks that differ.
    public static let grace: Duration = .seconds(70)

    public let cluster: ClusterName
    /// When it was written, by the agent's clock.
    public let at: Instant
    /// So long after its last sign of life the agent stops what runs there; nil = never.
    public let lease: Duration?

    public init(cluster: ClusterName, at: Instant, lease: Duration?) {
        self.cluster = cluster
        self.at = at
        self.lease = lease
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
            /// It was stopped by itself, nobody took it over, and it runs again.
            case resumed
            /// It was held for a snapshot by a process that died, and goes on.
            case letGo = "let-go"
            /// It could not be looked at or stopped; the next round tries again.
            case failed
        }
        public let kind: Kind
        public let application: ApplicationName
        public let message: String

        public init(kind: Kind, application: ApplicationName, message: String) {
            self.kind = kind
            self.application = application
            self.message = message
        }
    }

    /// When all clusters it replicates with were last reached.
    public let contact: Instant
    public let events: [Event]
    /// Clusters that did not answer.
    public let silent: [ClusterName]

    public init(contact: Instant, events: [Event], silent: [ClusterName]) {
        self.contact = contact
        self.events = events
        self.silent = silent
    }
}
