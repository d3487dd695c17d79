internal import DRModel
internal import DRReplication
internal import DRSupport

/// Volumes as a plan sees them: sizes are the real ones, contents are symbols, figures of bytes are estimates.
final class OverlayVolumeStore: VolumeStore {
    private struct State {
        /// What a swap of the plan made live; nil = what the plan removed.
        var live: [VolumeName: VolumeFacts?] = [:]
        var kinds: [VolumeName: VolumeKind] = [:]
        /// Points of the plan that were received here, with their manifests.
        var received: [PointID: PlannedPoints.Entry] = [:]
        /// Of points whose own copy is damaged, as the store has them.
        var mended: [PointID: [ManifestObject]] = [:]
    }

    private let base: any VolumeStore
    private let points: any Cluster
    private let cluster: ClusterName
    private let transit: PlannedPoints
    private let clock: any WallClock
    private let state = Lock(State())

    init(of cluster: any Cluster, transit: PlannedPoints, clock: any WallClock) {
        base = cluster.volumes
        points = cluster
        self.cluster = cluster.name
        self.transit = transit
        self.clock = clock
    }

    func makeLive(_ staged: StagedVolume) {
        state.withLock { state in
            state.live[staged.volume] = VolumeFacts(kind: state.kinds[staged.volume] ?? .filesystem, allocated: staged.size)
        }
    }

    func drop(_ volume: VolumeName) { state.withLock { $0.live[volume] = .some(nil) } }

    func stat(_ volume: VolumeName) async throws -> VolumeFacts? {
        if let planned = state.withLock({ $0.live[volume] }) { return planned }
        return try await base.stat(volume)
    }

    func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture {
        for volume in volumes { _ = try await existing(volume) }
        // Whatever a capture takes, two of them are never of one instant: the order of points goes by it.
        try await clock.sleep(for: .milliseconds(1))
        return Capture(
            application: application, key: key, instant: clock.now(), consistency: stopped ? .application : .crash, volumes: volumes)
    }

    func publish(
        _ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore
    ) async throws -> Publication {
        // A store that does not answer fails the run, so it fails the plan.
        try await transit.ask(store)
        var volumes: [PointVolume] = []
        var bytes = ByteCount.zero
        for name in capture.volumes {
            let facts = try await existing(name)
            bytes = bytes + facts.allocated
            volumes.append(
                PointVolume(
                    name: name, kind: facts.kind, content: ContentToken("planned:\(draft.id)/\(name)"), size: facts.allocated))
        }
        let point = RecoveryPoint(
            id: draft.id, application: capture.application, epoch: draft.epoch, generation: draft.generation, source: draft.source,
            instant: capture.instant, consistency: capture.consistency, volumes: volumes,
            manifests: ContentToken("planned:\(draft.id)/manifests"), final: draft.final)
        transit.add(PlannedPoints.Entry(point: point, manifests: manifests, bytes: bytes), store: store.name)
        // Without reading, nobody knows what changed since the last point: at most everything is sent.
        return Publication(point: point, bytesRead: bytes, bytesSent: bytes, predicted: true)
    }

    func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception {
        guard let entry = transit.entry(point, store: store.name) else {
            throw DRError(.notFound, "the store \(store.name) has no recovery point \(point) of \(application)")
        }
        var received = try await predicted(entry.point)
        received.verifiedAt = clock.now()
        let arrived = PlannedPoints.Entry(point: received, manifests: entry.manifests, bytes: entry.bytes)
        state.withLock { $0.received[point] = arrived }
        return Reception(point: received, bytesReceived: entry.bytes)
    }

    /// An application whose files were written while they were copied is most likely at it the next time as well.
    private func predicted(_ point: RecoveryPoint) async throws -> RecoveryPoint {
        guard point.consistency == .crash, try await points.lastTakenWhileRunning(of: point.application) == .fuzzy else { return point }
        return RecoveryPoint(
            id: point.id, application: point.application, epoch: point.epoch, generation: point.generation, source: point.source,
            instant: point.instant, consistency: .fuzzy, volumes: point.volumes, manifests: point.manifests, final: point.final)
    }

    // Of a real point a plan asks only whether it is there: reading every byte is the run's work.
    func verify(_ point: RecoveryPoint) async throws { _ = try await manifests(of: point) }

    func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] {
        if let planned = state.withLock({ $0.received[point.id] }) { return planned.manifests }
        if let mended = state.withLock({ $0.mended[point.id] }) { return mended }
        return try await base.manifests(of: point)
    }

    func objects(of point: RecoveryPoint) async throws -> [String] { try await base.objects(of: point) }

    func manifests(of point: RecoveryPoint, from store: any ObjectStore) async throws -> [ManifestObject] {
        try await base.manifests(of: point, from: store)
    }

    // The own copy stays as it is: what the run would read after mending it is read from the store.
    func mend(_ point: RecoveryPoint, from store: any ObjectStore) async throws -> [String] {
        let manifests = try await base.manifests(of: point, from: store)
        state.withLock { $0.mended[point.id] = manifests }
        return ["its manifests"]
    }

    func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws -> StagedVolume {
        state.withLock { $0.kinds[name] = volume.kind }
        return StagedVolume(volume: name, key: key, content: volume.content, size: volume.size)
    }

    func standingBy(_ application: ApplicationName) async throws -> ByteCount { try await base.standingBy(application) }

    func discard(_ key: OperationKey) async throws {}

    private func existing(_ volume: VolumeName) async throws -> VolumeFacts {
        guard let facts = try await stat(volume) else { throw DRError(.volumeMissing, "\(cluster) has no volume \(volume)") }
        return facts
    }
}
