internal import DRManifest
package import DRModel
internal import DRReplication
package import DRSupport

/// A cluster in memory that keeps the promises of the port: what simulations run on.
package final class MemoryCluster: Cluster {
    package struct State: Sendable {
        package var objects: [ObjectKey: ManifestObject] = [:] { didSet { revision += 1 } }
        /// Another one whenever an object has changed.
        package private(set) var revision = 0
        package var documents: [DocumentPath: Value] = [:]
        package var committed: [OperationKey: Committed] = [:]
        package var locks: [ApplicationName: ApplicationLock] = [:]
        /// Until when the locks of runs that were put down wait for them.
        package var parked: [RunID: Instant] = [:]
        /// Processes that run, by workload.
        package var processes: [ObjectKey: Int] = [:]
        package var facts = MemoryCluster.usualFacts
        package var unreachable = false
        /// How often `ready` answers `starting` before it answers `ready`.
        package var slowness = 0
        package var commits = 0
        /// Processes of hosts that have died: what they hold is free.
        package var dead: Set<Int32> = []
        package var onHold: Set<ApplicationName> = []
        package var agents: [ClusterName: AgentMark] = [:]
        package var contacts: [ClusterName: SiteContact] = [:]
    }

    /// How long the locks of a run that was put down wait for it when nobody says so.
    private static let parkedFor: Duration = .seconds(900)

    /// Of a cluster that nobody said anything of.
    package static let usualFacts = ClusterFacts(
        platform: "kubernetes", version: "v1.31.2", objectSize: ByteCount(16 << 20), secretsProvider: "kubernetes", free: ByteCount(1 << 40)
    )

    /// Objects by where they are, as they were at one revision.
    private struct Places {
        let revision: Int
        let byNamespace: [String: [Manifest]]
        let shared: SharedObjects
    }

    package let name: ClusterName
    private let places = Lock<Places?>(nil)
    package let memory: MemoryVolumes
    package let state: Lock<State>
    private let clock: any WallClock
    package var volumes: any VolumeStore { memory }

    package convenience init(_ name: ClusterName, clock: any WallClock) {
        self.init(name, State(), MemoryVolumes(at: name, clock: clock), clock)
    }

    private init(_ name: ClusterName, _ state: State, _ memory: MemoryVolumes, _ clock: any WallClock) {
        self.name = name
        self.state = Lock(state)
        self.memory = memory
        self.clock = clock
    }

    /// The same cluster again: what happens to one does not happen to the other.
    package func copy(clock: any WallClock) -> MemoryCluster {
        MemoryCluster(name, state.withLock { $0 }, memory.copy(clock: clock), clock)
    }

    // MARK: The world's hand

    package func add(_ yaml: String, file: String? = nil) throws {
        let objects = try Manifest.parse(yaml, file: file ?? "\(name).yaml").map(\.object)
        state.withLock { state in
            for object in objects { state.objects[object.key] = object }
        }
    }

    package func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    package func goAway(_ away: Bool = true) {
        set { $0.unreachable = away }
        memory.goAway(away)
    }

    package func text(_ kind: String, _ name: String) -> String? {
        state.withLock { $0.objects.values.first { $0.key.kind == kind && $0.key.name == name }?.text }
    }

    package func replicas(_ kind: String, _ name: String) throws -> Int? {
        let object = state.withLock { $0.objects.values.first { $0.key.kind == kind && $0.key.name == name } }
        return try object.flatMap { try Manifest($0).replicas }
    }

    package func processes(_ name: String) -> Int { state.withLock { $0.processes.first { $0.key.name == name }?.value ?? 0 } }
    package var commits: Int { state.withLock { $0.commits } }
    package var allDocuments: [DocumentPath: Value] { state.withLock { $0.documents } }

    /// Starts the processes that the manifests ask for, as a site does that gets its power back.
    package func startAll() throws {
        let objects = state.withLock { $0.objects }
        var running: [ObjectKey: Int] = [:]
        for (key, object) in objects {
            if let replicas = try Manifest(object).replicas, replicas > 0 { running[key] = replicas }
        }
        set { $0.processes = running }
    }

    package func stopAll() { set { $0.processes = [:] } }

    /// The objects of an application as they are now, however the cluster can be reached.
    package func found(of application: Application) throws -> [ManifestObject] {
        try selected(application, state.withLock { $0 })
    }

    /// The volumes of an application that are there now.
    package func volumes(of application: Application) throws -> [VolumeName] {
        try found(of: application).filter { $0.key.kind == "PersistentVolume" }.map { try VolumeName($0.key.name) }
    }

    /// Objects, volumes and state as one text: equal texts, equal observable states.
    package var observable: String {
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

    package func facts() async throws -> ClusterFacts { try reach { $0.facts } }

    package func objects(of application: Application) async throws -> [ManifestObject] {
        try selected(application, try reach { $0 })
    }

    private func selected(_ application: Application, _ state: State) throws -> [ManifestObject] {
        var found = places.withLock { $0 }
        if found?.revision != state.revision {
            let manifests = try state.objects.values.map { try Manifest($0) }
            found = Places(
                revision: state.revision,
                byNamespace: Dictionary(grouping: manifests.filter { $0.key.place != nil }) { $0.key.place ?? "" },
                shared: SharedObjects(manifests))
            places.withLock { $0 = found }
        }
        guard let found else { return [] }
        let own = Set(application.namespaces(at: name)).flatMap { found.byNamespace[$0] ?? [] }
        return try ApplicationSelection.of(own, sharing: found.shared, application, at: name)
    }

    package func objects(_ query: ObjectQuery) async throws -> [ManifestObject] {
        let all = try reach { $0.objects }
        let found: [ManifestObject]
        switch query {
        case .keys(let keys): found = keys.compactMap { all[$0] }
        case .kinds(let kinds): found = all.values.filter { kinds.contains($0.key.kind) }
        case .having(let things): found = try all.values.filter { try Manifest($0).sole.contains(where: things.contains) }
        }
        return found.sorted { $0.key < $1.key }
    }

    package func object(_ key: ObjectKey) async throws -> ManifestObject? { try reach { $0.objects[key] } }
    package func document(_ path: DocumentPath) async throws -> Value? { try reach { $0.documents[path] } }

    package func documents(in folder: DocumentPath) async throws -> [DocumentPath] {
        try reach { $0.documents.keys.filter { $0.text.hasPrefix(folder.text + "/") }.sorted() }
    }

    package func commit(_ transaction: Transaction) async throws -> Committed {
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
            let record = state.documents[.application(application)]
            let found = record?["epoch"].integer.map(Epoch.init) ?? .first
            guard found == expected else {
                var details: [String: Value] = ["application": .string(application.text), "epoch": .integer(found.number)]
                if let active = record?["active"].string { details["active"] = .string(active) }
                throw DRError(.fenced, "\(application) is at epoch \(found) at \(name), not \(expected)", details: .map(details))
            }
        case .document(let path, let expected):
            guard state.documents[path] == expected else { throw DRError(.conflict, "\(path) at \(name) is not what it was") }
        case .object(let key, let expected):
            guard state.objects[key]?.text == expected else { throw DRError(.conflict, "\(key) at \(name) is not what it was") }
        case .promise(let other, let mark, let contact):
            guard state.agents[other] == mark, state.contacts[other] == contact else {
                throw DRError(.conflict, "\(other) or its agent was heard of at \(name) meanwhile")
            }
        }
    }

    package func committed(_ key: OperationKey) async throws -> Committed? { try reach { $0.committed[key] } }
    package func forget(run: RunID) async throws {
        try reach { state in state.committed = state.committed.filter { !$0.key.text.hasPrefix("\(run)/") } }
    }

    package func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
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

    // Whatever rule is named, it succeeds.
    package var rules: [RuleName]? { nil }
    package func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws {
        try reach { _ = $0.onHold.insert(application) }
    }
    package func letGo(_ application: ApplicationName) async throws -> Bool { try reach { $0.onHold.remove(application) != nil } }
    package func onHold() async throws -> [ApplicationName] { try reach { $0.onHold.sorted() } }

    package func lock(_ application: ApplicationName, for holder: LockHolder) async throws {
        let now = clock.now()
        try reach { state in
            if let held = state.locks[application], held.holder.run != holder.run, state.counts(held, at: now) {
                throw DRError(
                    .locked, "\(application) is locked at \(name) by run \(held.holder.run)",
                    hint: state.parked[held.holder.run] == nil ? nil : "take it up with `drrunbook resume \(held.holder.run)`")
            }
            // Whoever takes one of them up has the run: its locks live with its process again.
            state.parked[holder.run] = nil
            state.locks[application] = ApplicationLock(application: application, holder: holder, since: now, alive: true)
        }
    }

    package func breakLock(_ application: ApplicationName) async throws -> Bool {
        try reach { $0.locks.removeValue(forKey: application) != nil }
    }

    package func noteAgent(_ mark: AgentMark) async throws { try reach { $0.agents[mark.cluster] = mark } }
    package func agentMark(of cluster: ClusterName) async throws -> AgentMark? { try reach { $0.agents[cluster] } }
    package func noteContact(_ contact: SiteContact) async throws { try reach { $0.contacts[contact.cluster] = contact } }
    package func contact(with cluster: ClusterName) async throws -> SiteContact? { try reach { $0.contacts[cluster] } }
    package func unlock(run: RunID) async throws {
        try reach { state in
            state.locks = state.locks.filter { $0.value.holder.run != run }
            state.parked[run] = nil
        }
    }

    package func park(run: RunID, until: Instant?) async throws {
        let end = until ?? clock.now() + Self.parkedFor
        try reach { state in
            guard state.locks.contains(where: { $0.value.holder.run == run }) else { return }
            state.parked[run] = end
        }
    }

    package func locks() async throws -> [ApplicationLock] {
        let now = clock.now()
        return try reach { state in
            state.locks.values.sorted { $0.application < $1.application }.map {
                ApplicationLock(
                    application: $0.application, holder: $0.holder, since: $0.since, alive: state.isAlive($0),
                    expires: state.parked[$0.holder.run], counts: state.counts($0, at: now))
            }
        }
    }
}

extension MemoryCluster.State {
    /// Its process works on it.
    fileprivate func isAlive(_ lock: ApplicationLock) -> Bool {
        lock.alive && parked[lock.holder.run] == nil && !dead.contains(lock.holder.process)
    }

    fileprivate func counts(_ lock: ApplicationLock, at now: Instant) -> Bool {
        parked[lock.holder.run].map { now <= $0 } ?? isAlive(lock)
    }
}
