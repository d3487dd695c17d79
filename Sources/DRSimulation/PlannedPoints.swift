internal import DRModel
internal import DRSupport

/// The recovery points a plan has made so far, as they would stand in the stores: symbolic, with their manifests.
final class PlannedPoints: Sendable {
    struct Entry: Sendable {
        let point: RecoveryPoint
        let manifests: [ManifestObject]
        let bytes: ByteCount
    }

    private let entries = Lock<[String: Entry]>([:])

    func add(_ entry: Entry, store: StoreName) { entries.withLock { $0["\(store)/\(entry.point.id)"] = entry } }
    func entry(_ id: PointID, store: StoreName) -> Entry? { entries.withLock { $0["\(store)/\(id)"] } }
}
