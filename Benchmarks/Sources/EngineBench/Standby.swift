import BenchSupport
import DRModel
import DRObjectStores
import DRReplication
import Foundation

/// One application with one image, from a migration to a disaster failover: how long the call takes that makes it live.
struct StandbyBench {
    let root: URL
    let size: Int64
    private let io = SystemStoreIO()
    private let clock = ShiftedClock()

    /// Prints lines of `NAME SECONDS BYTES-WRITTEN` and `NAME-processor SECONDS 0`.
    func run() async throws {
        for name in ["within", "due", "cold"] { try await failover(name) }
    }

    private func failover(_ name: String) async throws {
        let folder = root.appending(path: name)
        let inventory = Inventory(
            clusters: ["east", "west"], objectStores: ["vault"],
            applications: [Application(name: "ledger", namespaces: ["shop-db"], standby: name == "cold" ? .cold : .warm)],
            pairs: [ClusterPair(name: "pair", source: "east", destination: "west", objectStore: "vault")])
        for place in ["east/resources", "east/volumes", "west/resources", "west/volumes", "vault"] {
            try FileManager.default.createDirectory(at: folder.appending(path: place), withIntermediateDirectories: true)
        }
        for site in ["east", "west"] {
            try Data("platform: kubernetes\nversion: v1.31.2\n".utf8).write(to: folder.appending(path: "\(site)/cluster.yaml"))
        }
        try Data(Self.manifests.utf8).write(to: folder.appending(path: "east/resources/ledger.yaml"))
        try image(folder.appending(path: "east/volumes/disk.img"))
        var clusters: [ClusterName: any Cluster] = [:]
        for site in inventory.clusters {
            let path = StorePath(folder.appending(path: site.text).path)
            clusters[site] = DirectoryCluster(
                name: site, directory: path, io: io, clock: clock,
                volumes: DirectoryVolumeStore(cluster: site, directory: path, io: io, clock: clock, random: SystemRandom()))
        }
        let vault = DirectoryObjectStore(name: "vault", directory: StorePath(folder.appending(path: "vault").path), io: io, random: SystemRandom())
        let engine = ReplicationEngine(
            inventory: inventory, clusters: clusters, stores: ["vault": vault], clock: clock, random: SystemRandom(), executor: BenchThread())
        func call(_ key: String) throws -> EngineCall {
            EngineCall(
                key: OperationKey("\(name)/\(key)"), holder: LockHolder(run: try RunID(name), runbook: "bench.lua", host: "here", process: getpid()))
        }
        _ = try await engine.migrate(MigrationOrder(pair: "pair", applications: ["ledger"]), try call("migrate"))
        try await engine.release(run: try RunID(name))
        if name == "due" { clock.skip(.seconds(8 * 86_400)) }
        let activation = try call("activate")
        let before = Self.processorTime()
        try await EngineBench.measure(name) {
            _ = try await engine.activate(
                ActivationOrder(
                    pair: "pair", application: "ledger", mode: .disaster, acceptedDataLoss: .seconds(30 * 86_400), sourceFenced: true),
                activation)
        }
        print("\(name)-processor \(Self.processorTime() - before) 0")
        try await engine.release(run: try RunID(name))
        try FileManager.default.removeItem(at: folder)
    }

    /// Seconds of this process, with the kernel's for it.
    private static func processorTime() -> Double {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// Four fifths of it hold bytes, half of which can be compressed.
    private func image(_ place: URL) throws {
        let file = try io.open(StorePath(place.path), .create, permissions: 0o600)
        try file.truncate(to: size)
        var state: UInt64 = 1
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        for offset in stride(from: Int64(0), to: size, by: 1 << 20) where offset >> 20 % 5 != 4 {
            for index in stride(from: 0, to: piece.count, by: 16) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                for byte in 0..<8 { piece[index + byte] = UInt8(truncatingIfNeeded: state >> (8 * UInt64(byte))) }
            }
            try piece.withUnsafeBytes { try file.write(at: offset, $0) }
        }
        try file.sync()
        try file.close()
    }

    private static let manifests = """
        apiVersion: v1
        kind: Namespace
        metadata: { name: shop-db }
        ---
        apiVersion: v1
        kind: PersistentVolume
        metadata: { name: disk }
        spec: { capacity: { storage: 1Gi }, claimRef: { namespace: shop-db, name: data } }
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: { name: data, namespace: shop-db }
        spec: { volumeName: disk, resources: { requests: { storage: 1Gi } } }
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: { name: ledger, namespace: shop-db }
        spec: { replicas: 1 }

        """
}

/// The system's time, moved on where a case wants it later.
final class ShiftedClock: WallClock, @unchecked Sendable {
    private let system = SystemClock()
    private let lock = NSLock()
    private var shift = Duration.zero

    func skip(_ duration: Duration) { lock.withLock { shift += duration } }
    func now() -> Instant { system.now() + lock.withLock { shift } }
    func sleep(for duration: Duration) async throws { try await system.sleep(for: duration) }
}
