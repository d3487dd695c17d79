import DRModel
import DRReplication
import DRSimulation
import DRSupport

/// Two clusters, a store and the shop: `ledger` with a volume and a CronJob, `storefront` after it without.
struct EngineWorld {
    static let executor = ThreadExecutor(name: "engine-tests")

    let clock: VirtualClock
    let east: MemoryCluster
    let west: MemoryCluster
    let vault = MemoryObjectStore("vault")
    var inventory: Inventory
    var selfFence: [ClusterName: Duration] = [:]

    init() throws {
        clock = VirtualClock(Instant(nanosecondsSince1970: 1_772_330_400_000_000_000))
        east = MemoryCluster("east", clock: clock)
        west = MemoryCluster("west", clock: clock)
        inventory = Inventory(
            clusters: ["east", "west"], objectStores: ["vault"],
            applications: [
                Application(name: "ledger", namespaces: ["shop-db"], ready: .seconds(30), rpo: .seconds(900)),
                Application(name: "storefront", namespaces: ["shop-web"], after: ["ledger"], ready: .seconds(30)),
            ],
            pairs: [ClusterPair(name: "east-west", source: "east", destination: "west", objectStore: "vault", bothWays: true)],
            schedules: [
                Schedule(
                    name: "shop", pair: "east-west", applications: ["ledger", "storefront"], policy: .interval(.seconds(900)),
                    retain: Retention(last: 3))
            ])
        try east.add(Self.ledger + "---\n" + Self.storefront)
        east.memory.write("one", to: "pg-data")
        east.set { $0.processes = [ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-db", name: "pg"): 3] }
    }

    var clusters: [ClusterName: any Cluster] { ["east": east, "west": west] }

    func engine(_ clusters: [ClusterName: any Cluster]? = nil, clock: (any WallClock)? = nil) -> ReplicationEngine {
        ReplicationEngine(
            inventory: inventory, clusters: clusters ?? self.clusters, stores: ["vault": vault], clock: clock ?? self.clock,
            random: CountingRandom(), selfFence: selfFence, executor: Self.executor)
    }

    /// An engine all of whose ports go through the breaker.
    func engine(breaking breaker: Breaker, ignoringGuards: Bool = false, clock: (any WallClock)? = nil) -> ReplicationEngine {
        ReplicationEngine(
            inventory: inventory,
            clusters: clusters.mapValues { BreakingCluster(base: $0, breaker: breaker, ignoresGuards: ignoringGuards) },
            stores: ["vault": BreakingStore(base: vault, breaker: breaker)], clock: clock ?? self.clock, random: CountingRandom(),
            executor: Self.executor
        )
    }

    var observable: String { east.observable + "\n" + west.observable }

    static let ledger = """
        apiVersion: v1
        kind: PersistentVolume
        metadata: { name: pg-data }
        spec: { capacity: { storage: 1Gi } }
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: { name: pg-data, namespace: shop-db }
        spec:
          volumeName: pg-data
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: { name: pg, namespace: shop-db }
        spec:
          replicas: 3 # three of them
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: { name: vacuum, namespace: shop-db }
        spec:
          schedule: "22:22"
          suspend: false
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: { name: asleep, namespace: shop-db }
        spec:
          suspend: true
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: kube-root-ca.crt, namespace: shop-db }
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: pg-0, namespace: shop-db }

        """

    static let storefront = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: web, namespace: shop-web }
        spec: { replicas: 2 }
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: web, namespace: shop-web }
        data: { mode: on }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: web, namespace: shop-web }

        """
}

/// One call of the engine and what it reported.
struct Spoken {
    let call: EngineCall
    var texts: [String] { call.effects.effects.map(\.text) }

    init(_ key: String, run: RunID = "run-1", points: PointSymbols = PointSymbols()) {
        call = EngineCall(
            key: OperationKey("\(run)/\(key)"), holder: LockHolder(run: run, runbook: "shop.lua", host: "here", process: 42), points: points
        )
    }
}

extension ReplicationEngine {
    @discardableResult
    func migrate(_ applications: [ApplicationName], final: Bool = false, reversed: Bool = false, _ spoken: Spoken) async throws
        -> MigrationReport
    {
        try await migrate(MigrationOrder(pair: "east-west", reversed: reversed, applications: applications, final: final), spoken.call)
    }

    @discardableResult
    func stop(_ application: ApplicationName, reversed: Bool = false, _ spoken: Spoken) async throws -> StopReport {
        try await stop(ApplicationOrder(pair: "east-west", reversed: reversed, application: application), spoken.call)
    }

    @discardableResult
    func restart(_ application: ApplicationName, reversed: Bool = false, _ spoken: Spoken) async throws -> StartReport {
        try await restart(ApplicationOrder(pair: "east-west", reversed: reversed, application: application), spoken.call)
    }

    @discardableResult
    func activate(
        _ application: ApplicationName, _ mode: ActivationOrder.Mode, reversed: Bool = false, point: PointID? = nil,
        accepting loss: Duration? = nil, fuzzy: Bool = false, fenced: Bool = false, _ spoken: Spoken
    ) async throws -> ActivationReport {
        try await activate(
            ActivationOrder(
                pair: "east-west", reversed: reversed, application: application, mode: mode, point: point, acceptedDataLoss: loss,
                acceptFuzzy: fuzzy, sourceFenced: fenced), spoken.call)
    }

    /// A planned failover of one application: stop, last sync, activate.
    @discardableResult
    func move(_ application: ApplicationName, reversed: Bool = false, run: RunID = "run-1") async throws -> (ActivationReport, [String]) {
        let points = PointSymbols()
        let spoken = ["stop", "sync", "activate"].map { Spoken("\($0)-\(application)", run: run, points: points) }
        try await stop(application, reversed: reversed, spoken[0])
        try await migrate([application], final: true, reversed: reversed, spoken[1])
        let report = try await activate(application, .planned, reversed: reversed, spoken[2])
        try await release(run: run)
        return (report, spoken.flatMap(\.texts))
    }
}

func expectError<Result>(_ code: ErrorCode, _ body: () async throws -> Result) async -> DRError? {
    do {
        _ = try await body()
        return nil
    } catch let error as DRError {
        return error.code == code ? error : nil
    } catch {
        return nil
    }
}
