package import DRModel
internal import DRSupport

/// Volumes in memory: each holds a text, as lines.
package final class MemoryVolumes: VolumeStore {
    private struct Copy: Codable, Sendable {
        var point: RecoveryPoint
        let manifests: [ManifestObject]
        let contents: [String: String]
    }

    private struct State: Sendable {
        var live: [VolumeName: String] = [:]
        /// What was set aside, by place and volume.
        var kept: [String: String] = [:]
        var captured: [OperationKey: [String: String]] = [:]
        var copies: [PointID: Copy] = [:]
        var staged: [StagedVolume: String] = [:]
        var unsupported: Set<VolumeName> = []
        var fuzzy = false
        var unreachable = false
        /// Points whose bytes rotted here.
        var rotten: Set<PointID> = []
    }

    private let cluster: ClusterName
    private let clock: any WallClock
    private let state: Lock<State>

    package convenience init(at cluster: ClusterName, clock: any WallClock) { self.init(at: cluster, State(), clock) }

    private init(at cluster: ClusterName, _ state: State, _ clock: any WallClock) {
        self.cluster = cluster
        self.state = Lock(state)
        self.clock = clock
    }

    package func copy(clock: any WallClock) -> MemoryVolumes { MemoryVolumes(at: cluster, state.withLock { $0 }, clock) }

    // MARK: The world's hand

    package func write(_ text: String, to volume: VolumeName) { state.withLock { $0.live[volume] = text } }
    package func remove(_ volume: VolumeName) { state.withLock { $0.live[volume] = nil } }
    package func read(_ volume: VolumeName) -> String? { state.withLock { $0.live[volume] } }
    package func refuse(_ volume: VolumeName) { state.withLock { _ = $0.unsupported.insert(volume) } }
    /// From now on the copies of these points are found damaged by whoever reads them.
    package func rot(_ points: [PointID]) { state.withLock { $0.rotten.formUnion(points) } }
    package func beFuzzy() { state.withLock { $0.fuzzy = true } }
    package func goAway(_ away: Bool) { state.withLock { $0.unreachable = away } }
    package func keep(_ volume: VolumeName, in place: String) { state.withLock { $0.kept["\(place)/\(volume)"] = $0.live[volume] } }
    package var kept: [String: String] { state.withLock { $0.kept } }
    package var left: Int { state.withLock { $0.staged.count + $0.captured.count } }
    package var observable: [String] { state.withLock { $0.live.map { "\($0.key)=\($0.value)" }.sorted() } }

    package func makeLive(_ staged: [StagedVolume]) throws {
        try state.withLock { state in
            for volume in staged {
                guard let content = state.staged[volume] else { throw DRError(.volumeMissing, "nothing is staged for \(volume.volume)") }
                state.live[volume.volume] = content
            }
        }
    }

    // MARK: VolumeStore

    private func reach<Result>(_ body: (inout State) throws -> sending Result) throws -> sending Result {
        try state.withLock { state in
            if state.unreachable { throw DRError(.clusterUnreachable, "\(cluster) cannot be reached") }
            return try body(&state)
        }
    }

    package func stat(_ volume: VolumeName) async throws -> VolumeFacts? {
        try reach { state in
            if state.unsupported.contains(volume) { throw DRError(.volumeUnsupported, "\(volume) holds a socket") }
            return state.live[volume].map { VolumeFacts(kind: .filesystem, allocated: ByteCount($0.utf8.count)) }
        }
    }

    package func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture
    {
        let instant = clock.now()
        return try reach { state in
            var contents: [String: String] = [:]
            for volume in volumes {
                guard let content = state.live[volume] else { throw DRError(.volumeMissing, "\(cluster) has no volume \(volume)") }
                contents[volume.text] = content
            }
            state.captured[key] = contents
            return Capture(
                application: application, key: key, instant: instant,
                consistency: stopped ? .application : state.fuzzy ? .fuzzy : .crash, volumes: volumes)
        }
    }

    package func publish(
        _ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore
    ) async throws -> Publication {
        let contents = try reach { $0.captured[capture.key] ?? [:] }
        let volumes = capture.volumes.map { name in
            let content = contents[name.text] ?? ""
            return PointVolume(
                name: name, kind: .filesystem, content: ContentToken(Digest.hex(of: content)), size: ByteCount(content.utf8.count))
        }
        let point = RecoveryPoint(
            id: draft.id, application: capture.application, epoch: draft.epoch, generation: draft.generation, source: draft.source,
            instant: capture.instant, consistency: capture.consistency, volumes: volumes, manifests: ContentToken("\(draft.id)"),
            final: draft.final)
        let copy = Copy(point: point, manifests: manifests, contents: contents)
        // What is there under the point's name stays, as in a store whose objects never change.
        try await store.put("points/\(draft.id)", Array(try Value(encoding: copy).json().utf8))
        let size = ByteCount(contents.values.reduce(0) { $0 + $1.utf8.count })
        return Publication(point: point, bytesRead: size, bytesSent: size)
    }

    package func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception {
        let bytes = try await store.get("points/\(point)")
        var copy = try Value(json: String(decoding: bytes, as: UTF8.self)).decoded(as: Copy.self)
        copy.point.verifiedAt = clock.now()
        let received = copy
        try reach { $0.copies[point] = received }
        return Reception(point: received.point, bytesReceived: ByteCount(bytes.count))
    }

    package func verify(_ point: RecoveryPoint) async throws { _ = try copy(of: point) }
    package func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] { try copy(of: point).manifests }

    private func copy(of point: RecoveryPoint) throws -> Copy {
        guard let copy = try reach({ $0.copies[point.id] }) else { throw DRError(.damaged, "the copy of \(point.id) is not there") }
        if try reach({ $0.rotten.contains(point.id) }) {
            throw DRError(.damaged, "volume \(point.volumes.first?.name.text ?? "") of \(point.id) is damaged")
        }
        return copy
    }

    package func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws
        -> StagedVolume
    {
        let content = try copy(of: point).contents[volume.name.text] ?? ""
        let staged = StagedVolume(volume: name, key: key, content: volume.content, size: volume.size)
        try reach { $0.staged[staged] = content }
        return staged
    }

    package func discard(_ key: OperationKey) async throws {
        try reach { state in
            state.captured[key] = nil
            state.staged = state.staged.filter { $0.key.key != key }
        }
    }
}
