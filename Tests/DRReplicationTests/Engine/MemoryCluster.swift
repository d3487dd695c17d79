import DRManifest
import DRModel
import DRReplication
import DRSupport

/// A cluster in memory that keeps the promises of the port.
final class MemoryCluster: Cluster {
    struct State {
        var objects: [ObjectKey: ManifestObject] = [:]
        var documents: [DocumentPath: Value] = [:]
        var committed: [OperationKey: Committed] = [:]
        var locks: [ApplicationName: ApplicationLock] = [:]
        /// Processes that run, by workload.
        var processes: [ObjectKey: Int] = [:]
        var facts = ClusterFacts(
            platform: "kubernetes", version: "v1.31.2", objectSize: ByteCount(4 << 20), secretsProvider: "k8s", free: ByteCount(1 << 40))
        var unreachable = false
        /// How often `ready` answers `starting` before it answers `ready`.
        var slowness = 0
        var commits = 0
    }

    let name: ClusterName
    let memory: MemoryVolumes
    let state = Lock(State())
    private let clock: any WallClock
    var volumes: any VolumeStore { memory }

    init(_ name: ClusterName, clock: any WallClock) {
        self.name = name
        self.clock = clock
        memory = MemoryVolumes(at: name, clock: clock)
    }

    // MARK: For tests

    func add(_ yaml: String) throws {
        let objects = try Manifest.parse(yaml, file: "\(name).yaml").map(\.object)
        state.withLock { state in
            for object in objects { state.objects[object.key] = object }
        }
    }

    func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
    func goAway(_ away: Bool = true) {
        set { $0.unreachable = away }
        memory.goAway(away)
    }

    func text(_ kind: String, _ name: String) -> String? {
        state.withLock { $0.objects.values.first { $0.key.kind == kind && $0.key.name == name }?.text }
    }

    func replicas(_ kind: String, _ name: String) throws -> Int? {
        let object = state.withLock { $0.objects.values.first { $0.key.kind == kind && $0.key.name == name } }
        return try object.flatMap { try Manifest($0).replicas }
    }

    func processes(_ name: String) -> Int { state.withLock { $0.processes.first { $0.key.name == name }?.value ?? 0 } }
    var commits: Int { state.withLock { $0.commits } }
    var allDocuments: [DocumentPath: Value] { state.withLock { $0.documents } }

    /// Objects, volumes and state as one text: equal texts, equal observable states.
    var observable: String {
        let (objects, documents) = state.withLock { ($0.objects, $0.documents) }
        var lines = objects.values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.text)" }
        lines += documents.filter { $0.key.text.hasPrefix("state/") }.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.json())" }
        return ([name.text] + lines + memory.observable).joined(separator: "\n")
    }

    // MARK: Cluster

    private func reach<Result>(_ body: (inout State) throws -> sending Result) throws -> sending Result {
        try state.withLock { state in
            if state.unreachable { throw DRError(.clusterUnreachable, "\(name) cannot be reached") }
            return try body(&state)
        }
    }

    func facts() async throws -> ClusterFacts { try reach { $0.facts } }

    func objects(of application: Application) async throws -> [ManifestObject] {
        let all = try reach { $0.objects }
        return try ApplicationSelection.of(try all.values.map { try Self.manifest($0) }, application, at: name)
    }

    // Read once; tests ask thousands of times.
    private static let read = Lock<[ManifestObject: Manifest]>([:])

    private static func manifest(_ object: ManifestObject) throws -> Manifest {
        if let known = read.withLock({ $0[object] }) { return known }
        let manifest = try Manifest(object)
        read.withLock { $0[object] = manifest }
        return manifest
    }

    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] {
        try reach { $0.objects.values.filter { query.selects($0.key) }.sorted { $0.key < $1.key } }
    }

    func object(_ key: ObjectKey) async throws -> ManifestObject? { try reach { $0.objects[key] } }
    func document(_ path: DocumentPath) async throws -> Value? { try reach { $0.documents[path] } }

    func documents(in folder: DocumentPath) async throws -> [DocumentPath] {
        try reach { $0.documents.keys.filter { $0.text.hasPrefix(folder.text + "/") }.sorted() }
    }

    func commit(_ transaction: Transaction) async throws -> Committed {
        let staged = transaction.changes.compactMap { if case .swap(let staged) = $0 { staged } else { nil } }
        let answer = try reach { state in
            if let earlier = state.committed[transaction.key] {
                return Committed(effects: earlier.effects, answer: earlier.answer, repeated: true)
            }
            for condition in transaction.guards { try check(condition, state) }
            for case .keep(let volume, let application, let epoch) in transaction.changes {
                memory.keep(volume, in: "\(application)-e\(epoch)")
            }
            try memory.makeLive(staged)
            for change in transaction.changes {
                switch change {
                case .put(let object): state.objects[object.key] = object
                case .delete(let key): state.objects[key] = nil
                // As a file would: what cannot be read back is not there.
                case .write(let path, let value): state.documents[path] = try Value(json: value.json())
                case .remove(let path): state.documents[path] = nil
                case .drop(let volume): memory.remove(volume)
                case .swap, .keep: break
                }
            }
            let committed = Committed(
                effects: transaction.effects, answer: try Value(json: transaction.answer.json()), repeated: false)
            state.committed[transaction.key] = committed
            state.commits += 1
            return committed
        }
        return answer
    }

    private func check(_ condition: Guard, _ state: State) throws {
        switch condition {
        case .epoch(let application, let expected):
            let found = state.documents[.application(application)]?["epoch"].integer.map(Epoch.init) ?? .first
            guard found == expected else { throw DRError(.fenced, "\(application) is at epoch \(found) at \(name), not \(expected)") }
        case .document(let path, let expected):
            guard state.documents[path] == expected else { throw DRError(.conflict, "\(path) at \(name) is not what it was") }
        case .object(let key, let expected):
            guard state.objects[key]?.text == expected else { throw DRError(.conflict, "\(key) at \(name) is not what it was") }
        }
    }

    func committed(_ key: OperationKey) async throws -> Committed? { try reach { $0.committed[key] } }

    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        try reach { state in
            switch action {
            case .start, .startClone: state.processes[object.key] = replicas
            case .stop, .stopClone: state.processes[object.key] = nil
            case .ready, .readyClone:
                if state.slowness > 0 {
                    state.slowness -= 1
                    return .starting
                }
            }
            return state.processes[object.key] == nil ? .stopped : .ready
        }
    }

    func lock(_ application: ApplicationName, for holder: LockHolder) async throws {
        let now = clock.now()
        try reach { state in
            if let held = state.locks[application], held.alive, held.holder.run != holder.run {
                throw DRError(.locked, "\(application) is locked at \(name) by run \(held.holder.run)")
            }
            state.locks[application] = ApplicationLock(application: application, holder: holder, since: now, alive: true)
        }
    }

    func unlock(run: RunID) async throws { try reach { state in state.locks = state.locks.filter { $0.value.holder.run != run } } }
    func locks() async throws -> [ApplicationLock] { try reach { $0.locks.values.sorted { $0.application < $1.application } } }
}
