public import DRModel

extension ReplicationEngine {
    /// Judged from both ends.
    func standing(of application: ApplicationName, _ direction: Direction) async throws -> Standing {
        var records: [ClusterName: ApplicationRecord] = [:]
        for end in [direction.source, direction.destination] { records[end.name] = try await end.record(of: application) }
        records.merge(try await recordsElsewhere(of: application, than: [direction.source.name, direction.destination.name])) { $1 }
        return Standing(application: application, home: direction.home, records: records)
    }

    /// Other clusters than those of a pair may have taken the application over. One that does not answer, or whose record cannot be read, says nothing: a site that
    /// has no part in it keeps no application down.
    func recordsElsewhere(
        of application: ApplicationName, than ends: Set<ClusterName>
    ) async throws -> [ClusterName: ApplicationRecord] {
        var records: [ClusterName: ApplicationRecord] = [:]
        for place in places(of: application).subtracting(ends).sorted() {
            // Nothing is needed of it: a plan without it does not say so either.
            do {
                records[place] = try await CallPlace.$current.withValue(nil) { try await cluster(place).record(of: application) }
            } catch let error as DRError where error.code == .clusterUnreachable || error.isOfOneRecord { continue }
        }
        return records
    }

    /// The clusters that its pairs name: those whose schedules copy it, or all where none does.
    private func places(of application: ApplicationName) -> Set<ClusterName> {
        let scheduled = Set(inventory.schedules.filter { $0.covers(application) }.map(\.pair))
        let fitting = inventory.pairs.filter { scheduled.contains($0.name) }
        return Set((fitting.isEmpty ? inventory.pairs : fitting).flatMap { [$0.source, $0.destination] })
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
