public import DRModel
internal import DRSupport

/// The own copy of an application at a cluster, beside the store that it came from.
public struct ScrubPlace: Hashable, Sendable, CustomStringConvertible {
    public let application: ApplicationName
    public let cluster: ClusterName
    public let store: StoreName

    public var description: String { "\(application) at \(cluster)" }
}

extension ReplicationEngine {
    /// What is not read within this time by anything else is read by a scrub.
    public static let scrubWindow = Duration.seconds(7 * 86_400)

    /// The own copies that no scrub has read whole for a week, at clusters that answer. Reads the lists of points of all declared pairs. What is wrong with
    /// one of them is told, and hides no other.
    public func scrubsDue(_ failed: (String, DRError) -> Void = { _, _ in }) async throws -> [ScrubPlace] {
        try await places(of: inventory.applications.map(\.name), failed) { place, cluster in
            if let last = try await self.scrubbed(place, at: cluster) {
                let age = self.clock.now() - last
                if age >= .zero, age < Self.scrubWindow { return false }
            }
            return true
        }
    }

    /// The own copies of these applications that hold points. `failed`: hears of what did not answer.
    public func scrubPlaces(of applications: [ApplicationName], _ failed: (String, DRError) -> Void) async throws -> [ScrubPlace] {
        for name in applications { _ = try application(name) }
        return try await places(of: applications, failed) { _, _ in true }
    }

    private func places(
        of applications: [ApplicationName], _ failed: (String, DRError) -> Void,
        where isWanted: (ScrubPlace, any Cluster) async throws -> Bool
    ) async throws -> [ScrubPlace] {
        var found: [ScrubPlace] = []
        for pair in inventory.pairs {
            for reversed in pair.bothWays ? [false, true] : [false] {
                let direction = try await direction(pair.name, reversed: reversed)
                for application in applications {
                    let place = ScrubPlace(application: application, cluster: direction.destination.name, store: direction.storeName)
                    do {
                        guard !found.contains(place), try await isWanted(place, direction.destination),
                            try await !direction.destination.points(of: application).sound.isEmpty
                        else { continue }
                        found.append(place)
                    } catch let error as DRError {
                        failed("\(place)", error)
                        // None of the others would be answered.
                        if error.code == .clusterUnreachable { break }
                    }
                }
            }
        }
        return found
    }

    /// When a scrub last came to the end of it.
    func scrubbed(_ place: ScrubPlace, at cluster: any Cluster) async throws -> Instant? {
        try await cluster.document(.scrubbed(place.application))?[place.store.text].integer.map(Instant.init(nanosecondsSince1970:))
    }

    /// The object that an earlier part ended with, of this process or another; nil when the next one begins anew.
    public func scrubReached(_ place: ScrubPlace) async throws -> String? {
        try await cluster(place.cluster).document(.scrubbed(place.application))?[place.reached].string
    }

    /// Reads on after the object that an earlier part ended with, until about `most` bytes were read; `next` of the answer is nil at the end. What is
    /// damaged on one side is healed from the other. Throws `locked` while a point is being received.
    public func scrub(_ place: ScrubPlace, after: String?, most: ByteCount, _ call: EngineCall) async throws -> Scrubbed {
        let cluster = try cluster(place.cluster)
        guard let store = stores[place.store] else { throw unknown("object store", place.store.text, among: stores.keys.map(\.text)) }
        return try await inTurn(place.application) {
            let scrubbed = try await cluster.volumes.scrub(place.application, with: store, after: after, most: most)
            let path = DocumentPath.scrubbed(place.application)
            let present = try await cluster.document(path)
            var notes = present?.map ?? [:]
            notes[place.reached] = scrubbed.next.map(Value.string)
            if scrubbed.next == nil { notes[place.store.text] = .integer(clock.now().nanosecondsSince1970) }
            visit(cluster, call.key)
            _ = try await cluster.commit(
                Transaction(
                    call.key.part("scrubbed").part(scrubbed.next ?? "end"), guards: [.document(path, present)],
                    changes: [.write(path, .map(notes))]))
            return scrubbed
        }
    }
}

extension ScrubPlace {
    /// No store is called so.
    fileprivate var reached: String { "\(store)/reached" }
}
