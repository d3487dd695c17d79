/// What dr.yaml declares: the names everything else refers to.
public struct Inventory: Sendable, Hashable, Codable {
    public var clusters: [ClusterName]
    public var objectStores: [StoreName]
    public var applications: [Application] { didSet { index() } }
    public var pairs: [ClusterPair]
    public var schedules: [Schedule]
    /// Where each application stands in the list, for those who ask for one of many thousand.
    private var places: [ApplicationName: Int]

    public init(
        clusters: [ClusterName] = [], objectStores: [StoreName] = [], applications: [Application] = [], pairs: [ClusterPair] = [],
        schedules: [Schedule] = []
    ) {
        self.clusters = clusters
        self.objectStores = objectStores
        self.applications = applications
        self.pairs = pairs
        self.schedules = schedules
        places = [:]
        index()
    }

    private mutating func index() {
        places = Dictionary(applications.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    private enum CodingKeys: String, CodingKey { case clusters, objectStores, applications, pairs, schedules }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            clusters: try values.decode([ClusterName].self, forKey: .clusters),
            objectStores: try values.decode([StoreName].self, forKey: .objectStores),
            applications: try values.decode([Application].self, forKey: .applications),
            pairs: try values.decode([ClusterPair].self, forKey: .pairs),
            schedules: try values.decode([Schedule].self, forKey: .schedules))
    }

    public func application(_ name: ApplicationName) -> Application? { places[name].map { applications[$0] } }
    /// By what a person wrote; nil for what is no name as well.
    public func application(named text: String) -> Application? { (try? ApplicationName(text)).flatMap(application) }
    public func pair(_ name: PairName) -> ClusterPair? { pairs.first { $0.name == name } }
}
