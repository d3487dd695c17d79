package import DRModel

/// A cluster as one process of a simulation reaches it.
struct SimulatedCluster: Cluster {
    let base: any Cluster
    let process: SimulatedProcess
    var name: ClusterName { base.name }
    var volumes: any VolumeStore { SimulatedVolumes(base: base.volumes, name: base.name, process: process) }

    private func pass<Result>(_ call: String, isChange: Bool = false, _ body: () async throws -> Result) async throws -> Result {
        try await process.port(name.text, call, isChange: isChange, body)
    }

    func facts() async throws -> ClusterFacts { try await pass("facts") { try await base.facts() } }
    func objects(of application: Application) async throws -> [ManifestObject] {
        try await pass("objects") { try await base.objects(of: application) }
    }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { try await pass("objects") { try await base.objects(query) } }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { try await pass("object") { try await base.object(key) } }
    func document(_ path: DocumentPath) async throws -> Value? { try await pass("document") { try await base.document(path) } }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] {
        try await pass("documents") { try await base.documents(in: folder) }
    }
    func commit(_ transaction: Transaction) async throws -> Committed {
        try await pass("commit", isChange: true) { try await base.commit(transaction) }
    }
    func committed(_ key: OperationKey) async throws -> Committed? { try await pass("committed") { try await base.committed(key) } }
    func forget(run: RunID) async throws { try await pass("forget") { try await base.forget(run: run) } }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        let asks = action == .ready || action == .readyClone
        return try await pass(action.rawValue, isChange: !asks) { try await base.workload(action, object, replicas: replicas) }
    }
    var rules: [RuleName]? { base.rules }
    func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws {
        try await pass("hold", isChange: true) { try await base.hold(application, by: rules) }
    }
    func letGo(_ application: ApplicationName) async throws -> Bool {
        try await pass("letGo", isChange: true) { try await base.letGo(application) }
    }
    func onHold() async throws -> [ApplicationName] { try await pass("onHold") { try await base.onHold() } }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws {
        try await pass("lock") { try await base.lock(application, for: holder) }
    }
    func unlock(run: RunID) async throws { try await pass("unlock") { try await base.unlock(run: run) } }
    func park(run: RunID, until: Instant?) async throws { try await pass("park") { try await base.park(run: run, until: until) } }
    func locks() async throws -> [ApplicationLock] { try await pass("locks") { try await base.locks() } }
    func breakLock(_ application: ApplicationName) async throws -> Bool {
        try await pass("breakLock") { try await base.breakLock(application) }
    }
}

struct SimulatedVolumes: VolumeStore {
    let base: any VolumeStore
    let name: ClusterName
    let process: SimulatedProcess

    private func pass<Result>(
        _ call: String, through store: (any ObjectStore)? = nil, _ body: () async throws -> Result
    ) async throws -> Result {
        try await process.port(name.text, call, isChange: false) {
            if let store { try process.world.reach(store.name, from: name) }
            return try await body()
        }
    }

    func stat(_ volume: VolumeName) async throws -> VolumeFacts? { try await pass("stat") { try await base.stat(volume) } }
    func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture {
        try await pass("capture") { try await base.capture(volumes, of: application, stopped: stopped, key: key) }
    }
    func publish(
        _ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore
    ) async throws -> Publication {
        try await pass("publish", through: store) { try await base.publish(capture, as: draft, manifests: manifests, to: store) }
    }
    func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception {
        try await pass("receive", through: store) { try await base.receive(point, of: application, from: store) }
    }
    func verify(_ point: RecoveryPoint) async throws { try await pass("verify") { try await base.verify(point) } }
    func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] {
        try await pass("manifests") { try await base.manifests(of: point) }
    }
    func objects(of point: RecoveryPoint) async throws -> [String] { try await base.objects(of: point) }
    func manifests(of point: RecoveryPoint, from store: any ObjectStore) async throws -> [ManifestObject] {
        try await pass("manifests", through: store) { try await base.manifests(of: point, from: store) }
    }
    func mend(_ point: RecoveryPoint, from store: any ObjectStore) async throws -> [String] {
        try await pass("mend", through: store) { try await base.mend(point, from: store) }
    }
    func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws -> StagedVolume {
        try await pass("materialise") { try await base.materialise(volume, of: point, as: name, key: key) }
    }
    func sweep(_ application: ApplicationName, keeping points: Set<PointID>) async throws -> Swept {
        try await pass("sweep") { try await base.sweep(application, keeping: points) }
    }
    func sweep(
        _ store: any ObjectStore, of application: ApplicationName, keeping points: Set<PointID>, asked clusters: Set<ClusterName>
    ) async throws -> Swept {
        try await pass("sweep", through: store) { try await base.sweep(store, of: application, keeping: points, asked: clusters) }
    }
    func scrub(
        _ application: ApplicationName, with store: any ObjectStore, after: String?, most: ByteCount
    ) async throws -> Scrubbed {
        try await pass("scrub", through: store) { try await base.scrub(application, with: store, after: after, most: most) }
    }
    func discard(_ key: OperationKey) async throws { try await pass("discard") { try await base.discard(key) } }
}

struct SimulatedStore: ObjectStore {
    let base: any ObjectStore
    let process: SimulatedProcess
    var name: StoreName { base.name }

    private func pass<Result>(_ call: String, _ body: () async throws -> Result) async throws -> Result {
        try await process.port(name.text, call, isChange: false, body)
    }

    func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool { try await pass("put") { try await base.put(name, bytes) } }
    func get(_ name: String) async throws -> [UInt8] { try await pass("get") { try await base.get(name) } }
    func get(_ name: String, first count: Int) async throws -> [UInt8] {
        try await pass("get") { try await base.get(name, first: count) }
    }
    func seal(of name: String) async throws -> ObjectSeal? { try await base.seal(of: name) }
    func exists(_ name: String) async throws -> Bool { try await pass("exists") { try await base.exists(name) } }
    func list(prefix: String) async throws -> [StoredObject] { try await pass("list") { try await base.list(prefix: prefix) } }
    func delete(_ name: String) async throws { try await pass("delete") { try await base.delete(name) } }
    func settle(_ names: [String]) async throws { try await pass("settle") { try await base.settle(names) } }
}

/// The journal as one process reaches it; also tells the simulation which action has which key.
package struct SimulatedJournal: Journal {
    let base: any Journal
    let process: SimulatedProcess

    package init(_ base: any Journal, _ process: SimulatedProcess) {
        self.base = base
        self.process = process
    }

    package func begin(_ header: RunHeader) throws { try process.record(count: 1) { try base.begin(header) } }

    @discardableResult package func append(_ entries: [TimedEntry], to run: RunID) throws -> [JournalRecord] {
        for timed in entries where timed.entry.kind == .intent { process.remember(timed.entry, of: run) }
        return try process.record(count: entries.count) { try base.append(entries, to: run) }
    }

    package func header(of run: RunID) throws -> RunHeader { try base.header(of: run) }

    package func records(of run: RunID) throws -> [JournalRecord] {
        let records = try base.records(of: run)
        for record in records where record.entry.kind == .intent { process.remember(record.entry, of: run) }
        return records
    }

    package func runs() throws -> [RunSummary] { try base.runs() }
}
