internal import DRModel

/// Which recovery points stay.
struct RetentionRule {
    let retention: Retention

    /// Those to let go of, oldest first. Never the last verified one.
    func surplus(of points: [RecoveryPoint]) -> [RecoveryPoint] {
        let newestFirst = points.sorted { RecoveryPoint.isOlder($1, $0) }
        var kept = Set(newestFirst.prefix(max(1, retention.last)).map(\.id))
        if let verified = newestFirst.first(where: { $0.verifiedAt != nil }) { kept.insert(verified.id) }
        for (count, hours) in [(retention.hourly, 1), (retention.daily, 24), (retention.weekly, 168)] as [(Int, Int64)] {
            kept.formUnion(newestOfEach(hours: hours, in: newestFirst).prefix(max(0, count)))
        }
        return newestFirst.filter { !kept.contains($0.id) }.reversed()
    }

    private func newestOfEach(hours: Int64, in newestFirst: [RecoveryPoint]) -> [PointID] {
        var seen: Set<Int64> = []
        return newestFirst.filter { seen.insert($0.instant.nanosecondsSince1970 / (hours * 3_600_000_000_000)).inserted }.map(\.id)
    }
}
