internal import DRManifest
internal import DRModel
internal import DRReplication
internal import DRSupport

/// One cluster as a plan sees it: reads fall through, commits stay in memory under the same guards and keys.
final class OverlayCluster: Cluster {
    private struct State {
        var objects = PlannedObjects()
        var documents = PlannedDocuments()
        var committed: [OperationKey: Committed] = [:]
        /// What was found for applications, for as long as the plan changes nothing of it.
        var selections: [ApplicationName: Selection] = [:]
        /// What belongs to no namespace, with what the plan did to it. Nil = not asked for yet.
        var shared: SharedObjects?
        /// What the plan's run would hold.
        var locks: [ApplicationName: ApplicationLock] = [:]
        /// What the plan set aside of a deposed cluster's volumes.
        var forks: [Fork] = []
        /// Silences that the plan would note.
        var contacts: [ClusterName: SiteContact] = [:]
    }

    private struct Selection {
        let application: Application
        /// Of `PlannedObjects.changes` when it was made.
        let changes: Int
        let objects: [ManifestObject]
    }

    let name: ClusterName
    private let base: any Cluster
    private let overlayVolumes: OverlayVolumeStore
    private let clock: any WallClock
    private let state = Lock(State())
    var volumes: any VolumeStore { overlayVolumes }

    init(_ base: any Cluster, transit: PlannedPoints, clock: any WallClock) {
        self.base = base.picture()
        name = base.name
        self.clock = clock
        overlayVolumes = OverlayVolumeStore(of: base, transit: transit, clock: clock)
    }

    func facts() async throws -> ClusterFacts { try await base.facts() }

    func objects(of application: Application) async throws -> [ManifestObject] {
        let namespaces = Set(application.namespaces(at: name))
        let (changes, known) = state.withLock { ($0.objects.changes(in: namespaces), $0.selections[application.name]) }
        if let known, known.changes == changes, known.application == application { return known.objects }
        let objects = try await select(application, namespaces)
        state.withLock { $0.selections[application.name] = Selection(application: application, changes: changes, objects: objects) }
        return objects
    }

    private func select(_ application: Application, _ namespaces: Set<String>) async throws -> [ManifestObject] {
        let planned = state.withLock { $0.objects.isEmpty ? nil : $0.objects.inNamespaces(namespaces) }
        let real = try await base.objects(of: application)
        guard let planned else { return real }
        var found = Dictionary(real.filter { $0.key.place != nil }.map { ($0.key, $0) }) { first, _ in first }
        for (key, object) in planned { found[key] = object }
        // What the plan made may need other objects of the whole cluster than what is there.
        return try ApplicationSelection.of(
            try found.values.map { try Manifest($0) }, sharing: try await shared(), application, at: name)
    }

    private func shared() async throws -> SharedObjects {
        if let known = state.withLock({ $0.shared }) { return known }
        let real = try await base.objects(.kinds(ApplicationSelection.clusterKinds)).map { try Manifest($0) }
        return try state.withLock { state in
            var shared = SharedObjects(real)
            for (key, object) in state.objects.all { try shared.note(key, object) }
            state.shared = shared
            return shared
        }
    }

    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] {
        let real = try await base.objects(query)
        return state.withLock { state in
            guard !state.objects.isEmpty else { return real }
            // What the plan changed may no longer have what was asked for.
            let unchanged = real.filter { state.objects[$0.key] == nil }
            return (unchanged + state.objects.selected(by: query).values.compactMap(\.self)).sorted { $0.key < $1.key }
        }
    }

    func object(_ key: ObjectKey) async throws -> ManifestObject? {
        if let planned = state.withLock({ $0.objects[key] }) { return planned }
        return try await base.object(key)
    }

    func document(_ path: DocumentPath) async throws -> Value? {
        if let planned = state.withLock({ $0.documents[path] }) { return planned }
        return try await base.document(path)
    }

    func documents(in folder: DocumentPath) async throws -> [DocumentPath] {
        let planned = state.withLock { $0.documents.directly(in: folder) }
        let real = try await base.documents(in: folder)
        guard !planned.isEmpty else { return real }
        var paths = Set(real)
        for (path, value) in planned {
            if value == nil { paths.remove(path) } else { paths.insert(path) }
        }
        return paths.sorted()
    }

    func commit(_ transaction: Transaction) async throws -> Committed {
        if let earlier = try await committed(transaction.key) {
            return Committed(effects: earlier.effects, answer: earlier.answer, repeated: true)
        }
        for condition in transaction.guards { try await check(condition) }
        for change in transaction.changes {
            if case .swap(let staged) = change { overlayVolumes.makeLive(staged) }
            if case .drop(let volume) = change { overlayVolumes.drop(volume) }
        }
        let committed = Committed(effects: transaction.effects, answer: transaction.answer, repeated: false)
        try state.withLock { state in
            for change in transaction.changes {
                switch change {
                case .put(let object):
                    try state.objects.note(object.key, object)
                    try state.shared?.note(object.key, object)
                case .delete(let key):
                    try state.objects.note(key, nil)
                    try state.shared?.note(key, nil)
                case .write(let path, let value): state.documents[path] = .some(value)
                case .remove(let path): state.documents[path] = .some(nil)
                case .keep(let volume, let application, let epoch): keep(volume, of: application, epoch, in: &state)
                case .swap, .drop: break
                }
            }
            state.committed[transaction.key] = committed
        }
        return committed
    }

    func committed(_ key: OperationKey) async throws -> Committed? {
        if let planned = state.withLock({ $0.committed[key] }) { return planned }
        return try await base.committed(key)
    }

    private func check(_ condition: Guard) async throws {
        switch condition {
        case .epoch(let application, let expected):
            let record = try await document(.application(application))
            let found = record?["epoch"].integer.map(Epoch.init) ?? .first
            guard found == expected else {
                var details: [String: Value] = ["application": .string(application.text), "epoch": .integer(found.number)]
                if let active = record?["active"].string { details["active"] = .string(active) }
                throw DRError(.fenced, "\(application) is at epoch \(found) at \(name), not at \(expected)", details: .map(details))
            }
        case .document(let path, let expected):
            guard try await document(path) == expected else { throw DRError(.conflict, "\(path) at \(name) was changed meanwhile") }
        case .object(let key, let expected):
            guard try await object(key)?.text == expected else { throw DRError(.conflict, "\(key) at \(name) was changed meanwhile") }
        case .promise(let other, let mark, let contact):
            guard try await agentMark(of: other) == mark, try await self.contact(with: other) == contact else {
                throw DRError(.conflict, "\(other) or its agent was heard of at \(name) meanwhile")
            }
        }
    }

    // Processes are not touched: what a plan starts is ready at once.
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        action == .stop || action == .stopClone || replicas == 0 ? .stopped : .ready
    }

    // Rules are not run.
    var rules: [RuleName]? { base.rules }
    func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws {}
    func letGo(_ application: ApplicationName) async throws -> Bool { false }
    func onHold() async throws -> [ApplicationName] { try await base.onHold() }

    // A lock of the plan stands in memory, so that what the run would say of its own locks is said; it is refused where the run would be.
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws {
        guard let other = try await base.locks(of: [application]).first(where: { $0.counts && $0.holder.run != holder.run })
        else {
            let since = state.withLock { $0.locks[application]?.since } ?? clock.now()
            state.withLock { $0.locks[application] = ApplicationLock(application: application, holder: holder, since: since, alive: true) }
            return
        }
        throw DRError(
            .locked,
            "\(application) is locked at \(name) by run \(other.holder.run) of \(other.holder.runbook) "
                + "(\(other.holder.host), process \(other.holder.process)) since \(other.since)",
            hint: "wait until it ends, or see `drrunbook show \(other.holder.run)`")
    }

    func unlock(run: RunID) async throws { state.withLock { state in state.locks = state.locks.filter { $0.value.holder.run != run } } }

    func locks() async throws -> [ApplicationLock] {
        Self.locks(state.withLock { $0.locks }, over: try await base.locks())
    }

    func locks(of applications: Set<ApplicationName>) async throws -> [ApplicationLock] {
        let planned = state.withLock { state in applications.compactMap { name in state.locks[name].map { (name, $0) } } }
        return Self.locks(Dictionary(planned) { first, _ in first }, over: try await base.locks(of: applications))
    }

    private static func locks(_ planned: [ApplicationName: ApplicationLock], over real: [ApplicationLock]) -> [ApplicationLock] {
        (real.filter { planned[$0.application] == nil } + planned.values).sorted { $0.application < $1.application }
    }

    func agentMark(of cluster: ClusterName) async throws -> AgentMark? { try await base.agentMark(of: cluster) }
    func noteContact(_ contact: SiteContact) async throws { state.withLock { $0.contacts[contact.cluster] = contact } }
    func contact(with cluster: ClusterName) async throws -> SiteContact? {
        if let planned = state.withLock({ $0.contacts[cluster] }) { return planned }
        return try await base.contact(with: cluster)
    }

    func keptForks(of application: ApplicationName) async throws -> [Fork] {
        let planned = state.withLock { $0.forks.filter { $0.application == application } }
        return (try await base.keptForks(of: application) + planned).sorted { $0.epoch < $1.epoch }
    }

    private func keep(_ volume: VolumeName, of application: ApplicationName, _ epoch: Epoch, in state: inout State) {
        let place = ".dr/divergent/\(application)-e\(epoch)"
        let index = state.forks.firstIndex { $0.place == place }
        let volumes = (index.map { state.forks[$0].volumes } ?? []) + [volume.text]
        let fork = Fork(
            application: application, cluster: name, epoch: epoch, state: .kept, at: clock.now(), place: place, volumes: volumes.sorted())
        if let index { state.forks[index] = fork } else { state.forks.append(fork) }
    }
}

extension SharedObjects {
    fileprivate mutating func note(_ key: ObjectKey, _ object: ManifestObject?) throws(DRError) {
        guard key.place == nil else { return }
        if let object { put(try Manifest(object)) } else { remove(key) }
    }
}
