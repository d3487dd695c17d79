internal import DRModel

/// Which recovery points stay.
struct RetentionRule {
    let retention: Retention

    /// Those to let go of, oldest first. Never the last verified one, nor the last verified one that is an instant: a fuzzy point is not made live without a
    /// person's word for it.
    func surplus(of points: [RecoveryPoint]) -> [RecoveryPoint] {
        let newestFirst = points.sorted { RecoveryPoint.isOlder($1, $0) }
        var kept = Set(newestFirst.prefix(max(1, retention.last)).map(\.id))
        if let verified = newestFirst.first(where: { $0.verifiedAt != nil }) { kept.insert(verified.id) }
        if let instant = newestFirst.first(where: { $0.verifiedAt != nil && $0.consistency != .fuzzy }) { kept.insert(instant.id) }
        for (count, hours) in [(retention.hourly, 1), (retention.daily, 24), (retention.weekly, 168)] as [(Int, Int64)] {
            kept.formUnion(newestOfEach(in: newestFirst) { $0 / (hours * Self.hour) }.prefix(max(0, count)))
        }
        kept.formUnion(newestOfEach(in: newestFirst, Self.month).prefix(max(0, retention.monthly)))
        return newestFirst.filter { !kept.contains($0.id) }.reversed()
    }

    private static let hour: Int64 = 3_600_000_000_000

    /// Of the calendar in UTC.
    private static func month(_ nanoseconds: Int64) -> Int64 {
        let date = CivilDate(daysSince1970: Int(nanoseconds / (24 * hour)))
        return Int64(date.year * 12 + date.month)
    }

    /// Of each span the newest that is an instant, or the newest fuzzy one where there is no other. `span`: the number of the hour, day, week or month in which an
    /// instant lies.
    private func newestOfEach(in newestFirst: [RecoveryPoint], _ span: (Int64) -> Int64) -> [PointID] {
        var spans: [Int64] = []
        var best: [Int64: RecoveryPoint] = [:]
        for point in newestFirst {
            let number = span(point.instant.nanosecondsSince1970)
            guard let found = best[number] else {
                spans.append(number)
                best[number] = point
                continue
            }
            if found.consistency == .fuzzy, point.consistency != .fuzzy { best[number] = point }
        }
        return spans.compactMap { best[$0]?.id }
    }
}
