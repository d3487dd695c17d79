/// What one complete, verified migration left at the destination: one instant of all volumes of an application, with its manifests and their
/// original state.
public struct RecoveryPoint: Hashable, Sendable, Codable {
    public let id: PointID
    public let application: ApplicationName
    /// The epoch of the source when it was captured.
    public let epoch: Epoch
    /// Counts the points of one application and epoch from 1.
    public let generation: Int64
    public let source: ClusterName
    /// The moment whose data this is.
    public let instant: Instant
    public let consistency: Consistency
    public let volumes: [PointVolume]
    /// Names the manifests' content in the destination's own copy.
    public let manifests: ContentToken
    /// When every byte was last read back and compared at the destination; nil = never.
    public var verifiedAt: Instant?
    /// The application was stopped at the source when it was captured: nothing can be younger.
    public var final: Bool

    public init(
        id: PointID, application: ApplicationName, epoch: Epoch, generation: Int64, source: ClusterName, instant: Instant,
        consistency: Consistency, volumes: [PointVolume], manifests: ContentToken, verifiedAt: Instant? = nil, final: Bool = false
    ) {
        self.id = id
        self.application = application
        self.epoch = epoch
        self.generation = generation
        self.source = source
        self.instant = instant
        self.consistency = consistency
        self.volumes = volumes
        self.manifests = manifests
        self.verifiedAt = verifiedAt
        self.final = final
    }

    /// Newest last: later epochs first count, then generations.
    public static func isOlder(_ a: RecoveryPoint, _ b: RecoveryPoint) -> Bool { (a.epoch, a.generation) < (b.epoch, b.generation) }
}

public enum PointTag {}
/// `ledger-e1-g3`: application, epoch and generation. The same migration, carried on after a crash, makes the same point.
public typealias PointID = Name<PointTag>

/// Names content: equal tokens, equal bytes. Under a plan it is symbolic.
public struct ContentToken: Hashable, Sendable, Codable, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
    public var description: String { text }
}

public struct PointVolume: Hashable, Sendable, Codable {
    public let name: VolumeName
    public let kind: VolumeKind
    public let content: ContentToken
    /// What the volume's files or image hold, holes not counted.
    public let size: ByteCount

    public init(name: VolumeName, kind: VolumeKind, content: ContentToken, size: ByteCount) {
        self.name = name
        self.kind = kind
        self.content = content
        self.size = size
    }
}

public enum VolumeKind: String, Hashable, Sendable, Codable {
    /// A tree of files.
    case filesystem
    /// An image, byte for byte.
    case block
}

/// What an application finds when it opens a recovery point's volumes.
public enum Consistency: String, Hashable, Sendable, Codable {
    /// The application was stopped or quiesced by its own means: as after a clean shutdown.
    case application
    /// One instant of all its volumes (reflink or snapshot with writers held): as after a power cut.
    case crash
    /// Files were read while they changed: not an instant, never made live without an explicit yes.
    case fuzzy
}
