import DRActions
@testable import DRHost
import DRModel
import DROutside
import DRReplication
import DRSimulation
import DRSupport
import Foundation

/// A generated case on disk: written, brought to its state, planned and run by hosts in this process.
final class CaseFolder {
    let folder: URL
    private let clock: CaseClock
    private let seed: UInt64
    private let site: GeneratedSite

    /// In memory where the system has such a folder: disks are slow.
    private static let place =
        FileManager.default.fileExists(atPath: "/dev/shm") ? URL(filePath: "/dev/shm") : FileManager.default.temporaryDirectory

    init(_ site: GeneratedSite, seed: UInt64) throws {
        folder = Self.place.appendingPathComponent("differential-\(UUID().uuidString)")
        clock = CaseClock(Instant(nanosecondsSince1970: 1_772_330_400_000_000_000))
        self.seed = seed
        self.site = site
        try write("dr.yaml", site.configuration)
        for name in ["east", "west"] {
            try write("sites/\(name)/cluster.yaml", "platform: kubernetes\nversion: v1.31.2\n")
            for inner in ["resources", "volumes"] { try makeFolder("sites/\(name)/\(inner)") }
        }
        try makeFolder("objects")
        try makeFolder("state")
        for app in site.apps {
            try write("sites/east/resources/\(app.name).yaml", GeneratedSite.manifests(of: app))
            for volume in app.volumes {
                try write("sites/east/volumes/\(volume)/table", "first of \(volume)\n")
                try write("sites/east/volumes/\(volume)/large", String(repeating: "\(volume) ", count: 700))
            }
        }
    }

    deinit {
        // The beats hold clusters, which hold the clock.
        clock.beats.withLock { $0 = [] }
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ path: String) -> String { folder.appendingPathComponent(path).path }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: self.path(path), withIntermediateDirectories: true)
    }

    func write(_ path: String, _ text: String) throws {
        let file = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// `performs`: calls outside are answered as if they had been made. A plan's host says by itself what would be called.
    func host(_ life: UInt64, performs: Bool) throws -> DRHost.Host {
        let configuration = try Configuration.load(path("dr.yaml"))
        let world = try world(configuration, life, outside: performs ? PerformedOutside(configuration) : nil)
        let clusters = world.clusters.values.compactMap { $0 as? DirectoryCluster }
        clock.beats.withLock { $0 = performs ? [{ for cluster in clusters { _ = cluster.renewLeases() } }] : [] }
        return Host(configuration, .standard, world)
    }

    private func world(_ configuration: Configuration, _ life: UInt64, outside: (any Outside)? = nil) throws -> World {
        try World(configuration, io: SystemStoreIO(), clock: clock, random: SeededRandom(seed: seed &* 16 &+ life), outside: outside)
    }

    /// Somebody else, at a desk of their own: who approves from the account that started the run does not count.
    func approve(_ gate: String, of run: RunID, as person: String = "bob") async throws {
        let configuration = try Configuration.load(path("dr.yaml"))
        let executor = ThreadExecutor(name: person)
        defer { executor.stop() }
        let host = Host(
            configuration, .standard, try world(configuration, 4),
            identity: HostIdentity(person: person, host: "desk-of-\(person)", process: 1), executor: executor)
        let open = try await host.answer(run, gate: gate, GateAnswer(.approve, person: person))
        // What does not pass would be said again and again.
        if let missing = open.missing {
            throw DRError(.rejected, "\(person) at \(gate): \(missing) missing, \(open.objections.compactMap { $0 })")
        }
    }

    /// What was done before, and by hand.
    func prepare() async throws {
        if !site.past.isEmpty {
            try write("before.lua", site.pastRunbook)
            let host = try host(1, performs: true)
            defer { host.close() }
            _ = try await host.run(path("before.lua"), mayActivate: true)
        }
        for tampering in site.tampering { try tamper(tampering) }
    }

    /// From now on nothing of the site is there.
    func lose(_ site: String) throws { try FileManager.default.moveItem(atPath: path("sites/\(site)"), toPath: path("lost-\(site)")) }

    private func tamper(_ tampering: GeneratedSite.Tampering) throws {
        switch tampering {
        case .foreign(let kind, let namespace, let name):
            let version = ["StatefulSet": "apps/v1", "Deployment": "apps/v1", "Ingress": "networking.k8s.io/v1"][kind] ?? "v1"
            let more = version == "apps/v1" ? "spec: { replicas: 1 }\n" : ""
            try write(
                "sites/west/resources/by-hand-\(kind)-\(name).yaml",
                "apiVersion: \(version)\nkind: \(kind)\nmetadata: { name: \(name), namespace: \(namespace) }\n\(more)")
        case .awake(let app, let site): try edit(app, at: site, replace: "replicas: 0", with: "replicas: 1")
        case .edited(let app): try edit(app, at: "east", replace: "mode: \"on\"", with: "mode: \"off\"")
        case .volumeGone(let volume, let site): try? FileManager.default.removeItem(atPath: path("sites/\(site)/volumes/\(volume)"))
        case .storeGone: try FileManager.default.moveItem(atPath: path("objects"), toPath: path("objects-gone"))
        case .brokenManifest: try write("sites/west/resources/broken.yaml", "kind: [")
        case .written(let volume, let site):
            guard FileManager.default.fileExists(atPath: path("sites/\(site)/volumes/\(volume)")) else { return }
            try write("sites/\(site)/volumes/\(volume)/table", "written later\n")
        }
    }

    private func edit(_ app: String, at site: String, replace old: String, with new: String) throws {
        let root = folder.appendingPathComponent("sites/\(site)/resources")
        for case let name as String in FileManager.default.enumerator(atPath: root.path) ?? .init() where name.hasSuffix(".yaml") {
            let file = root.appendingPathComponent(name)
            let text = try String(contentsOf: file, encoding: .utf8)
            guard text.contains(app), text.contains(old) else { continue }
            try Data(text.replacingOccurrences(of: old, with: new).utf8).write(to: file)
        }
    }

    /// Every name, byte and time of change of everything there is.
    func everything() throws -> [String: String] {
        var found: [String: String] = [:]
        var pending = ["."]
        while let name = pending.popLast() {
            var facts = stat()
            guard lstat(path(name), &facts) == 0 else { continue }
            let times = "\(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec) \(facts.st_ino) \(facts.st_mode)"
            guard facts.st_mode & S_IFMT == S_IFDIR else {
                found[name] = "\(times) \(Digest.hex(of: try Data(contentsOf: URL(filePath: path(name)))))"
                continue
            }
            let inner = try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
            found[name] = "\(times) \(inner)"
            pending += inner.map { name == "." ? $0 : "\(name)/\($0)" }
        }
        return found
    }
}

/// The world outside in a run of a generated case: what dr.yaml allows is done, and goes well. People remember what they were told last.
struct PerformedOutside: Outside {
    private let allowed: AllowedOutside
    private let told: ToldMemory

    init(_ configuration: Configuration) {
        told = ToldMemory(folder: configuration.state + "/told")
        allowed = AllowedOutside(
            allowances: configuration.allow, predicts: true, folder: configuration.folder, fingerprintKey: nil, memory: told)
    }

    func fingerprint(of secret: SecretName) throws -> String? { try allowed.fingerprint(of: secret) }
    func execute(_ order: ExecutionOrder, _ call: OutsideCall) async throws -> Execution { try await allowed.execute(order, call) }
    func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer { try await allowed.request(order, call) }
    func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport {
        let report = try await allowed.notify(order, call)
        if report.sent { try told.remember(Digest.hex(of: order.text), order.channel) }
        return report
    }
}

/// The files of the state folder in which a host keeps what channels were told.
private struct ToldMemory: NotificationMemory {
    let folder: String

    private func file(_ channel: String) -> String { "\(folder)/\(Digest.hex(of: channel).prefix(32))" }

    func last(_ channel: String) -> String? {
        (try? String(contentsOfFile: file(channel), encoding: .utf8))?.trimmingCharacters(in: .newlines)
    }

    func remember(_ digest: String, _ channel: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data((digest + "\n").utf8).write(to: URL(filePath: file(channel)))
    }
}
