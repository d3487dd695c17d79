public import DRModel

extension ReplicationEngine {
    /// Judged from both ends.
    func standing(of application: ApplicationName, _ direction: Direction) async throws -> Standing {
        var records: [ClusterName: ApplicationRecord] = [:]
        for end in [direction.source, direction.destination] { records[end.name] = try await end.record(of: application) }
        return Standing(application: application, home: direction.home, records: records)
    }

    public func recoveryPoints(
        of applications: [ApplicationName], pair: PairName, reversed: Bool, _ call: EngineCall
    ) async throws -> [PointReport] {
        let destination = try await direction(pair, reversed: reversed).destination
        let now = clock.now()
        var reports: [PointReport] = []
        for name in applications {
            for point in try await destination.points(of: try application(name).name).sound {
                reports.append(
                    PointReport(
                        id: point.id, application: name, instant: point.instant, age: now - point.instant, consistency: point.consistency,
                        verified_at: point.verifiedAt, cluster: destination.name))
            }
        }
        return reports.sorted { ($1.instant, $0.application, $0.id) < ($0.instant, $1.application, $1.id) }
    }
}
