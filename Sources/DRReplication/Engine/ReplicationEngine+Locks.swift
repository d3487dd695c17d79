public import DRModel

extension ReplicationEngine {
    /// Of all clusters that answer, by application and cluster.
    public func locks() async throws -> [(cluster: ClusterName, lock: ApplicationLock)] {
        var found: [(cluster: ClusterName, lock: ApplicationLock)] = []
        for cluster in clusters.values {
            do {
                found += try await cluster.locks().map { (cluster.name, $0) }
            } catch let error as DRError where error.code == .clusterUnreachable {
                continue
            }
        }
        return found.sorted { ($0.lock.application, $0.cluster) < ($1.lock.application, $1.cluster) }
    }

    /// Where it was held. Clusters that do not answer are left out.
    public func breakLock(of application: ApplicationName) async throws -> [ClusterName] {
        let name = try self.application(application).name
        var broken: [ClusterName] = []
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                if try await cluster.breakLock(name) { broken.append(cluster.name) }
            } catch let error as DRError where error.code == .clusterUnreachable {
                continue
            }
        }
        return broken
    }
}
