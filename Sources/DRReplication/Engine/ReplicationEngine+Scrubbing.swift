public import DRModel
internal import DRSupport

/// The own copy of an application at a cluster, beside the store that it came from.
public struct ScrubPlace: Hashable, Sendable {
    public let application: ApplicationName
    public let cluster: ClusterName
    public let store: StoreName
}

extension ReplicationEngine {
    /// What is not read within this time by anything else is read by a scrub.
    public static let scrubWindow = Duration.seconds(7 * 86_400)

    /// The own copies that no scrub has read whole for a week, at clusters that answer. Reads the lists of points of all declared pairs.
    public func scrubsDue() async throws -> [ScrubPlace] {
        var due: [ScrubPlace] = []
        for pair in inventory.pairs {
            for reversed in pair.bothWays ? [false, true] : [false] {
                let direction = try await direction(pair.name, reversed: reversed)
                do {
                    for application in inventory.applications.map(\.name) {
                        let place = ScrubPlace(application: application, cluster: direction.destination.name, store: direction.storeName)
                        if try await isDue(place, at: direction.destination), !due.contains(place) { due.append(place) }
                    }
                } catch let error as DRError where error.code == .clusterUnreachable { continue }
            }
        }
        return due
    }

    private func isDue(_ place: ScrubPlace, at cluster: any Cluster) async throws -> Bool {
        if let last = try await cluster.document(.scrubbed(place.application))?[place.store.text].integer {
            let age = clock.now() - Instant(nanosecondsSince1970: last)
            if age >= .zero, age < Self.scrubWindow { return false }
        }
        return try await !cluster.points(of: place.application).sound.isEmpty
    }

    /// Reads on after the object that an earlier part ended with, until about `most` bytes were read; `next` of the answer is nil at the end. What is
    /// damaged on one side is healed from the other. Throws `locked` while a point is being received.
    public func scrub(_ place: ScrubPlace, after: String?, most: ByteCount, _ call: EngineCall) async throws -> Scrubbed {
        let cluster = try cluster(place.cluster)
        guard let store = stores[place.store] else { throw unknown("object store", place.store.text, among: stores.keys.map(\.text)) }
        return try await inTurn(place.application) {
            let scrubbed = try await cluster.volumes.scrub(place.application, with: store, after: after, most: most)
            guard scrubbed.next == nil else { return scrubbed }
            let path = DocumentPath.scrubbed(place.application)
            let present = try await cluster.document(path)
            var times = present?.map ?? [:]
            times[place.store.text] = .integer(clock.now().nanosecondsSince1970)
            visit(cluster, call.key)
            _ = try await cluster.commit(
                Transaction(call.key.part("scrubbed"), guards: [.document(path, present)], changes: [.write(path, .map(times))]))
            return scrubbed
        }
    }
}
