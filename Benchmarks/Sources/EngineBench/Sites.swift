import BenchSupport
import DRModel
import DRObjectStores
import DRReplication
import Foundation

/// Two folders, a store between them, and applications of 25 objects a namespace at the first.
struct Sites {
    let root: URL
    let inventory: Inventory
    let engine: ReplicationEngine
    private let clusters: [ClusterName: any Cluster]

    /// `together`: one application over all namespaces, else one for each.
    init(objects: Int, together: Bool, below folder: URL) throws {
        root = folder
        let namespaces = (0..<max(1, objects / 25)).map { String(format: "ns-%04d", $0) }
        for name in ["east", "west"] {
            try FileManager.default.createDirectory(at: root.appending(path: "\(name)/resources"), withIntermediateDirectories: true)
            try "platform: kubernetes\nversion: v1.31.2\n".write(
                to: root.appending(path: "\(name)/cluster.yaml"), atomically: true, encoding: .utf8)
        }
        try FileManager.default.createDirectory(at: root.appending(path: "vault"), withIntermediateDirectories: true)
        for namespace in namespaces {
            let place = root.appending(path: "east/resources/\(namespace)")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for (name, text) in Self.manifests(of: namespace) {
                try text.write(to: place.appending(path: "\(name).yaml"), atomically: false, encoding: .utf8)
            }
        }
        let applications = together ? [Application(name: "shop", namespaces: namespaces)]
            : try namespaces.map { Application(name: try ApplicationName("app-" + $0), namespaces: [$0]) }
        inventory = Inventory(
            clusters: ["east", "west"], objectStores: ["vault"], applications: applications,
            pairs: [ClusterPair(name: "pair", source: "east", destination: "west", objectStore: "vault", bothWays: true)])
        let (io, clock, random) = (SystemStoreIO(), SystemClock(), SystemRandom())
        var clusters: [ClusterName: any Cluster] = [:]
        for name in inventory.clusters {
            let path = StorePath(root.appending(path: name.text).path)
            clusters[name] = DirectoryCluster(
                name: name, directory: path, io: io, clock: clock,
                volumes: DirectoryVolumeStore(cluster: name, directory: path, io: io, clock: clock, random: random))
        }
        self.clusters = clusters
        let vault = DirectoryObjectStore(name: "vault", directory: StorePath(root.appending(path: "vault").path), io: io, random: random)
        engine = ReplicationEngine(
            inventory: inventory, clusters: clusters, stores: ["vault": vault], clock: clock, random: random, executor: BenchThread())
    }

    private static func manifests(of namespace: String) -> [(String, String)] {
        var all: [(String, String)] = [("namespace", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: \(namespace)\n")]
        func add(_ version: String, _ kind: String, _ count: Int, _ body: (Int) -> String) {
            for index in 0..<count {
                let name = "\(kind.lowercased())-\(index)"
                all.append(
                    (name, "apiVersion: \(version)\nkind: \(kind)\nmetadata:\n  name: \(name)\n  namespace: \(namespace)\n  labels:\n    app: shop\n\(body(index))"))
            }
        }
        add("v1", "ConfigMap", 10) { "data:\n  mode: fast\n  number: \"\($0)\"\n  text: |\n" + String(repeating: "    a line of a setting\n", count: 12) }
        add("v1", "Secret", 4) { "type: Opaque\ndata:\n  key: \($0)dGhpcyBpcyBubyBzZWNyZXQ=\n" }
        add("v1", "ServiceAccount", 1) { _ in "" }
        add("v1", "Service", 3) { "spec:\n  selector:\n    app: web-\($0)\n  ports:\n    - port: 80\n" }
        add("networking.k8s.io/v1", "Ingress", 1) { _ in "spec:\n  rules:\n    - host: \(namespace).example.com\n" }
        let pod = "  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n        - name: web\n          image: quay.io/web:1\n"
        add("apps/v1", "Deployment", 3) { _ in "spec:\n  replicas: 3 # as many\n\(pod)" }
        add("apps/v1", "StatefulSet", 1) { _ in "spec:\n  replicas: 1\n\(pod)" }
        add("batch/v1", "CronJob", 1) { _ in "spec:\n  schedule: \"22:22\"\n  suspend: false\n" }
        return all
    }

    /// Changes one object in a hundred.
    func touch(_ round: Int) throws {
        var seen = 0
        for namespace in try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "east/resources").path).sorted() {
            for file in try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "east/resources/\(namespace)").path).sorted()
            where file.hasPrefix("configmap") {
                seen += 1
                // Ten of 25 objects are config maps.
                guard seen % 40 == 0 else { continue }
                let url = root.appending(path: "east/resources/\(namespace)/\(file)")
                let text = try String(contentsOf: url, encoding: .utf8)
                try text.replacingOccurrences(of: "mode: fast", with: "mode: round\(round)").write(to: url, atomically: true, encoding: .utf8)
            }
        }
    }

    func remove() throws { try FileManager.default.removeItem(at: root) }
}

extension Sites {
    private func call(_ key: String, _ run: String) throws -> EngineCall {
        EngineCall(
            key: OperationKey("\(run)/\(key)"), holder: LockHolder(run: try RunID(run), runbook: "bench.lua", host: "here", process: getpid()))
    }

    func migrate(_ run: String, final: Bool = false) async throws {
        _ = try await engine.migrate(
            MigrationOrder(pair: "pair", applications: inventory.applications.map(\.name), final: final), try call("migrate", run))
        if !final { try await engine.release(run: try RunID(run)) }
    }

    /// Stop, last sync and activation of all applications.
    func failover(_ run: String) async throws {
        for application in inventory.applications.map(\.name) {
            _ = try await engine.stop(ApplicationOrder(pair: "pair", application: application), try call("stop-\(application)", run))
        }
        try await migrate(run, final: true)
        for application in inventory.applications.map(\.name) {
            _ = try await engine.activate(
                ActivationOrder(pair: "pair", application: application, mode: .planned), try call("activate-\(application)", run))
        }
        try await engine.release(run: try RunID(run))
    }

    func checks(_ run: String) async throws -> Int {
        try await engine.checks(CheckOrder(pair: "pair", applications: inventory.applications.map(\.name)), try call("checks", run)).count
    }
}
