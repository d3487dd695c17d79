internal import DRModel

/// What an agent promised other clusters: each promise stands, whatever dr.yaml says by now, until that cluster was told otherwise.
struct AgentPromises {
    typealias Promise = AgentMark.Promise
    private(set) var byCluster: [ClusterName: Promise]

    init(_ byCluster: [ClusterName: Promise]) { self.byCluster = byCluster }

    /// As the agent's own copy of its mark keeps it.
    var noted: [String: Promise]? {
        byCluster.isEmpty ? nil : Dictionary(uniqueKeysWithValues: byCluster.map { ($0.key.text, $0.value) })
    }

    func clusters(relyingOn application: ApplicationName) -> Set<ClusterName> {
        Set(byCluster.filter { $0.value.applications.contains(application) }.keys)
    }

    /// When the application is to be stopped for the sake of a cluster that is not heard of; nil = it was promised nothing.
    func end(of application: ApplicationName, to cluster: ClusterName) -> Instant? {
        byCluster[cluster].flatMap { $0.applications.contains(application) ? $0.end : nil }
    }

    /// Whoever keeps what is noted keeps this, too.
    func covers(_ promise: Promise, to cluster: ClusterName) -> Bool {
        guard let noted = byCluster[cluster] else { return false }
        return noted.end <= promise.end && Set(noted.applications).isSuperset(of: promise.applications)
    }

    /// Before these are said: from now on until it is known what was heard, whatever could have been counts. False = that is so already.
    mutating func prepare(_ wanted: [ClusterName: Promise]) -> Bool {
        var changed = false
        for (cluster, promise) in wanted where !covers(promise, to: cluster) {
            changed = true
            let noted = byCluster[cluster]
            let first = noted.map { $0.end <= promise.end ? $0 : promise } ?? promise
            byCluster[cluster] = Promise(
                at: first.at, lease: first.lease, applications: Set(promise.applications).union(noted?.applications ?? []).sorted())
        }
        return changed
    }

    /// It was told this; nil = that nothing is promised any more.
    mutating func heard(_ promise: Promise?, by cluster: ClusterName) { byCluster[cluster] = promise }

    /// It was not reached: what it relies on is what it heard before.
    mutating func unheard(by cluster: ClusterName, _ before: AgentPromises) { byCluster[cluster] = before.byCluster[cluster] }

    /// The agent's clock was set: what lies in the past lies as long ago as before.
    mutating func shift(by jump: Duration) {
        guard jump != .zero else { return }
        byCluster = byCluster.mapValues { Promise(at: $0.at + jump, lease: $0.lease, applications: $0.applications) }
    }
}
