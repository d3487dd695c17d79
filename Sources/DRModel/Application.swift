/// The unit of epoch, lock, target, order and report: some namespaces, or labelled objects in them.
public struct Application: Hashable, Sendable, Codable {
    public let name: ApplicationName
    public var namespaces: [String]
    /// All of these labels must match; empty selects every object of the namespaces.
    public var labels: [String: String]
    /// Applications that must be live before this one.
    public var after: [ApplicationName]
    /// How long its workloads may take to become ready.
    public var ready: Duration
    public var rto: Duration?
    public var rpo: Duration?
    /// Objects of it that stay where they are.
    public var exclude: Exclusion
    /// What its namespaces are called at clusters where they are not called as here.
    public var renamed: [ClusterName: [String: String]]
    /// What differs in its manifests at some clusters.
    public var transforms: [Transform]
    /// What quiets it for a snapshot while it runs.
    public var rules: SnapshotRules
    /// What is kept ready for it at a destination.
    public var standby: Standby

    public init(
        name: ApplicationName, namespaces: [String], labels: [String: String] = [:], after: [ApplicationName] = [],
        ready: Duration = .seconds(300), rto: Duration? = nil, rpo: Duration? = nil, exclude: Exclusion = Exclusion(),
        renamed: [ClusterName: [String: String]] = [:], transforms: [Transform] = [], rules: SnapshotRules = SnapshotRules(),
        standby: Standby = .cold
    ) {
        self.name = name
        self.namespaces = namespaces
        self.labels = labels
        self.after = after
        self.ready = ready
        self.rto = rto
        self.rpo = rpo
        self.exclude = exclude
        self.renamed = renamed
        self.transforms = transforms
        self.rules = rules
        self.standby = standby
    }

    /// Its namespaces as the cluster calls them.
    public func namespaces(at cluster: ClusterName) -> [String] {
        guard let names = renamed[cluster] else { return namespaces }
        return namespaces.map { names[$0] ?? $0 }
    }

    /// Applications in waves: each wave needs only those before it. Within a wave the order is by name.
    ///
    /// Dependencies outside `applications` do not count: they are not part of this move. Throws `configuration` and names the cycle.
    public static func waves(_ applications: [Application]) throws(DRError) -> [[Application]] {
        let byName = Dictionary(applications.map { ($0.name.text, $0) }) { first, _ in first }
        let order = try DependencyOrder(byName.mapValues { $0.after.map(\.text) }, of: "applications")
        return order.waves.map { wave in wave.compactMap { byName[$0] } }
    }
}

/// What a destination has of an application's volumes besides the copy of its points.
public enum Standby: String, Hashable, Sendable, Codable, CaseIterable {
    /// Each volume as of the newest point, made and ready: going live takes no writing. Takes as much room as the volumes.
    case warm
    /// Nothing: each volume is written when the application goes live.
    case cold
}
