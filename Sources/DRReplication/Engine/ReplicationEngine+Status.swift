public import DRModel

extension ReplicationEngine {
    /// Asks every cluster that a pair names, except `without`. One that does not answer is unknown, never taken for fenced or failed.
    public func status(
        of applications: [ApplicationName], without: [ClusterName], _ call: EngineCall
    ) async throws -> [ApplicationStatus] {
        let asked = try applications.map { try application($0).name }
        var sights: [ClusterName: ClusterSight?] = [:]
        for name in clusters.keys.sorted() {
            sights[name] = without.contains(name) ? .some(nil) : .some(try await sight(of: try cluster(name), asked))
        }
        let now = clock.now()
        return asked.map { StatusDecision(application: $0, inventory: inventory, sights: sights, now: now).status }
    }

    /// Nil when the cluster does not answer.
    private func sight(of cluster: any Cluster, _ applications: [ApplicationName]) async throws -> ClusterSight? {
        do {
            var sight = ClusterSight(schedules: try await cluster.schedules(), locks: try await cluster.locks())
            for path in try await cluster.documents(in: .pairs) {
                if let pair = try await cluster.read(ClusterPair.self, path, "pair \(path.lastName)") { sight.pairs.append(pair) }
            }
            for name in applications {
                sight.records[name] = try await cluster.record(of: name)
                sight.points[name] = try await cluster.points(of: name)
            }
            return sight
        } catch let error as DRError where error.code == .clusterUnreachable {
            return nil
        }
    }
}
