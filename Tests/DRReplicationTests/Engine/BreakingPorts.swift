import DRModel
import DRSimulation
import DRSupport

/// When the world stops: at the N-th call of any port, before or after it was made. Dead, nothing works any more.
final class Breaker: Sendable {
    private struct State {
        var calls: [String] = []
        /// Of the kind of which the one at `position` is meant.
        var counted = 0
        var dead = false
    }

    private let position: Int
    /// Only calls that contain this count; empty = all.
    private let kind: String
    private let after: Bool
    /// Called after each call.
    private let watching: @Sendable () -> Void
    /// What happens while it is paused before the call at `position`; nil = it dies there.
    private let pause: (@Sendable () async -> Void)?
    /// What is thrown there once, by ports that work again afterwards; nil = it dies.
    private let failure: DRError?
    private let state = Lock(State())

    /// `position` counts from 1; 0 never breaks.
    init(at position: Int = 0, of kind: String = "", after: Bool = false, watching: @escaping @Sendable () -> Void = {}) {
        self.position = position
        self.kind = kind
        self.after = after
        self.watching = watching
        pause = nil
        failure = nil
    }

    init(at position: Int, failing failure: DRError, after: Bool, watching: @escaping @Sendable () -> Void = {}) {
        self.position = position
        kind = ""
        self.after = after
        self.watching = watching
        self.failure = failure
        pause = nil
    }

    var isDead: Bool { state.withLock { $0.dead } }

    init(
        pausingAt position: Int, of kind: String = "", watching: @escaping @Sendable () -> Void,
        _ pause: @escaping @Sendable () async -> Void
    ) {
        self.position = position
        self.kind = kind
        after = false
        self.watching = watching
        self.pause = pause
        failure = nil
    }

    var calls: [String] { state.withLock { $0.calls } }

    func pass<Result>(_ call: String, _ body: () async throws -> Result) async throws -> Result {
        let strikes = try state.withLock { state in
            if state.dead { throw Killed() }
            state.calls.append(call)
            guard kind.isEmpty || call.contains(kind) else { return false }
            state.counted += 1
            if state.counted == position, pause == nil, failure == nil { state.dead = true }
            return state.counted == position
        }
        if strikes, let pause {
            await pause()
        } else if strikes, !after {
            throw failure ?? Killed()
        }
        let result = try await body()
        watching()
        if strikes, pause == nil { throw failure ?? Killed() }
        return result
    }
}

/// A cluster whose calls go through a breaker.
struct BreakingCluster: Cluster {
    let base: any Cluster
    let breaker: Breaker
    /// As a cluster would that only locks protect: to see what the guards are for.
    var ignoresGuards = false
    var name: ClusterName { base.name }
    var volumes: any VolumeStore { BreakingVolumes(base: base.volumes, name: base.name, breaker: breaker) }

    private func pass<Result>(_ call: String, _ body: () async throws -> Result) async throws -> Result {
        try await breaker.pass("\(name).\(call)", body)
    }

    func facts() async throws -> ClusterFacts { try await pass("facts") { try await base.facts() } }
    func objects(of application: Application) async throws -> [ManifestObject] {
        try await pass("objects") { try await base.objects(of: application) }
    }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { try await pass("object") { try await base.objects(query) } }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { try await pass("object") { try await base.object(key) } }
    func document(_ path: DocumentPath) async throws -> Value? { try await pass("document \(path)") { try await base.document(path) } }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] {
        try await pass("documents \(folder)") { try await base.documents(in: folder) }
    }
    func commit(_ transaction: Transaction) async throws -> Committed {
        var transaction = transaction
        if ignoresGuards { transaction.guards = [] }
        let changed = transaction
        return try await pass("commit \(changed.key)") { try await base.commit(changed) }
    }
    func committed(_ key: OperationKey) async throws -> Committed? { try await pass("committed") { try await base.committed(key) } }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        try await pass("\(action) \(object.key)") { try await base.workload(action, object, replicas: replicas) }
    }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws {
        try await pass("lock") { try await base.lock(application, for: holder) }
    }
    func unlock(run: RunID) async throws { try await pass("unlock") { try await base.unlock(run: run) } }
    func park(run: RunID, until: Instant?) async throws { try await pass("park") { try await base.park(run: run, until: until) } }
    func locks() async throws -> [ApplicationLock] { try await pass("locks") { try await base.locks() } }
    // Signs of life are no stage of anything.
    func agentMark(of cluster: ClusterName) async throws -> AgentMark? { try await base.agentMark(of: cluster) }
    func noteAgent(_ mark: AgentMark) async throws { try await base.noteAgent(mark) }
    func noteContact(_ contact: SiteContact) async throws { try await base.noteContact(contact) }
    func contact(with cluster: ClusterName) async throws -> SiteContact? { try await base.contact(with: cluster) }
}

struct BreakingVolumes: VolumeStore {
    let base: any VolumeStore
    let name: ClusterName
    let breaker: Breaker

    private func pass<Result>(_ call: String, _ body: () async throws -> Result) async throws -> Result {
        try await breaker.pass("\(name).volumes.\(call)", body)
    }

    func stat(_ volume: VolumeName) async throws -> VolumeFacts? { try await pass("stat") { try await base.stat(volume) } }
    func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture {
        try await pass("capture") { try await base.capture(volumes, of: application, stopped: stopped, key: key) }
    }
    func publish(
        _ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore
    ) async throws -> Publication {
        try await pass("publish") { try await base.publish(capture, as: draft, manifests: manifests, to: store) }
    }
    func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception {
        try await pass("receive") { try await base.receive(point, of: application, from: store) }
    }
    func verify(_ point: RecoveryPoint) async throws { try await pass("verify") { try await base.verify(point) } }
    func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] {
        try await pass("manifests") { try await base.manifests(of: point) }
    }
    func objects(of point: RecoveryPoint) async throws -> [String] { try await base.objects(of: point) }
    func manifests(of point: RecoveryPoint, from store: any ObjectStore) async throws -> [ManifestObject] {
        try await pass("manifests") { try await base.manifests(of: point, from: store) }
    }
    func mend(_ point: RecoveryPoint, from store: any ObjectStore) async throws -> [String] {
        try await pass("mend") { try await base.mend(point, from: store) }
    }
    func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws -> StagedVolume {
        try await pass("materialise") { try await base.materialise(volume, of: point, as: name, key: key) }
    }
    func discard(_ key: OperationKey) async throws { try await pass("discard") { try await base.discard(key) } }
}

struct BreakingStore: ObjectStore {
    let base: any ObjectStore
    let breaker: Breaker
    var name: StoreName { base.name }

    func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool { try await breaker.pass("put") { try await base.put(name, bytes) } }
    func get(_ name: String) async throws -> [UInt8] { try await breaker.pass("get") { try await base.get(name) } }
    func exists(_ name: String) async throws -> Bool { try await breaker.pass("exists") { try await base.exists(name) } }
    func list(prefix: String) async throws -> [StoredObject] { try await breaker.pass("list") { try await base.list(prefix: prefix) } }
    func delete(_ name: String) async throws { try await breaker.pass("delete") { try await base.delete(name) } }
    func settle(_ names: [String]) async throws { try await breaker.pass("settle") { try await base.settle(names) } }
}
