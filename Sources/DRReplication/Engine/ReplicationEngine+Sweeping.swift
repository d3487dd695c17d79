internal import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// Removes the bytes of points that no cluster lists any more and no drill holds: those of the own copy at the destination, and those in the store. Says
    /// what could not be removed, a line each; it is tried again after the next migration that lets points go.
    func sweep(_ application: ApplicationName, at destination: any Cluster, _ store: any ObjectStore) async throws -> [String] {
        var warnings: [String] = []
        do {
            let keeping = try await needed(of: application, at: destination)
            _ = try await destination.volumes.sweep(application, keeping: keeping)
        } catch let error as DRError {
            warnings.append("the own copy of \(application) at \(destination.name) was not swept: \(error.message)")
        }
        failpoint("engine.migrate.swept")
        do {
            // Any of them may have taken its points from there.
            var keeping: Set<PointID> = []
            for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
                keeping.formUnion(try await needed(of: application, at: cluster))
            }
            _ = try await destination.volumes.sweep(store, of: application, keeping: keeping, asked: Set(clusters.keys))
        } catch let error as DRError {
            warnings.append("store \(store.name) was not swept of \(application): \(error.message)")
        }
        return warnings
    }

    /// The points that a cluster lists, the damaged ones, too, and those that a drill there was made of.
    private func needed(of application: ApplicationName, at cluster: any Cluster) async throws -> Set<PointID> {
        let (points, drills) = (try await cluster.points(of: application), try await cluster.drills())
        if let first = drills.damaged.first { throw first.error }
        return Set(points.sound.map(\.id)).union(points.damaged.compactMap { try? PointID($0.path.lastName) })
            .union(drills.sound.flatMap { $0.clones.map(\.point.id) })
    }
}
