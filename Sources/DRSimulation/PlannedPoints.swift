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

    private let answered = Lock<Set<StoreName>>([])

    /// Throws what a store says that does not answer; one that did is not asked again.
    func ask(_ store: any ObjectStore) async throws {
        guard !answered.withLock({ $0.contains(store.name) }) else { return }
        _ = try await store.exists("plan/probe")
        _ = answered.withLock { $0.insert(store.name) }
    }

    func add(_ entry: Entry, store: StoreName) { entries.withLock { $0["\(store)/\(entry.point.id)"] = entry } }
    func entry(_ id: PointID, store: StoreName) -> Entry? { entries.withLock { $0["\(store)/\(id)"] } }
}
