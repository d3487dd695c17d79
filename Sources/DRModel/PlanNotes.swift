/// What a plan says beside its effects: where it had to assume something, what it touched of clusters that it was asked to do without, and what a failure would undo.
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

    /// What would be undone if the run failed.
    public struct Compensation: Sendable, Hashable {
        /// As the runbook named it, or its place; `stop ledger`.
        public let name: String
        public let application: ApplicationName?
        /// Where its application must be live for it.
        public let cluster: ClusterName?
        /// It starts again there what the run has stopped.
        public let restarts: Bool
        /// What ends it, in words; nil = it may be undone until the end of the run.
        public var until: String?

        public init(name: String, application: ApplicationName?, cluster: ClusterName?, restarts: Bool, until: String? = nil) {
            self.name = name
            self.application = application
            self.cluster = cluster
            self.restarts = restarts
            self.until = until
        }
    }

    /// An application that stays where it went live, whatever fails afterwards.
    public struct Stay: Sendable, Hashable {
        public let application: ApplicationName
        public let cluster: ClusterName

        public init(application: ApplicationName, cluster: ClusterName) {
            self.application = application
            self.cluster = cluster
        }
    }

    public var assumptions: [Assumption]
    public var touches: [Touch]
    /// In the order in which they would be undone: the last registered first.
    public var compensations: [Compensation]
    /// In the order in which they go live.
    public var stays: [Stay]

    public init(assumptions: [Assumption] = [], touches: [Touch] = [], compensations: [Compensation] = [], stays: [Stay] = []) {
        self.compensations = compensations
        self.stays = stays
        self.assumptions = assumptions
        self.touches = touches
    }
}
