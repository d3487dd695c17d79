/// What a plan says beside its effects: where it had to assume something, and what it touched of clusters that it was asked to do without.
public struct PlanNotes: Sendable, Hashable {
    /// A value that only the run can know was looked at by the runbook; what it did then may differ in the run.
    public struct Assumption: Sendable, Hashable {
        /// Where the runbook looked at it.
        public let location: SourceLocation
        /// `migrate.applications.ledger.bytes_sent`.
        public let what: String
        /// As the plan had it.
        public let value: String

        public init(location: SourceLocation, what: String, value: String) {
            self.location = location
            self.what = what
            self.value = value
        }
    }

    /// Something of a cluster that is taken as lost was needed.
    public struct Touch: Sendable, Hashable {
        public let cluster: ClusterName
        /// The call of the runbook, or the line of dr.yaml.
        public let location: SourceLocation
        /// `migrate: its records`.
        public let what: String

        public init(cluster: ClusterName, location: SourceLocation, what: String) {
            self.cluster = cluster
            self.location = location
            self.what = what
        }
    }

    public var assumptions: [Assumption]
    public var touches: [Touch]

    public init(assumptions: [Assumption] = [], touches: [Touch] = []) {
        self.assumptions = assumptions
        self.touches = touches
    }
}
