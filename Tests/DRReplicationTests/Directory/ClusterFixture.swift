import DRModel
import DRReplication
import DRSupport

/// A small embedded cluster in a folder of its own: a foreign file of several documents, a volume, records, and a staged volume.
struct ClusterFixture: Sendable {
    let temporary: TemporaryFolder
    let root: StorePath
    let real = UnsyncedIO()
    static let stagingKey = OperationKey("run/1/materialise")

    static let foreign = """
        # kept by hand
        apiVersion: v1
        kind: Namespace
        metadata: { name: shop-db }
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: { name: pg, namespace: shop-db, labels: { app: pg } }
        spec:
          replicas: 3   # never less
          mode: 0644
        --- # settings
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: pg, namespace: shop-db }
        data: { audit: on }
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: { name: data, namespace: shop-db, labels: { app: pg } }
        spec: { volumeName: pg-data }
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata: { name: pg-data }

        """

    init(foreign: String = Self.foreign) throws {
        temporary = try TemporaryFolder()
        root = temporary.path / "west"
        try folder("")
        try write("cluster.yaml", "platform: kubernetes\nversion: \"1.31\"\n")
        try folder("resources")
        try write("resources/all.yaml", foreign)
        try folder("volumes")
        try folder("volumes/pg-data")
        try write("volumes/pg-data/f", "old")
        try folder(".dr")
        try folder(".dr/points")
        try folder(".dr/points/ledger")
        try write(".dr/points/ledger/ledger-e1-g1.json", "{}\n")
        try folder(".dr/staging")
        let staged = ".dr/staging/\(Digest.hex(of: Self.stagingKey.text).prefix(16))"
        try folder(staged)
        try folder(staged + "/pg-data")
        try write(staged + "/pg-data/f", "new")
    }

    func path(_ relative: String) -> StorePath { relative.isEmpty ? root : root / relative }
    func folder(_ relative: String) throws { try real.makeFolder(path(relative), permissions: 0o755) }

    func write(_ relative: String, _ text: String) throws {
        if try real.facts(path(relative)) != nil { try real.removeFile(path(relative)) }
        let file = try real.open(path(relative), .create, permissions: 0o644)
        try Array(text.utf8).withUnsafeBytes { try file.write(at: 0, $0) }
        try file.close()
    }

    func read(_ relative: String) throws -> String? {
        guard let facts = try real.facts(path(relative)), facts.kind == .file else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(facts.size))
        _ = try bytes.withUnsafeMutableBytes { try real.open(path(relative), .read, permissions: 0).read(at: 0, into: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Every file below the folder with its text; folders with "/".
    func tree(_ relative: String = "", leavingOut left: [String] = []) throws -> [String: String] {
        var found: [String: String] = [:]
        guard try real.facts(path(relative)) != nil else { return [:] }
        for name in try real.list(path(relative)) {
            let inner = (relative.isEmpty ? "" : relative + "/") + String(decoding: name, as: UTF8.self)
            if left.contains(inner) { continue }
            if try real.facts(path(inner))?.kind == .folder {
                found[inner] = "/"
                found.merge(try tree(inner, leavingOut: left)) { a, _ in a }
            } else {
                found[inner] = try read(inner)
            }
        }
        return found
    }

    func cluster(_ io: (any StoreIO)? = nil, workloads: WorkloadCommands? = nil, clock: any WallClock = StillClock()) -> DirectoryCluster {
        let io = io ?? real
        return DirectoryCluster(
            name: "west", directory: root, workloads: workloads, io: io, clock: clock, volumes: StagedVolumes(root: root, io: io),
            renewsLeases: false)
    }
}

/// Passes only while somebody sleeps.
final class StillClock: WallClock {
    private let time = Lock(Instant(nanosecondsSince1970: 1_700_000_000_000_000_000))
    func now() -> Instant { time.withLock { $0 } }
    func sleep(for duration: Duration) async throws { time.withLock { $0 = $0 + duration } }
}

/// A data port that can only clean up.
struct StagedVolumes: VolumeStore {
    let root: StorePath
    let io: any StoreIO
    private var unused: DRError { DRError(.internal, "not part of this test") }

    func stat(_ volume: VolumeName) async throws -> VolumeFacts? { throw unused }
    func capture(_ volumes: [VolumeName], of application: ApplicationName, stopped: Bool, key: OperationKey) async throws -> Capture {
        throw unused
    }
    func publish(_ capture: Capture, as draft: PointDraft, manifests: [ManifestObject], to store: any ObjectStore) async throws
        -> Publication
    { throw unused }
    func receive(_ point: PointID, of application: ApplicationName, from store: any ObjectStore) async throws -> Reception { throw unused }
    func verify(_ point: RecoveryPoint) async throws { throw unused }
    func manifests(of point: RecoveryPoint) async throws -> [ManifestObject] { throw unused }
    func materialise(_ volume: PointVolume, of point: RecoveryPoint, as name: VolumeName, key: OperationKey) async throws -> StagedVolume {
        throw unused
    }

    func discard(_ key: OperationKey) async throws {
        try remove(root / ".dr" / "staging" / String(Digest.hex(of: key.text).prefix(16)))
    }

    private func remove(_ path: StorePath) throws {
        guard let facts = try io.facts(path) else { return }
        guard facts.kind == .folder else { return try io.removeFile(path) }
        for name in try io.list(path) { try remove(path / name) }
        try io.removeFolder(path)
    }
}
