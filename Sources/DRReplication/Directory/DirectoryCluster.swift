internal import DRManifest
public import DRModel
internal import DRSupport

/// An embedded cluster: a folder on a local filesystem that holds `cluster.yaml`, `resources/`, `volumes/` and, under `.dr/`, what we keep there.
///
/// Calls block on files and on workload commands: they belong on the engine's own thread. Reading changes no byte. A commit that a dead process left behind
/// is read as made, and carried out by the next call that may write.
public final class DirectoryCluster: Cluster {
    public let name: ClusterName
    public let volumes: any VolumeStore

    let folder: ClusterFolder
    let clock: any WallClock
    let workloads: WorkloadCommands?
    let ruleCommands: ClusterRules?
    let cache: ManifestCache
    /// Kernel locks of applications that this process holds, by application.
    let held = Lock<[ApplicationName: HeldLock]>([:])
    let renewsLeases: Bool
    /// Renews this process's leases while it holds a lock.
    let heartbeat = Lock<Heartbeat?>(nil)

    /// Opens nothing: a cluster that cannot be reached says so at each call. `workloads`: the commands that run real processes here, if any; `rules`: those
    /// that quiet them.
    ///
    /// `renewsLeases`: a thread renews the leases of locks that are held; without it they run out a minute after each call that takes one.
    public init(
        name: ClusterName, directory: StorePath, workloads: WorkloadCommands? = nil, rules: ClusterRules? = nil, io: any StoreIO,
        clock: any WallClock, volumes: any VolumeStore, renewsLeases: Bool = true
    ) {
        self.renewsLeases = renewsLeases
        self.name = name
        self.volumes = volumes
        self.clock = clock
        self.workloads = workloads
        ruleCommands = rules
        folder = ClusterFolder(cluster: name, root: directory, io: io)
        cache = ManifestCache(clock: clock)
    }

    public func picture() -> any Cluster { DirectoryPicture(self) }

    public func facts() async throws -> ClusterFacts {
        try folder.reach {
            try folder.requireLocalFilesystem()
            var facts = try ClusterYAML.facts(try folder.text(folder.facts) ?? "", file: folder.facts.description)
            facts.free = try folder.io.freeSpace(folder.root)
            return facts
        }
    }

    // MARK: Objects

    public func objects(of application: Application) async throws -> [ManifestObject] {
        let resources = try resources()
        let candidates = resources.manifests(in: application.namespaces(at: name))
        return try ApplicationSelection.of(candidates, sharing: resources.shared, application, at: name)
    }

    public func objects(_ query: ObjectQuery) async throws -> [ManifestObject] {
        switch query {
        case .keys(let keys): try resources(knowing: keys).objects(query)
        case .kinds, .having: try resources().objects(query)
        }
    }

    public func object(_ key: ObjectKey) async throws -> ManifestObject? { try resources(knowing: [key]).manifest(key)?.object }

    func resources() throws -> ResourceFiles {
        try reading { pending in try ResourceFiles.read(in: folder, pending: pending, cache: cache) }
    }

    private func resources(knowing keys: Set<ObjectKey>) throws -> ResourceFiles {
        try reading { pending in
            if pending == nil, let known = try cache.known(keys, in: folder) { return known }
            return try ResourceFiles.read(in: folder, pending: pending, cache: cache)
        }
    }

    // MARK: Documents

    public func document(_ path: DocumentPath) async throws -> Value? {
        let file = try DocumentFile.path(of: path)
        return try reading { pending in try document(file, pending) }
    }

    public func documents(in path: DocumentPath) async throws -> [DocumentPath] {
        let documents = try names(in: try DocumentFile.folder(of: path)).compactMap {
            $0.hasSuffix(".json") ? String($0.dropLast(5)) : nil
        }
        return documents.map { DocumentPath(path.text, $0) }.sorted()
    }

    /// What is in a folder of our records: files and folders.
    func entries(of path: DocumentPath) throws -> Set<String> {
        let inner = try DocumentFile.folder(of: path)
        return try reading { pending in
            let prefix = inner + "/"
            let awaited = (pending?.files ?? []).filter { $0.path.hasPrefix(prefix) && $0.text != nil }
            return Set(try folder.names(in: folder[inner]))
                .union(awaited.map { String($0.path.dropFirst(prefix.count).prefix { $0 != "/" }) })
        }
    }

    /// The runs that made commits here and whose keys may still be asked for.
    func runsWithCommits() throws -> Set<String> {
        let prefix = CommitRecord.folder + "/"
        return try reading { pending in
            let awaited = (pending?.files ?? []).filter { $0.path.hasPrefix(prefix) }
            return Set(try folder.names(in: folder.keys)).union(
                awaited.map { String($0.path.dropFirst(prefix.count).prefix { $0 != "/" }) })
        }
    }

    public func forget(run: RunID) async throws {
        let keys = folder.keys / run.text
        guard try folder.reach({ try folder.io.facts(keys) != nil }) else { return }
        try await alone {
            // A part of it that a crash leaves is asked for by nobody.
            try folder.io.removeTree(keys)
        }
    }

    /// Of the files of a folder below the cluster's own.
    private func names(in inner: String) throws -> Set<String> {
        try reading { pending in
            var names = Set(try folder.names(in: folder[inner]).filter { !$0.hasPrefix(".") })
            for change in pending?.files ?? [] where change.path.hasPrefix(inner + "/") {
                let name = String(change.path.dropFirst(inner.count + 1))
                if change.text == nil { names.remove(name) } else if !name.contains("/") { names.insert(name) }
            }
            return names
        }
    }

    func document(_ file: String, _ pending: Intent?) throws -> Value? {
        guard let text = try text(file, pending) else { return nil }
        do {
            return try Value(json: text)
        } catch {
            throw DRError(
                .damaged, "\(folder.shown(file)) is damaged: \(error.message)", location: SourceLocation(file: folder.shown(file), line: 1))
        }
    }

    /// A file's text as it is when `pending` has been carried out.
    private func text(_ file: String, _ pending: Intent?) throws -> String? {
        if let change = pending?.files.last(where: { $0.path == file }) { return change.text }
        return try folder.text(folder[file])
    }

    public func committed(_ key: OperationKey) async throws -> Committed? {
        try reading { pending in try record(of: key, pending)?.committed }
    }

    func record(of key: OperationKey, _ pending: Intent?) throws -> CommitRecord? {
        let file = CommitRecord.path(of: key)
        guard let value = try document(file, pending) else { return nil }
        guard let record = try? value.decoded(as: CommitRecord.self), record.key == key else {
            throw DRError(.damaged, "\(folder.shown(file)) is damaged: it is not the record of \(key)")
        }
        return record
    }

    // MARK: One look at many files

    /// Runs `body` over a state that no commit changed meanwhile; `pending` is the commit whose files count as written.
    private func reading<Result>(_ body: (Intent?) throws -> Result) throws -> Result {
        try folder.reach {
            for _ in 0..<20 {
                let before = try version()
                let pending = try folder.pendingIntent()
                let result = Swift.Result { try body(pending) }
                // An error too may come of a file that went away under the reader.
                if try version() == before { return try result.get() }
            }
            throw DRError(.locked, "cluster \(name) is being changed without a pause", hint: "try again in a moment")
        }
    }

    /// Each commit makes an intent, then a record among the keys, then removes the intent: what `lstat` says of the three changes with it.
    private func version() throws -> [FileFacts?] {
        [try folder.io.facts(folder.intent), try folder.io.facts(folder.keys), try folder.io.facts(folder.own)]
    }
}

/// Where a document of ours stands below the cluster's folder.
enum DocumentFile {
    /// Names below `.dr/` that are no documents.
    private static let reserved: Set<String> = [
        "intent", "lock", "keys", "locks", "staging", "scan", "copies", "divergent", "agents", "holds", "tmp", "heads",
    ]

    /// Throws `invalid-input` for a path whose segments are no names.
    static func path(of document: DocumentPath) throws(DRError) -> String { try folder(of: document) + ".json" }

    static func folder(of path: DocumentPath) throws(DRError) -> String {
        let segments = path.text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        for segment in segments { _ = try Name<DocumentPath>(segment) }
        if let first = segments.first, reserved.contains(first) {
            throw DRError(.invalidInput, "\"\(path)\" is not a place for a document: .dr/\(first) holds something else")
        }
        return ".dr/\(path.text)"
    }
}

/// What is kept of a commit under its key.
struct CommitRecord: Sendable, Codable {
    var key: OperationKey
    var effects: [Effect]
    var answer: Value

    static let folder = ".dr/keys"
    static func run(of key: OperationKey) -> String { key.run?.text ?? "_" }
    static func path(of key: OperationKey) -> String { "\(folder)/\(run(of: key))/\(Digest.hex(of: key.text)).json" }
    var committed: Committed { Committed(effects: effects, answer: answer, repeated: true) }
}
