internal import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// At the end of a run, when its locks are gone: writing or removing a volume takes its time, and a failover must not wait for it. Where the run copied
    /// to, the newest point stands by if that is wanted; where it went live, nothing does.
    ///
    /// It may fail, or a run die before, without harm: the next migration takes it over, and a point needs nothing of it.
    func settleStandby(after run: RunID) async throws {
        var problems: [String] = []
        for (name, clusters) in (standing.removeValue(forKey: run) ?? [:]).sorted(by: { $0.key < $1.key }) {
            for cluster in clusters.sorted() {
                do { try await settleStandby(of: name, at: try self.cluster(cluster)) } catch let error as DRError {
                    problems.append("the volumes of \(name) do not stand by at \(cluster): \(error.message)")
                }
            }
        }
        guard problems.isEmpty else { throw DRError(.io, problems.joined(separator: "; "), hint: "the next migration tries again") }
    }

    private func settleStandby(of name: ApplicationName, at cluster: any Cluster) async throws {
        let isWarm = inventory.application(name)?.standby == .warm
        guard isWarm, try await !isLive(name, at: cluster),
            let newest = try await cluster.points(of: name).sound.max(by: RecoveryPoint.isOlder)
        else { return try await cluster.volumes.standDown(name) }
        try await cluster.volumes.standBy(newest)
        failpoint("engine.stands-by")
        // Nothing kept it from going live meanwhile.
        if try await isLive(name, at: cluster) { try await cluster.volumes.standDown(name) }
    }

    private func isLive(_ name: ApplicationName, at cluster: any Cluster) async throws -> Bool {
        try await cluster.record(of: name)?.active == cluster.name
    }
}
