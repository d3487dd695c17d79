internal import DRModel
internal import DRObjectStores
internal import DRSupport

/// Clusters that a plan is to do without, and what it wanted of them all the same.
final class LostClusters: Sendable {
    let clusters: [ClusterDeclaration]
    private let log = Lock<[PlanNotes.Touch]>([])

    init(_ names: [ClusterName], _ configuration: Configuration) {
        clusters = configuration.clusters.filter { names.contains($0.name) }
    }

    var touches: [PlanNotes.Touch] { log.withLock { $0 } }
    func contains(_ name: ClusterName) -> Bool { clusters.contains { $0.name == name } }

    /// Notes that something of the cluster was needed, by whoever is being performed; each thing once for each place.
    func touch(_ cluster: ClusterName, _ what: String) {
        guard let place = CallPlace.current else { return }
        let touch = PlanNotes.Touch(cluster: cluster, location: place.location, what: "\(place.verb): \(what)")
        log.withLock { if !$0.contains(touch) { $0.append(touch) } }
    }

    /// The cluster with which a file would be lost.
    func holder(ofFile path: String) -> ClusterName? { clusters.first { PathText.isInside(path, $0.directory) }?.name }

    /// The cluster with which a host goes, as `hosts` of dr.yaml says.
    func holder(ofHostIn url: String) -> ClusterName? {
        let host = Self.host(in: url)
        return clusters.first { $0.hosts.contains { Self.covers($0, host) } }?.name
    }

    /// Why a store cannot be used without them: its endpoint or its key goes with one.
    func holder(of store: ObjectStoreDeclaration) -> (cluster: ClusterName, what: String)? {
        if case .s3(let location) = store.kind, let cluster = holder(ofHostIn: location.endpoint) {
            return (cluster, "the object store \(store.name) at \(Self.host(in: location.endpoint))")
        }
        for case .file(let path) in store.keys {
            if let cluster = holder(ofFile: path) { return (cluster, "the key \(path) of the object store \(store.name)") }
        }
        return nil
    }

    // `https://user@lb.example.com:8443/pools` -> `lb.example.com`.
    private static func host(in url: String) -> String {
        let rest = url.split(separator: "/", omittingEmptySubsequences: true).dropFirst(url.contains("://") ? 1 : 0).first ?? ""
        let address = rest.split(separator: "@").last ?? ""
        return address.prefix { $0 != ":" && $0 != "?" && $0 != "#" }.lowercased()
    }

    /// `*.east.example.com` covers what ends so.
    private static func covers(_ pattern: String, _ host: String) -> Bool {
        let pattern = pattern.lowercased()
        return pattern.hasPrefix("*.") ? host.hasSuffix(pattern.dropFirst()) : host == pattern
    }
}

/// What is outside, without what goes with lost clusters: it is asked as ever, and does not answer.
struct OutsideWithout: Outside {
    let base: any Outside
    let allowances: Allowances
    let lost: LostClusters

    func fingerprint(of secret: SecretName) throws -> String? { try base.fingerprint(of: secret) }

    func execute(_ order: ExecutionOrder, _ call: OutsideCall) async throws -> Execution {
        let answer = try await base.execute(order, call)
        let program = allowances.programs.first { $0.name == order.argv.first || $0.path == order.argv.first }
        if let program, answer.origin == .predicted, let cluster = lost.holder(ofFile: program.path) {
            throw failure(cluster, "the program \(program.path)")
        }
        return answer
    }

    func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer {
        let answer = try await base.request(order, call)
        if answer.origin == .predicted, let cluster = lost.holder(ofHostIn: order.url) {
            throw failure(cluster, "the host of \(order.url)")
        }
        return answer
    }

    func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport {
        let report = try await base.notify(order, call)
        let channel = allowances.channels.first { $0.name == order.channel }
        if let channel, report.sent, report.origin == .predicted, let cluster = lost.holder(ofHostIn: channel.webhook) {
            throw failure(cluster, "the webhook of \(channel.name)")
        }
        return report
    }

    private func failure(_ cluster: ClusterName, _ what: String) -> DRError {
        lost.touch(cluster, what)
        return DRError(.outsideFailed, "\(what) goes with \(cluster), and the plan was asked for without it")
    }
}

/// A store that goes with a lost cluster.
struct UnreachableStore: ObjectStore {
    let name: StoreName
    let cluster: ClusterName
    let what: String
    let lost: LostClusters

    func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool { throw gone }
    func get(_ name: String) async throws -> [UInt8] { throw gone }
    func exists(_ name: String) async throws -> Bool { throw gone }
    func list(prefix: String) async throws -> [StoredObject] { throw gone }
    func delete(_ name: String) async throws { throw gone }
    func settle(_ names: [String]) async throws { throw gone }

    private var gone: DRError {
        lost.touch(cluster, what)
        return DRError(.storeUnreachable, "\(what) goes with \(cluster), and the plan was asked for without it")
    }
}
