import DRModel
import DRReplication
import DRSimulation
import Testing

struct FencingTests {
    @Test func `G1 what another run holds is refused before anything changes`() async throws {
        let world = try EngineWorld()
        try await world.west.lock("ledger", for: LockHolder(run: "other", runbook: "other.lua", host: "there", process: 7))
        let engine = world.engine()
        let before = world.observable
        #expect(await expectError(.locked) { try await engine.stop("ledger", Spoken("stop")) } != nil)
        #expect(await expectError(.locked) { try await engine.migrate(["storefront", "ledger"], Spoken("migrate")) } != nil)
        #expect(await expectError(.locked) { try await engine.activate("ledger", .disaster, Spoken("activate")) } != nil)
        #expect(world.observable == before)
        #expect(world.east.commits + world.west.commits == 0)
        try await engine.release(run: "run-1")
        #expect(try await world.west.locks().map(\.holder.run) == ["other"])
    }

    @Test func `G1 a second writer that read before the epoch rose is refused at its commit`() async throws {
        // The first run is at its last step before the new epoch when another host, which saw the same, wins.
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.stop("ledger", Spoken("stop"))
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        world.west.set { $0.locks = [:] }
        world.east.set { $0.locks = [:] }
        let overtaken = OvertakenCluster(base: world.west, before: "run-1/slow/live") {
            world.west.set { $0.locks = [:] }
            world.east.set { $0.locks = [:] }
            try await world.engine().activate("ledger", .planned, Spoken("fast", run: "run-2"))
        }
        let slow = world.engine(["east": world.east, "west": overtaken])
        let spoken = Spoken("slow")
        let error = await expectError(.fenced) { try await slow.activate("ledger", .planned, spoken) }
        #expect(error != nil)
        #expect(!spoken.texts.contains("activate Application ledger @west"))
        #expect(try await engine.status(of: ["ledger"], without: [], Spoken("status").call)[0].epoch == Epoch(2))
    }

    @Test func `G1 a copy that was under way when the destination went live is not listed`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.migrate(["ledger"], Spoken("first"))
        let overtaken = OvertakenCluster(base: world.west, before: "run-1/slow/ledger/point") {
            world.west.set { $0.locks = [:] }
            try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "run-2"))
        }
        let error = await expectError(.fenced) {
            try await world.engine(["east": world.east, "west": overtaken]).migrate(["ledger"], Spoken("slow"))
        }
        #expect(error != nil)
        #expect(try await engine.recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("p").call).count == 1)
    }

    @Test func `G1 who lost an application in the middle of a copy lets go of no recovery point`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        for copy in ["a", "b", "c"] { try await engine.migrate(["ledger"], Spoken(copy)) }
        let overtaken = OvertakenCluster(base: world.west, before: "run-1/slow/ledger/retain") {
            world.west.set { $0.locks = [:] }
            try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "run-2"))
        }
        let error = await expectError(.fenced) {
            try await world.engine(["east": world.east, "west": overtaken]).migrate(["ledger"], Spoken("slow"))
        }
        #expect(error != nil)
        let points = try await engine.recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("p").call)
        #expect(points.map(\.id.text).sorted() == (1...4).map { "ledger-e1-g\($0)" })
    }

    @Test func `An object that somebody changes meanwhile is a conflict, not overwritten`() async throws {
        let world = try EngineWorld()
        let overtaken = OvertakenCluster(base: world.east, before: "run-1/stop/stop") {
            try world.east.add(
                "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: pg, namespace: shop-db }\nspec: { replicas: 5 }\n")
        }
        let error = await expectError(.conflict) {
            try await world.engine(["east": overtaken, "west": world.west]).stop("ledger", Spoken("stop"))
        }
        #expect(error != nil)
        #expect(try world.east.replicas("StatefulSet", "pg") == 5)
        #expect(world.east.processes("pg") == 3)
    }

    @Test func `Operations on one application take turns`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await withThrowingTaskGroup { group in
            for number in 1...6 { group.addTask { try await engine.migrate(["ledger"], Spoken("copy-\(number)")) } }
            try await group.waitForAll()
        }
        let points = try await engine.recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("points").call)
        #expect(Set(points.map(\.id)) == ["ledger-e1-g4", "ledger-e1-g5", "ledger-e1-g6"])
    }
}

/// A cluster to which something happens right before one commit.
struct OvertakenCluster: Cluster {
    let base: any Cluster
    let key: String
    let event: @Sendable () async throws -> Void

    init(base: any Cluster, before key: String, _ event: @escaping @Sendable () async throws -> Void) {
        self.base = base
        self.key = key
        self.event = event
    }

    var name: ClusterName { base.name }
    var volumes: any VolumeStore { base.volumes }
    func facts() async throws -> ClusterFacts { try await base.facts() }
    func objects(of application: Application) async throws -> [ManifestObject] { try await base.objects(of: application) }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { try await base.objects(query) }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { try await base.object(key) }
    func document(_ path: DocumentPath) async throws -> Value? { try await base.document(path) }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] { try await base.documents(in: folder) }
    func commit(_ transaction: Transaction) async throws -> Committed {
        if transaction.key.text == key { try await event() }
        return try await base.commit(transaction)
    }
    func committed(_ key: OperationKey) async throws -> Committed? { try await base.committed(key) }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        try await base.workload(action, object, replicas: replicas)
    }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws { try await base.lock(application, for: holder) }
    func unlock(run: RunID) async throws { try await base.unlock(run: run) }
    func locks() async throws -> [ApplicationLock] { try await base.locks() }
    func agentMark(of cluster: ClusterName) async throws -> AgentMark? { try await base.agentMark(of: cluster) }
    func noteAgent(_ mark: AgentMark) async throws { try await base.noteAgent(mark) }
    func contact(with cluster: ClusterName) async throws -> SiteContact? { try await base.contact(with: cluster) }
    func noteContact(_ contact: SiteContact) async throws { try await base.noteContact(contact) }
}
