/// One Kubernetes-style site: its objects, its volumes and what we keep there.
///
/// Any call may throw `cluster-unreachable`. All changes go through `commit`, which is atomic, fenced and happens once for a key.
public protocol Cluster: Sendable {
    var name: ClusterName { get }
    var volumes: any VolumeStore { get }
    /// The rules it has for snapshots; nil = whatever is asked for.
    var rules: [RuleName]? { get }

    /// The cluster as it is now, for a plan: who asks it twice gets the same answer where that is cheaper. It is never written to.
    func picture() -> any Cluster

    func facts() async throws -> ClusterFacts

    /// The objects of the application's namespaces (as this cluster calls them) that its labels select and its exclusion does not, with what they need of
    /// the whole cluster, such as the PersistentVolumes their claims name; in key order.
    func objects(of application: Application) async throws -> [ManifestObject]
    /// Many objects at one look, whosever they are; in key order. What is not there is left out.
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject]
    func object(_ key: ObjectKey) async throws -> ManifestObject?

    /// Our own records, under `.dr/`; see `DocumentPath` for what is observable state.
    func document(_ path: DocumentPath) async throws -> Value?
    /// In bytewise order.
    func documents(in folder: DocumentPath) async throws -> [DocumentPath]

    /// Makes all changes or none, at most once for its key: asked again it returns the first answer with `repeated`. The guards are read again under the
    /// lock under which the changes are made. Throws `fenced` or `conflict` from a guard, and then nothing was changed.
    func commit(_ transaction: Transaction) async throws -> Committed

    /// What an earlier commit with this key answered.
    func committed(_ key: OperationKey) async throws -> Committed?
    /// The run has ended wherever anybody could take it up: what was kept of its commits, to give the same answer again, goes.
    func forget(run: RunID) async throws

    /// Starts, stops or asks the real processes behind a workload, where the cluster has any. Starting what runs and stopping what does not succeed.
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState
    /// The same of several, side by side where the cluster can, so many at a time as it bears; others may work on it meanwhile. The answers are in the order
    /// of `workloads`. Returns when all have ended, and throws what the first of them threw.
    func perform(_ action: WorkloadAction, _ workloads: [(object: ManifestObject, replicas: Int)]) async throws -> [WorkloadState]

    /// Takes the application's lock for a run; taking it again with the same holder renews it. Throws `locked` and says who holds it since when.
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws
    /// Releases all locks of the run here.
    func unlock(run: RunID) async throws
    func locks() async throws -> [ApplicationLock]
    /// Those of some applications, by application.
    func locks(of applications: Set<ApplicationName>) async throws -> [ApplicationLock]
    /// A sign of life of another cluster's agent (or of this one's own), kept here in place of the one before.
    func noteAgent(_ mark: AgentMark) async throws
    /// The last sign of life of a cluster's agent; nil = none was ever left here.
    func agentMark(of cluster: ClusterName) async throws -> AgentMark?
    /// When another cluster answered last, kept here in place of what was known before.
    func noteContact(_ contact: SiteContact) async throws
    /// Nil = nobody here ever watched it.
    func contact(with cluster: ClusterName) async throws -> SiteContact?
    /// Runs what this cluster has to keep a stopped application from being started by somebody else, if it has anything.
    func fence(_ application: ApplicationName) async throws
    /// Quiets the running application for a snapshot: notes durably that it is held, and runs the rule `pre`. When that fails the application was let go again.
    func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws
    /// Runs the rule `post` of the hold that was noted, by whatever process, and forgets it. False when it is not held.
    func letGo(_ application: ApplicationName) async throws -> Bool
    /// What is held for a snapshot now, or was when its process died.
    func onHold() async throws -> [ApplicationName]
    /// Data of the application that this cluster wrote by itself after it had lost it and that was set aside, oldest epoch first.
    func keptForks(of application: ApplicationName) async throws -> [Fork]
    /// The run is put down and its process goes: its locks here, those that were put down before among them, stand until then (nil: for a while), or until it is taken
    /// up again.
    func park(run: RunID, until: Instant?) async throws
    /// Takes the application's lock from whoever holds it: the holder is refused when it next asks for it. False when nobody holds it.
    func breakLock(_ application: ApplicationName) async throws -> Bool
}

extension Cluster {
    public func picture() -> any Cluster { self }
    public func forget(run: RunID) async throws {}
    public func locks(of applications: Set<ApplicationName>) async throws -> [ApplicationLock] {
        try await locks().filter { applications.contains($0.application) }
    }
    public func perform(_ action: WorkloadAction, _ workloads: [(object: ManifestObject, replicas: Int)]) async throws -> [WorkloadState] {
        var states: [WorkloadState] = []
        for (object, replicas) in workloads { states.append(try await workload(action, object, replicas: replicas)) }
        return states
    }
    public func noteAgent(_ mark: AgentMark) async throws {}
    public func agentMark(of cluster: ClusterName) async throws -> AgentMark? { nil }
    public func noteContact(_ contact: SiteContact) async throws {}
    public func contact(with cluster: ClusterName) async throws -> SiteContact? { nil }
    public func fence(_ application: ApplicationName) async throws {}
    public func keptForks(of application: ApplicationName) async throws -> [Fork] { [] }

    public var rules: [RuleName]? { [] }
    public func hold(_ application: ApplicationName, by rules: SnapshotRules) async throws {
        guard !rules.isEmpty else { return }
        throw DRError(.notAllowed, "cluster \(name) has no rules")
    }
    public func letGo(_ application: ApplicationName) async throws -> Bool { false }
    public func onHold() async throws -> [ApplicationName] { [] }

    public func park(run: RunID, until: Instant?) async throws { try await unlock(run: run) }
    public func park(run: RunID) async throws { try await park(run: run, until: nil) }

    public func breakLock(_ application: ApplicationName) async throws -> Bool {
        throw DRError(.notAllowed, "locks of cluster \(name) cannot be broken")
    }
}

/// Which objects of a cluster are read.
public enum ObjectQuery: Hashable, Sendable {
    case keys(Set<ObjectKey>)
    /// By name, whatever their group.
    case kinds(Set<String>)
    /// Those that have one of these things, of which a cluster has one each: `node port 30080`, `volume pg-data`. See `Manifest.sole`.
    case having(Set<String>)
}

/// Facts of a cluster that checks compare.
public struct ClusterFacts: Hashable, Sendable, Codable {
    /// `kubernetes` or `openshift`.
    public var platform: String
    public var version: String
    public var objectSize: ByteCount
    public var secretsProvider: String?
    /// Bytes free for volumes, where known.
    public var free: ByteCount?

    public init(platform: String, version: String, objectSize: ByteCount, secretsProvider: String? = nil, free: ByteCount? = nil) {
        self.platform = platform
        self.version = version
        self.objectSize = objectSize
        self.secretsProvider = secretsProvider
        self.free = free
    }
}

/// Where one of our records stands: `state/...` is observable state (no clock, run id or random in it), everything else is not.
public struct DocumentPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// `/`-separated names, each valid as a `Name`.
    public let text: String

    public init(_ segments: String...) { text = segments.joined(separator: "/") }
    private init(text: String) { self.text = text }
    public var description: String { text }
    /// The path without its last name.
    package var folder: DocumentPath {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return DocumentPath() }
        return DocumentPath(text: String(text[..<slash]))
    }
    /// The last name alone.
    package var lastName: String {
        text.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(text[text.utf8.index(after: $0)...]) } ?? text
    }
    public static func < (a: DocumentPath, b: DocumentPath) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }

    // Of all paths this one is made most, some dozen times for each move.
    public static func application(_ name: ApplicationName) -> DocumentPath { DocumentPath(text: "state/applications/" + name.text) }
    public static func pair(_ name: PairName) -> DocumentPath { DocumentPath("state", "pairs", name.text) }
    public static func schedule(_ name: ScheduleName) -> DocumentPath { DocumentPath("state", "schedules", name.text) }
    public static func point(_ id: PointID, of application: ApplicationName) -> DocumentPath {
        DocumentPath("points", application.text, id.text)
    }
    public static let applications = DocumentPath("state", "applications")
    public static let pairs = DocumentPath("state", "pairs")
    public static let schedules = DocumentPath("state", "schedules")
    public static func points(of application: ApplicationName) -> DocumentPath { DocumentPath("points", application.text) }
}

/// What makes an operation happen once: the run's key of the action, and the part of the action it is. The same operation, carried on after a crash, has the
/// same key.
public struct OperationKey: Hashable, Sendable, Codable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text }
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
    /// What it begins with: whose commits it names.
    public var run: RunID? {
        let end = text.utf8.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        return try? RunID(String(text[..<end]))
    }
    public func part(_ name: String) -> OperationKey { OperationKey(text + "/" + name) }
    public var description: String { text }
}

/// Changes of one cluster that happen together, once, if the guards hold.
public struct Transaction: Sendable {
    public let key: OperationKey
    public var guards: [Guard]
    public var changes: [Change]
    /// What the changes are called, in their order; an empty list is a transaction nobody needs to hear of.
    public var effects: [Effect]
    /// Kept with the key and given back when the commit is asked for again.
    public var answer: Value

    public init(_ key: OperationKey, guards: [Guard] = [], changes: [Change] = [], effects: [Effect] = [], answer: Value = .null) {
        self.key = key
        self.guards = guards
        self.changes = changes
        self.effects = effects
        self.answer = answer
    }
}

/// What must hold when the changes are made.
public enum Guard: Hashable, Sendable {
    /// The application's epoch here is exactly this (an application without a record is at `Epoch.first`). Else `fenced`.
    case epoch(ApplicationName, Epoch)
    /// The document here is exactly this; nil = absent. Else `conflict`.
    case document(DocumentPath, Value?)
    /// The object's text here is exactly this; nil = absent. Else `conflict`.
    case object(ObjectKey, text: String?)
    /// What the agent of another cluster left here last, and when that cluster was last heard of, are exactly this. Else `conflict`.
    case promise(of: ClusterName, AgentMark?, SiteContact?)
}

public enum Change: Hashable, Sendable {
    /// Creates the object or replaces its manifest's text. In a file of somebody else only that document's bytes change.
    case put(ManifestObject)
    case delete(ObjectKey)
    case write(DocumentPath, Value)
    case remove(DocumentPath)
    /// The staged volume becomes the live one; what was live (if anything) is removed afterwards.
    case swap(StagedVolume)
    /// What the swap of the same transaction replaces is set aside as the application's data of that epoch, and never removed by us.
    case keep(VolumeName, of: ApplicationName, Epoch)
    /// The live volume, if there is one, is removed afterwards.
    case drop(VolumeName)
}

public struct Committed: Sendable {
    public let effects: [Effect]
    public let answer: Value
    /// The changes had been made by an earlier call with the same key.
    public let repeated: Bool

    public init(effects: [Effect], answer: Value, repeated: Bool) {
        self.effects = effects
        self.answer = answer
        self.repeated = repeated
    }
}

public enum WorkloadAction: String, Sendable, Codable {
    case start, stop, ready
    /// The same of a drill's clone, which must never reach the real processes.
    case startClone, stopClone, readyClone
}

public enum WorkloadState: String, Sendable, Codable {
    case stopped, starting, ready
    /// Nothing of this kind runs processes here: manifests are all there is.
    case virtual
}

/// Who holds a lock.
public struct LockHolder: Hashable, Sendable, Codable {
    public let run: RunID
    public let runbook: String
    public let host: String
    public let process: Int32
    /// How often the run had been taken up again when this process did: of two processes of one run the later one has its locks.
    public let turn: Int

    public init(run: RunID, runbook: String, host: String, process: Int32, turn: Int = 0) {
        self.run = run
        self.runbook = runbook
        self.host = host
        self.process = process
        self.turn = turn
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            run: try values.decode(RunID.self, forKey: .run), runbook: try values.decode(String.self, forKey: .runbook),
            host: try values.decode(String.self, forKey: .host), process: try values.decode(Int32.self, forKey: .process),
            turn: try values.decodeIfPresent(Int.self, forKey: .turn) ?? 0)
    }
}

public struct ApplicationLock: Hashable, Sendable, Codable {
    public let application: ApplicationName
    public let holder: LockHolder
    public let since: Instant
    /// The holder's process still runs.
    public let alive: Bool
    /// When it runs out unless it is renewed; nil = with its process only.
    public let expires: Instant?
    /// Others are refused: its holder works, or was put down and may be taken up again.
    public let counts: Bool

    public init(
        application: ApplicationName, holder: LockHolder, since: Instant, alive: Bool, expires: Instant? = nil, counts: Bool? = nil
    ) {
        self.application = application
        self.holder = holder
        self.since = since
        self.alive = alive
        self.expires = expires
        self.counts = counts ?? alive
    }
}
