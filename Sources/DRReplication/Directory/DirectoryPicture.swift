internal import DRManifest
internal import DRModel
internal import DRSupport

/// An embedded cluster as it was when it was looked at: what was read of it once, a folder's listing as well, is not read again.
///
/// It is for plans. What is asked of it for the first time is read then, so that a plan of few applications reads little.
final class DirectoryPicture: Cluster {
    private struct Seen {
        var facts: ClusterFacts?
        var resources: ResourceFiles?
        var selected: [ApplicationName: (of: Application, objects: [ManifestObject])] = [:]
        var documents: [DocumentPath: Value?] = [:]
        var folders: [DocumentPath: Listing] = [:]
        /// What is in folders of folders.
        var inner: [DocumentPath: Set<String>] = [:]
        var forks: [String]?
        var runs: Set<String>?
        var contacts: [ClusterName: SiteContact?] = [:]
        var locks: (sound: [ApplicationLock], damaged: [(application: ApplicationName, error: DRError)])?
    }

    private struct Listing {
        let paths: [DocumentPath]
        let names: Set<DocumentPath>
    }

    private let cluster: DirectoryCluster
    private let seen = Lock(Seen())

    var name: ClusterName { cluster.name }
    var volumes: any VolumeStore { cluster.volumes }
    var rules: [RuleName]? { cluster.rules }

    init(_ cluster: DirectoryCluster) { self.cluster = cluster }

    func picture() -> any Cluster { self }

    func facts() async throws -> ClusterFacts {
        if let known = seen.withLock({ $0.facts }) { return known }
        let facts = try await cluster.facts()
        seen.withLock { $0.facts = facts }
        return facts
    }

    // MARK: Objects

    func objects(of application: Application) async throws -> [ManifestObject] {
        if let known = seen.withLock({ $0.selected[application.name] }), known.of == application { return known.objects }
        let resources = try resources()
        let candidates = resources.manifests(in: application.namespaces(at: name))
        let objects = try ApplicationSelection.of(candidates, sharing: resources.shared, application, at: name)
        seen.withLock { $0.selected[application.name] = (application, objects) }
        return objects
    }

    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { try resources().objects(query) }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { try resources().manifest(key)?.object }

    private func resources() throws -> ResourceFiles {
        if let known = seen.withLock({ $0.resources }) { return known }
        let resources = try cluster.resources()
        seen.withLock { $0.resources = resources }
        return resources
    }

    // MARK: Documents

    func document(_ path: DocumentPath) async throws -> Value? {
        if let known = seen.withLock({ $0.documents[path] }) { return known }
        // A folder that cannot be listed may still hold it.
        let isMissing = (try? await listing(of: path.folder))?.names.contains(path) == false
        let value = isMissing ? nil : try await cluster.document(path)
        seen.withLock { $0.documents[path] = .some(value) }
        return value
    }

    func documents(in folder: DocumentPath) async throws -> [DocumentPath] { try await listing(of: folder).paths }

    private func listing(of folder: DocumentPath) async throws -> Listing {
        if let known = seen.withLock({ $0.folders[folder] }) { return known }
        let paths = try holds(folder) ? try await cluster.documents(in: folder) : []
        let listing = Listing(paths: paths, names: Set(paths))
        seen.withLock { $0.folders[folder] = listing }
        return listing
    }

    /// Of a folder for each of many thousand applications it is known from the one around them whether it is there.
    private func holds(_ folder: DocumentPath) throws -> Bool {
        let outer = folder.folder
        guard !outer.text.isEmpty else { return true }
        let known = try seen.withLock { $0.inner[outer] } ?? cluster.entries(of: outer)
        seen.withLock { $0.inner[outer] = known }
        return known.contains(folder.lastName)
    }

    func committed(_ key: OperationKey) async throws -> Committed? {
        let runs = try seen.withLock { $0.runs } ?? cluster.runsWithCommits()
        seen.withLock { $0.runs = runs }
        guard !runs.isEmpty, runs.contains(CommitRecord.run(of: key)) else { return nil }
        return try await cluster.committed(key)
    }

    func commit(_ transaction: Transaction) async throws -> Committed { throw readOnly }

    // MARK: What else is asked

    func locks() async throws -> [ApplicationLock] { try locks { _ in true } }
    func locks(of applications: Set<ApplicationName>) async throws -> [ApplicationLock] { try locks(where: applications.contains) }

    private func locks(where isAsked: (ApplicationName) -> Bool) throws -> [ApplicationLock] {
        let locks = try seen.withLock { $0.locks } ?? cluster.readLocks()
        seen.withLock { $0.locks = locks }
        if let first = locks.damaged.first(where: { isAsked($0.application) }) { throw first.error }
        return locks.sound.filter { isAsked($0.application) }
    }

    func agentMark(of cluster: ClusterName) async throws -> AgentMark? { try await self.cluster.agentMark(of: cluster) }
    func contact(with cluster: ClusterName) async throws -> SiteContact? {
        if let known = seen.withLock({ $0.contacts[cluster] }) { return known }
        let contact = try await self.cluster.contact(with: cluster)
        seen.withLock { $0.contacts[cluster] = .some(contact) }
        return contact
    }

    func keptForks(of application: ApplicationName) async throws -> [Fork] {
        let names = try seen.withLock { $0.forks } ?? cluster.forks()
        seen.withLock { $0.forks = names }
        return try cluster.keptForks(of: application, among: names)
    }

    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState { throw readOnly }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws { throw readOnly }
    func unlock(run: RunID) async throws { throw readOnly }
    func noteAgent(_ mark: AgentMark) async throws { throw readOnly }
    func fence(_ application: ApplicationName) async throws { throw readOnly }

    private var readOnly: DRError { DRError(.internal, "a picture of cluster \(name) was to be changed") }
}
