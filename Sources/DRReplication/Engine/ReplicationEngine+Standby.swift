internal import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// Keeps the volumes of the point ready at the destination, if that is wanted of the application. Says what went wrong: it costs time when they are
    /// needed, and the point nothing.
    func standBy(_ application: Application, _ id: PointID, at destination: any Cluster) async throws -> [String] {
        do {
            guard application.standby == .warm else {
                try await destination.volumes.standDown(application.name)
                return []
            }
            // One that is not listed any more is needed by nobody.
            guard let point = try await destination.points(of: application.name).sound.first(where: { $0.id == id }) else { return [] }
            try await destination.volumes.standBy(point)
            failpoint("engine.migrate.stands-by")
            return []
        } catch let error as DRError {
            return ["the volumes of \(application.name) do not stand by at \(destination.name): \(error.message)"]
        }
    }

    /// What stood by for applications that the run made live is of no more use. Removing a large file takes its time: at the end of a run it holds up nobody.
    func standDown(after run: RunID) async {
        for (application, name) in standsDown.removeValue(forKey: run) ?? [:] {
            // It may fail without harm, as a run may die before: the next migration to the cluster takes it over or removes it.
            try? await clusters[name]?.volumes.standDown(application)
        }
    }
}
