/// What dr.yaml declares: the names everything else refers to.
public struct Inventory: Sendable, Hashable, Codable {
    public var clusters: [ClusterName]
    public var objectStores: [StoreName]
    public var applications: [Application]
    public var pairs: [ClusterPair]
    public var schedules: [Schedule]

    public init(
        clusters: [ClusterName] = [], objectStores: [StoreName] = [], applications: [Application] = [], pairs: [ClusterPair] = [],
        schedules: [Schedule] = []
    ) {
        self.clusters = clusters
        self.objectStores = objectStores
        self.applications = applications
        self.pairs = pairs
        self.schedules = schedules
    }

    public func application(_ name: ApplicationName) -> Application? { applications.first { $0.name == name } }
    public func pair(_ name: PairName) -> ClusterPair? { pairs.first { $0.name == name } }
}
