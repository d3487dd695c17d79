import DRModel
import DRSupport

/// A cluster some of whose calls do not go as they should.
struct AilingCluster: Cluster {
    let base: any Cluster
    var commits: @Sendable () async throws -> Void = {}
    var letsGo: @Sendable () async throws -> Void = {}
    var notes: @Sendable (AgentMark) async throws -> Void = { _ in }
    var stops: @Sendable (ManifestObject) async throws -> Void = { _ in }
    /// Processes go on, whatever they are told.
    var staysUp = false
    var fences: @Sendable () -> Void = {}
    /// What was fenced by its own command.
    let fenced = Lock<[ApplicationName]>([])

    init(_ base: any Cluster) { self.base = base }

    var name: ClusterName { base.name }
    var volumes: any VolumeStore { base.volumes }
    func facts() async throws -> ClusterFacts { try await base.facts() }
    func objects(of application: Application) async throws -> [ManifestObject] { try await base.objects(of: application) }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { try await base.objects(query) }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { try await base.object(key) }
    func document(_ path: DocumentPath) async throws -> Value? { try await base.document(path) }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] { try await base.documents(in: folder) }
    func commit(_ transaction: Transaction) async throws -> Committed {
        try await commits()
        return try await base.commit(transaction)
    }
    func committed(_ key: OperationKey) async throws -> Committed? { try await base.committed(key) }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        if action == .stop { try await stops(object) }
        if action == .stop, staysUp { return .ready }
        return try await base.workload(action, object, replicas: replicas)
    }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws { try await base.lock(application, for: holder) }
    func unlock(run: RunID) async throws { try await base.unlock(run: run) }
    func locks() async throws -> [ApplicationLock] { try await base.locks() }
    func breakLock(_ application: ApplicationName) async throws -> Bool { try await base.breakLock(application) }
    func noteAgent(_ mark: AgentMark) async throws {
        try await notes(mark)
        try await base.noteAgent(mark)
    }
    func agentMark(of cluster: ClusterName) async throws -> AgentMark? { try await base.agentMark(of: cluster) }
    func noteContact(_ contact: SiteContact) async throws { try await base.noteContact(contact) }
    func contact(with cluster: ClusterName) async throws -> SiteContact? { try await base.contact(with: cluster) }
    func onHold() async throws -> [ApplicationName] { try await base.onHold() }
    func letGo(_ application: ApplicationName) async throws -> Bool {
        try await letsGo()
        return try await base.letGo(application)
    }
    func fence(_ application: ApplicationName) async throws {
        fenced.withLock { $0.append(application) }
        fences()
    }
}
