import BenchSupport
import DRModel
import DRObjectStores
import DRReplication
import Foundation

/// One step of a migration as a process of its own, so that it can be measured like any other tool:
///
///     ReplicationBench publish ROOT VOLUME GENERATION [running]    ROOT/east to ROOT/vault
///     ReplicationBench receive ROOT GENERATION                     ROOT/vault to the own copy of ROOT/west
///     ReplicationBench restore ROOT VOLUME GENERATION              the own copy to a staged volume of ROOT/west
///
/// Prints `read BYTES sent BYTES consistency WORD`, of a restore the folder of the staged volume.
@main struct ReplicationBench {
    static func main() async throws {
        var words = CommandLine.arguments.dropFirst()
        guard words.count >= 3 else {
            print("usage: ReplicationBench publish|receive|restore ROOT [VOLUME] GENERATION [running]")
            exit(2)
        }
        let step = words.removeFirst()
        let bench = Bench(root: StorePath(words.removeFirst()))
        let thread = BenchThread()
        switch step {
        case "publish":
            let volume = try VolumeName(words.removeFirst())
            let generation = Int64(words.removeFirst()) ?? 1
            print(try await Lane(thread).publish(bench, volume, generation, stopped: words.first != "running"))
        case "receive": print(try await Lane(thread).receive(bench, Int64(words.removeFirst()) ?? 1))
        default:
            let volume = try VolumeName(words.removeFirst())
            print(try await Lane(thread).restore(bench, volume, Int64(words.removeFirst()) ?? 1))
        }
    }
}

/// Runs on a thread of its own, as the engine does.
actor Lane {
    private let thread: BenchThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    init(_ thread: BenchThread) { self.thread = thread }

    func publish(_ bench: Bench, _ volume: VolumeName, _ generation: Int64, stopped: Bool) async throws -> String {
        try await bench.publish(volume, generation, stopped: stopped)
    }
    func receive(_ bench: Bench, _ generation: Int64) async throws -> String { try await bench.receive(generation) }
    func restore(_ bench: Bench, _ volume: VolumeName, _ generation: Int64) async throws -> String {
        try await bench.restore(volume, generation)
    }
}

struct Bench: Sendable {
    let root: StorePath
    private let io = SystemStoreIO()
    private let clock = SystemClock()
    private let random = SystemRandom()
    private let application: ApplicationName = "bench"

    init(root: StorePath) { self.root = root }

    private func volumes(_ site: ClusterName) -> DirectoryVolumeStore {
        DirectoryVolumeStore(cluster: site, directory: root / site.text, io: io, clock: clock, random: random)
    }
    private var vault: DirectoryObjectStore { DirectoryObjectStore(name: "vault", directory: root / "vault", io: io, random: random) }
    private func id(_ generation: Int64) throws -> PointID { try PointID("bench-e1-g\(generation)") }

    func publish(_ volume: VolumeName, _ generation: Int64, stopped: Bool) async throws -> String {
        let key = OperationKey("bench/\(generation)")
        let east = volumes("east")
        let capture = try await east.capture([volume], of: application, stopped: stopped, key: key)
        let draft = PointDraft(
            id: try id(generation), epoch: Epoch(1), generation: generation, source: "east", final: stopped)
        let publication = try await east.publish(capture, as: draft, manifests: [], to: vault)
        try await east.discard(key)
        return "read \(publication.bytesRead.bytes) sent \(publication.bytesSent.bytes) consistency \(capture.consistency.rawValue)"
    }

    func receive(_ generation: Int64) async throws -> String {
        let reception = try await volumes("west").receive(try id(generation), of: application, from: vault)
        let data = try JSONEncoder().encode(reception.point)
        try data.write(to: URL(filePath: "\(root)/point-\(generation).json"))
        return "read 0 sent \(reception.bytesReceived.bytes) consistency \(reception.point.consistency.rawValue)"
    }

    func restore(_ volume: VolumeName, _ generation: Int64) async throws -> String {
        let data = try Data(contentsOf: URL(filePath: "\(root)/point-\(generation).json"))
        let point = try JSONDecoder().decode(RecoveryPoint.self, from: data)
        guard let wanted = point.volumes.first(where: { $0.name == volume }) else { throw DRError(.volumeMissing, "no \(volume)") }
        let key = OperationKey("restore/\(generation)")
        _ = try await volumes("west").materialise(wanted, of: point, key: key)
        return "\(root)/west/.dr/staging"
    }
}
