public import DRModel

extension ReplicationEngine {
    /// Of all clusters that answer, by application and cluster; what is wrong with those that cannot be read; and the clusters that do not answer.
    public func locks() async throws -> (
        found: [(cluster: ClusterName, lock: ApplicationLock)], damaged: [DRError], silent: [ClusterName]
    ) {
        var found: [(cluster: ClusterName, lock: ApplicationLock)] = []
        var (damaged, silent): ([DRError], [ClusterName]) = ([], [])
        let names = inventory.applications.map(\.name)
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                let all = try await cluster.locksOneByOne(of: names) { try await cluster.locks() }
                found += all.sound.map { (cluster.name, $0) }
                damaged += all.damaged
            } catch let error as DRError where error.code == .clusterUnreachable {
                silent.append(cluster.name)
            }
        }
        return (found.sorted { ($0.lock.application, $0.cluster) < ($1.lock.application, $1.cluster) }, damaged, silent)
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

extension Cluster {
    /// A damaged note is a matter of its own application: the locks of the others are told all the same.
    func locksOneByOne(
        of applications: [ApplicationName], unlessTogether together: () async throws -> [ApplicationLock]
    ) async throws -> (sound: [ApplicationLock], damaged: [DRError]) {
        do { return (try await together(), []) } catch let error as DRError where error.isOfOneRecord {
            var (sound, damaged): ([ApplicationLock], [DRError]) = ([], [])
            for name in applications {
                do { sound += try await locks(of: [name]) } catch let error as DRError where error.isOfOneRecord { damaged.append(error) }
            }
            return (sound, damaged)
        }
    }
}
