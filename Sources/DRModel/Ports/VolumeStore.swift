/// The data port: operations on whole volumes, never bytes.
///
/// A plan's overlay answers the same calls with symbolic tokens and estimates. Long work is staged beside the live volumes; only a cluster's `commit` makes
/// a staged volume live.
public protocol VolumeStore: Sendable {
    /// Nil when the cluster has no such volume. Throws `volume-unsupported` for what is neither a tree nor an image.
    func stat(_ volume: VolumeName) async throws -> VolumeFacts?

    /// Freezes volumes at one instant, as well as the filesystem can (see `Consistency`). `stopped` says that nothing writes to them. Asked again with
    /// the same key it starts over.
    func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture

    /// Sends a capture and the manifests to the store, as a whole: what the point's id names in the store is complete or absent. Sends only chunks that
    /// no earlier point of the application has sent.
    func publish(_ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore) async throws
        -> Publication

    /// Brings a published point into this cluster's own copy and reads every byte of it back. Throws `damaged` and names the object.
    func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception

    /// Reads every byte of a point in the own copy and compares. Throws `damaged` and names the object.
    func verify(_ point: RecoveryPoint) async throws

    /// The manifests of a point in the own copy.
    func manifests(of point: RecoveryPoint) async throws -> [ManifestObject]

    /// The manifests of a point as a store holds them. Changes nothing: for whoever must know them while the own copy is damaged.
    func manifests(of point: RecoveryPoint, from store: any ObjectStore) async throws -> [ManifestObject]

    /// Reads all that a point needs in the own copy, and brings from the store what is damaged or missing there. Says which objects those were. Throws `damaged`
    /// and names the object when the store's is no better, `locked` when a point is being received all the while.
    func mend(_ point: RecoveryPoint, from store: any ObjectStore) async throws -> [String]

    /// What the objects are called that a point in the own copy needs, in a store as well. Throws `damaged` when nobody can tell.
    func objects(of point: RecoveryPoint) async throws -> [String]

    /// Makes a volume from a point, to be called `name`, beside the live one. Asked again with the same key it starts over.
    func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws -> StagedVolume

    /// Makes the volumes of a point in the own copy and keeps them beside the live ones, for the day they are needed: materialising them then takes no
    /// writing of their bytes. What stands by of another point is changed where it differs; volumes that the point does not have stand by no more. Nothing
    /// but time and room depends on it. Throws `locked` while another process is at it.
    func standBy(_ point: RecoveryPoint) async throws

    /// Ends that for the application. Succeeds when nothing stands by.
    func standDown(_ application: ApplicationName) async throws

    /// Bytes on disk of what stands by.
    func standingBy(_ application: ApplicationName) async throws -> ByteCount

    /// Removes from the own copy what none of these points needs. Throws `damaged` when nobody can tell what one of them needs.
    func sweep(_ application: ApplicationName, keeping points: Set<PointID>) async throws -> Swept

    /// The same in a store, where it takes two calls a day apart: others may be publishing. The newest points stay, whatever is said. `clusters`: those
    /// whose points are in `points`; throws `conflict`, and removes nothing, when others use the store for the application.
    func sweep(
        _ store: any ObjectStore, of application: ApplicationName, keeping points: Set<PointID>, asked clusters: Set<ClusterName>
    ) async throws -> Swept

    /// Reads what the points in the own copy need, here and in the store, and heals one side from the other. Begins behind the object named `after` and
    /// ends once about `most` bytes were read; `next` then says where to go on. Throws `damaged` when nothing of the store can be opened, `locked` while a
    /// point is being received.
    func scrub(_ application: ApplicationName, with store: any ObjectStore, after: String?, most: ByteCount) async throws -> Scrubbed

    /// Removes what operations with this key left staged; nothing that is live. Succeeds when there is nothing.
    func discard(_ key: OperationKey) async throws
}

extension VolumeStore {
    /// Under the name it had at its source.
    public func materialise(_ volume: PointVolume, of point: RecoveryPoint, key: OperationKey) async throws -> StagedVolume {
        try await materialise(volume, of: point, as: volume.name, key: key)
    }
}

extension VolumeStore {
    /// All of it at once.
    public func scrub(_ application: ApplicationName, with store: any ObjectStore) async throws -> Scrubbed {
        try await scrub(application, with: store, after: nil, most: ByteCount(Int64.max))
    }
}

// A plan keeps nothing, and sweeps nothing.
extension VolumeStore {
    public func manifests(of point: RecoveryPoint, from store: any ObjectStore) async throws -> [ManifestObject] {
        try await manifests(of: point)
    }
    public func mend(_ point: RecoveryPoint, from store: any ObjectStore) async throws -> [String] { [] }
    public func objects(of point: RecoveryPoint) async throws -> [String] { [] }
    public func standBy(_ point: RecoveryPoint) async throws {}
    public func standDown(_ application: ApplicationName) async throws {}
    public func standingBy(_ application: ApplicationName) async throws -> ByteCount { .zero }
    public func sweep(_ application: ApplicationName, keeping points: Set<PointID>) async throws -> Swept { Swept() }
    public func sweep(
        _ store: any ObjectStore, of application: ApplicationName, keeping points: Set<PointID>, asked clusters: Set<ClusterName>
    ) async throws -> Swept { Swept() }
    public func scrub(
        _ application: ApplicationName, with store: any ObjectStore, after: String?, most: ByteCount
    ) async throws -> Scrubbed { Scrubbed() }
}

public struct Swept: Hashable, Sendable {
    /// Objects.
    public var removed = 0
    public var bytes: Int64 = 0
    /// Objects that go next time, if nothing needs them by then.
    public var waiting = 0

    public init() {}
}

public struct Scrubbed: Hashable, Sendable {
    public var objects = 0
    public var bytes: Int64 = 0
    /// What was damaged or missing on one side, and is sound again.
    public var healed: [String] = []
    /// What is sound on neither.
    public var lost: [String] = []
    /// What is damaged in the store and sound in the own copy, and could not be replaced there: each with the reason.
    public var unhealed: [String] = []
    /// What was sealed in the store with another key than new objects are, and is sealed with that one now.
    public var resealed: [String] = []
    /// What nobody can judge, for it is sealed with a key that is not here, and the own copy has nothing sound to put in its place.
    public var locked: [String] = []
    /// What stood by ready to go live and could not be mended; the next migration makes it anew.
    public var removed: [String] = []
    /// The object to go on after; nil when everything was looked at.
    public var next: String?

    public init() {}

    /// What is not as it should be, and was left so.
    public var isDamageLeft: Bool { !(lost.isEmpty && unhealed.isEmpty && locked.isEmpty) }
    /// There is something to tell beside how much was read.
    public var hasFindings: Bool { isDamageLeft || !(healed.isEmpty && removed.isEmpty && resealed.isEmpty) }

    /// Takes in what the next part found.
    public mutating func add(_ part: Scrubbed) {
        objects += part.objects
        bytes += part.bytes
        healed += part.healed
        lost += part.lost
        unhealed += part.unhealed
        resealed += part.resealed
        locked += part.locked
        removed += part.removed
        next = part.next
    }
}

/// What is known of a volume without reading its bytes.
public struct VolumeFacts: Hashable, Sendable, Codable {
    public let kind: VolumeKind
    /// Bytes on disk, holes not counted.
    public let allocated: ByteCount

    public init(kind: VolumeKind, allocated: ByteCount) {
        self.kind = kind
        self.allocated = allocated
    }
}

public struct Capture: Sendable {
    public let application: ApplicationName
    public let key: OperationKey
    public let instant: Instant
    public let consistency: Consistency
    public let volumes: [VolumeName]
    /// Tells captures with the same key apart: a process that was paused must not read what another one captured since.
    public let attempt: String

    public init(
        application: ApplicationName, key: OperationKey, instant: Instant, consistency: Consistency, volumes: [VolumeName],
        attempt: String = ""
    ) {
        self.application = application
        self.key = key
        self.attempt = attempt
        self.instant = instant
        self.consistency = consistency
        self.volumes = volumes
    }
}

/// A recovery point before its content is known.
public struct PointDraft: Sendable {
    public let id: PointID
    public let epoch: Epoch
    public let generation: Int64
    public let source: ClusterName
    public let final: Bool

    public init(id: PointID, epoch: Epoch, generation: Int64, source: ClusterName, final: Bool) {
        self.id = id
        self.epoch = epoch
        self.generation = generation
        self.source = source
        self.final = final
    }
}

public struct Publication: Sendable {
    public let point: RecoveryPoint
    public let bytesRead: ByteCount
    public let bytesSent: ByteCount
    /// True where the figures are estimates of a plan.
    public let predicted: Bool
    /// What did not go as it should and costs the point nothing.
    public let warnings: [String]

    public init(
        point: RecoveryPoint, bytesRead: ByteCount, bytesSent: ByteCount, predicted: Bool = false, warnings: [String] = []
    ) {
        self.warnings = warnings
        self.point = point
        self.bytesRead = bytesRead
        self.bytesSent = bytesSent
        self.predicted = predicted
    }
}

public struct Reception: Sendable {
    /// With `verifiedAt` set.
    public let point: RecoveryPoint
    public let bytesReceived: ByteCount

    public init(point: RecoveryPoint, bytesReceived: ByteCount) {
        self.point = point
        self.bytesReceived = bytesReceived
    }
}

/// A volume that is complete and durable but not live.
public struct StagedVolume: Hashable, Sendable, Codable {
    public let volume: VolumeName
    public let key: OperationKey
    public let content: ContentToken
    public let size: ByteCount
    /// When every byte of it was last read, if that was not on the way here: it stood by.
    public let verifiedAt: Instant?

    public init(volume: VolumeName, key: OperationKey, content: ContentToken, size: ByteCount, verifiedAt: Instant? = nil) {
        self.verifiedAt = verifiedAt
        self.volume = volume
        self.key = key
        self.content = content
        self.size = size
    }
}
