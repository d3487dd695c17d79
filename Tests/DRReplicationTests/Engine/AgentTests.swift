import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// The agent at a cluster's side: what lives elsewhere is stopped there, and so is what may.
struct AgentTests {
    func round(
        _ world: EngineWorld, at cluster: ClusterName = "east", selfFence: Duration? = .seconds(300), every: Duration? = .seconds(10),
        contact: Instant? = nil, as name: String
    ) async throws -> AgentRound {
        try await world.engine().watch(
            cluster, selfFence: selfFence, every: every, contacts: contact.map { ["west": $0] }, Spoken(name, run: try RunID(name)).call)
    }

    /// What a disaster at west says of the risk, `after` so long without a sign of east.
    func risk(_ world: EngineWorld, after: Duration) async throws -> Bool {
        world.east.goAway()
        world.clock.advance(by: after)
        release(world)
        return try await world.engine().activate("ledger", .disaster, accepting: .seconds(1 << 30), Spoken("activate")).split_brain_risk
    }

    /// Whatever a run of another engine held.
    func release(_ world: EngineWorld) { for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } } }

    func copied() async throws -> EngineWorld {
        let world = try EngineWorld()
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
        release(world)
        return world
    }

    /// The agent of east is told to end.
    func end(_ world: EngineWorld, as name: String = "agent-end") async throws -> (untold: [ClusterName], told: [AgentRound.Event]) {
        let told = Lock<[AgentRound.Event]>([])
        let untold = try await world.engine().endAgent("east", Spoken(name, run: try RunID(name)).call) {
            event in told.withLock { $0.append(event) }
        }
        return (untold, told.withLock { $0 })
    }

    @Test func `G1 what went live elsewhere while its site was away is stopped there by the agent, and its data is a fork`() async throws {
        let world = try await copied()
        try await world.engine().activate("ledger", .disaster, Spoken("activate"))
        release(world)
        #expect(world.east.processes("pg") == 3)
        let found = try await round(world, as: "agent-1")
        #expect(found.events.map(\.kind) == [.deposed] && found.events.map(\.application) == ["ledger"])
        #expect(world.east.processes("pg") == 0)
        #expect(world.west.processes("pg") == 3)
        let status = try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0]
        #expect(status.forks?.first?.epoch == .first && status.returned == nil)
        #expect(try await round(world, as: "agent-2").events.isEmpty)
    }

    @Test func `G1 whoever hears nobody for longer than selfFence stops by itself, and runs again when nobody took it over`() async throws {
        let world = try await copied()
        let contact = try #require(try await round(world, as: "agent-1").contacts["west"])
        world.west.goAway()
        world.clock.advance(by: .seconds(299))
        let early = try await round(world, contact: contact, as: "agent-2")
        #expect(early.events.isEmpty && early.silent == ["west"] && early.contacts["west"] == contact)
        #expect(world.east.processes("pg") == 3)
        world.clock.advance(by: .seconds(1))
        let late = try await round(world, contact: contact, as: "agent-3")
        #expect(Set(late.events.map(\.kind)) == [.selfFenced])
        #expect(world.east.processes("pg") == 0)
        #expect(try await round(world, contact: contact, as: "agent-4").events.isEmpty)

        world.west.goAway(false)
        let back = try await round(world, contact: contact, as: "agent-5")
        #expect(Set(back.events.map(\.kind)) == [.resumed])
        #expect(world.east.processes("pg") == 3)
        #expect(try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0].running == true)
    }

    @Test func `G1 a lock that somebody holds does not keep an agent from stopping what it promised to stop`() async throws {
        let world = try await copied()
        let contact = try #require(try await round(world, as: "agent-1").contacts["west"])
        world.west.goAway()
        try await world.east.lock("ledger", for: Spoken("parked", run: "parked").call.holder)
        world.clock.advance(by: .seconds(300))
        #expect(try await round(world, contact: contact, as: "agent-2").events.map(\.kind).contains(.failed) == false)
        #expect(world.east.processes("pg") == 0)
    }

    @Test func `G1 a lock that a run at a gate keeps does not keep a former source running once its agent hears of it`() async throws {
        let world = try await copied()
        try await world.engine().activate("ledger", .disaster, Spoken("activate"))
        release(world)
        let parked = Spoken("parked", run: "parked").call.holder
        try await world.east.lock("ledger", for: parked)
        let found = try await round(world, as: "agent-1")
        #expect(found.events.map(\.kind) == [.deposed])
        #expect(world.east.processes("pg") == 0)
    }

    @Test func `A single round that promises nothing stops nothing for silence alone`() async throws {
        let world = try await copied()
        let contact = try #require(try await round(world, as: "agent-1").contacts["west"])
        world.west.goAway()
        world.clock.advance(by: .seconds(900))
        #expect(try await round(world, every: nil, contact: contact, as: "agent-2").events.isEmpty)
        #expect(world.east.processes("pg") == 3)
    }

    @Test func `What a person stopped is not started by an agent that finds its peers again`() async throws {
        let world = try await copied()
        try await world.engine().stop("ledger", Spoken("stop"))
        release(world)
        world.west.goAway()
        _ = try await round(world, selfFence: .seconds(1), contact: Instant(nanosecondsSince1970: 0), as: "agent-1")
        world.west.goAway(false)
        #expect(try await !round(world, as: "agent-2").events.contains { $0.application == "ledger" })
        #expect(world.east.processes("pg") == 0)
    }

    @Test func `Without selfFence silence stops nothing`() async throws {
        let world = try await copied()
        world.west.goAway()
        let found = try await round(world, selfFence: nil, contact: Instant(nanosecondsSince1970: 0), as: "agent-1")
        #expect(found.events.isEmpty)
        #expect(world.east.processes("pg") == 3)
    }

    @Test func `G1 a disaster waits until the agent that promised it has stopped the source, and there is no risk then`() async throws {
        let world = try FolderWorld()
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
        try await world.engine().release(run: "before")
        let promised = world.clock.now()
        _ = try await world.engine().watch(
            "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken("agent", run: "agent-1").call)
        try SystemStoreIO().rename(world["east"], world["gone"], .keep)
        let report = try await world.engine().activate("ledger", .disaster, Spoken("activate"))
        #expect(!report.split_brain_risk)
        #expect(report.ready_at >= promised + .seconds(300) + AgentMark.grace)
    }

    @Test func `G1 an agent that was silent long before the last copy promises nothing`() async throws {
        let world = try FolderWorld()
        _ = try await world.engine().watch(
            "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken("agent", run: "agent-1").call)
        try await world.clock.sleep(for: .seconds(3600))
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
        try await world.engine().release(run: "before")
        try SystemStoreIO().rename(world["east"], world["gone"], .keep)
        #expect(try await world.engine().activate("ledger", .disaster, Spoken("activate")).split_brain_risk)
    }

    @Test func `G1 an agent that was last seen long before anybody missed its site promises nothing`() async throws {
        let world = try await copied()
        world.clock.advance(by: .seconds(60))
        _ = try await round(world, as: "agent-1")
        #expect(try await risk(world, after: .seconds(540)))
    }

    @Test func `G1 an agent that was seen until its site fell silent is relied on, and its promise is waited for`() async throws {
        let world = try await copied()
        let began = world.clock.now()
        _ = try await round(world, as: "agent-1")
        _ = try await round(world, at: "west", as: "west-1")
        world.east.goAway()
        world.clock.advance(by: .seconds(10))
        _ = try await round(world, at: "west", as: "west-2")
        #expect(try await !risk(world, after: .seconds(30)))
        #expect(world.clock.now() >= began + .seconds(300) + AgentMark.grace)
    }

    @Test func `G1 an agent that had ended while its site still answered promises nothing, however long its site is silent`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.clock.advance(by: .seconds(600))
        try await world.engine().noteContacts()
        world.east.goAway()
        try await world.engine().noteContacts()
        #expect(try await risk(world, after: .seconds(5)))
    }

    @Test func `G1 an agent that ends takes its promise back, and a single round makes none`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        #expect(try await end(world).untold.isEmpty)
        #expect(try await risk(world, after: .seconds(1)))

        let once = try await copied()
        _ = try await round(once, every: nil, as: "agent-1")
        #expect(try await risk(once, after: .seconds(1)))
    }

    @Test func `G1 an agent that still reaches the destination stops nothing, and is not taken for one that does`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        let west = RenewingCluster(base: world.west, clock: world.clock)
        release(world)
        let report = try await world.engine(["east": world.east, "west": west]).activate("ledger", .disaster, Spoken("activate"))
        #expect(report.split_brain_risk)
    }

    @Test func `G1 what stopped by itself runs again when a person says that the other cluster is gone, in an epoch above any of its own`()
        async throws
    {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        _ = try await round(world, as: "agent-2")
        #expect(world.east.processes("pg") == 0)
        func status() async throws -> ApplicationStatus {
            try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0]
        }
        #expect(try await status().problems?.contains { $0.contains("drrunbook agent east --resume") } == true)
        // What nobody at east can know: it was taken over.
        world.west.goAway(false)
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "there"))
        world.west.goAway()
        release(world)

        let call = Spoken("resume", run: "person").call
        let events = try await world.engine().resumeAlone("east", reason: "west burnt down", by: "alice", call)
        #expect(Set(events.map(\.kind)) == [.resumed] && world.east.processes("pg") == 3)
        let alone = try await status()
        #expect(alone.active_at == "east" && alone.epoch == Epoch(3) && alone.split_brain_risk && alone.running == true)
        // The silence of what is gone stops nothing any more.
        world.clock.advance(by: .seconds(3600))
        #expect(try await round(world, as: "agent-3").events.isEmpty && world.east.processes("pg") == 3)
        // It lives after all, and hears of it.
        world.west.goAway(false)
        release(world)
        let back = try await world.engine().watch(
            "west", selfFence: nil, every: .seconds(10), contacts: nil, Spoken("west", run: "agent-west").call)
        #expect(back.events.map(\.kind) == [.deposed] && world.west.processes("pg") == 0)
        // From now on its silence counts again.
        _ = try await round(world, as: "agent-4")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        #expect(try await Set(round(world, as: "agent-5").events.map(\.kind)) == [.selfFenced])
    }

    @Test func `G12 a source that stopped by itself before it was taken over is called that when it is back`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        _ = try await round(world, as: "agent-2")
        world.west.goAway(false)
        release(world)
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "there"))
        let status = try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0]
        #expect(status.clusters == ["east": "stopped by its agent", "west": "active"] && status.returned == ["east"])
    }

    @Test func `G1 what stopped by itself is not resumed by a person while a cluster that answers has it`() async throws {
        let world = try await copied()
        let nothing = await expectError(.notFound) {
            try await world.engine().resumeAlone("east", reason: "x", by: "alice", Spoken("early", run: "person").call)
        }
        #expect(nothing?.message.contains("stopped nothing") == true)
        _ = try await round(world, contact: world.clock.now() + .seconds(-300), as: "agent-1")
        world.west.goAway()
        _ = try await round(world, contact: world.clock.now() + .seconds(-300), as: "agent-2")
        #expect(world.east.processes("pg") == 0)
        world.west.goAway(false)
        let all = await expectError(.conflict) {
            try await world.engine().resumeAlone("east", reason: "x", by: "alice", Spoken("late", run: "person").call)
        }
        #expect(all?.message.contains("answer") == true)
    }

    @Test func `G12 what cannot be resumed is told, keeps no other application down, and no lock stays`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        _ = try await round(world, as: "agent-2")
        #expect(world.east.processes("pg") == 0)
        try await world.east.lock("ledger", for: Spoken("other", run: "other").call.holder)
        let events = try await world.engine().resumeAlone("east", reason: "gone", by: "alice", Spoken("resume", run: "person").call)
        #expect(events.map(\.kind) == [.failed, .resumed] && events.map(\.application) == ["ledger", "storefront"])
        #expect(events[0].message.contains("locked"))
        #expect(world.east.processes("pg") == 0 && world.east.processes("web") == 2)
        #expect(try await world.east.locks().map(\.holder.run) == ["other"])
        // All that is left does not fit.
        let error = await expectError(.locked) {
            try await world.engine().resumeAlone("east", reason: "gone", by: "alice", Spoken("again", run: "again").call)
        }
        #expect(error != nil)
        #expect(try await world.east.locks().map(\.holder.run) == ["other"])
        release(world)
        let late = try await world.engine().resumeAlone("east", reason: "gone", by: "alice", Spoken("late", run: "late").call)
        #expect(late.map(\.kind) == [.resumed] && late.map(\.application) == ["ledger"] && world.east.processes("pg") == 3)
    }

    @Test func `G1 what an agent could not start again is tried by the next round, and stopped when nobody is heard of`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        _ = try await round(world, as: "agent-2")
        world.west.goAway(false)
        world.east.set { $0.slowness = 10_000 }
        #expect(try await Set(round(world, as: "agent-3").events.map(\.kind)) == [.failed])
        #expect(world.east.processes("pg") == 3)
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        #expect(try await Set(round(world, as: "agent-4").events.map(\.kind)) == [.selfFenced])
        #expect(world.east.processes("pg") == 0)
        world.west.goAway(false)
        #expect(try await Set(round(world, as: "agent-5").events.map(\.kind)) == [.failed])
        world.east.set { $0.slowness = 0 }
        #expect(try await Set(round(world, as: "agent-6").events.map(\.kind)) == [.resumed])
        #expect(try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0].running == true)
    }

    @Test func `G1 an agent that is started again while it is cut off counts from what its former self last said`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        #expect(try await round(world, as: "agent-2").events.contains { $0.kind == .selfFenced && $0.application == "ledger" })
    }

    @Test func `G1 a lost cluster stops what could be live there and nothing else, and nothing else is promised to it`() async throws {
        var world = try await copied()
        let north = MemoryCluster("north", clock: world.clock)
        world.inventory.clusters.append("north")
        world.inventory.pairs.append(ClusterPair(name: "east-north", source: "east", destination: "north", objectStore: "vault"))
        world.inventory.schedules = [
            Schedule(name: "db", pair: "east-west", applications: ["ledger"], policy: .interval(.seconds(900)), retain: Retention(last: 3)),
            Schedule(
                name: "web", pair: "east-north", applications: ["storefront"], policy: .interval(.seconds(900)), retain: Retention(last: 3)),
        ]
        func round(_ name: String) async throws -> AgentRound {
            let clusters: [ClusterName: any Cluster] = ["east": world.east, "west": world.west, "north": north]
            return try await world.engine(clusters).watch(
                "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken(name, run: try RunID(name)).call)
        }
        _ = try await round("agent-1")
        #expect(try await world.west.agentMark(of: "east")?.applications == ["ledger"])
        #expect(try await north.agentMark(of: "east")?.applications == ["storefront"])
        north.goAway()
        world.clock.advance(by: .seconds(300))
        let late = try await round("agent-2")
        #expect(late.events.map(\.kind) == [.selfFenced] && late.events.map(\.application) == ["storefront"])
        #expect(world.east.processes("pg") == 3)
        north.goAway(false)
        world.west.goAway()
        #expect(try await round("agent-3").events.map(\.kind) == [.resumed])
    }
}

/// A cluster whose agent marks are renewed whenever they are read.
private struct RenewingCluster: Cluster {
    let base: MemoryCluster
    let clock: VirtualClock
    var name: ClusterName { base.name }
    var volumes: any VolumeStore { base.volumes }
    func agentMark(of cluster: ClusterName) async throws -> AgentMark? {
        let mark = try await base.agentMark(of: cluster)
        return mark.map { AgentMark(cluster: $0.cluster, at: clock.now(), lease: $0.lease, every: $0.every, applications: $0.applications) }
    }
    func facts() async throws -> ClusterFacts { try await base.facts() }
    func objects(of application: Application) async throws -> [ManifestObject] { try await base.objects(of: application) }
    func objects(_ query: ObjectQuery) async throws -> [ManifestObject] { try await base.objects(query) }
    func object(_ key: ObjectKey) async throws -> ManifestObject? { try await base.object(key) }
    func document(_ path: DocumentPath) async throws -> Value? { try await base.document(path) }
    func documents(in folder: DocumentPath) async throws -> [DocumentPath] { try await base.documents(in: folder) }
    func commit(_ transaction: Transaction) async throws -> Committed { try await base.commit(transaction) }
    func committed(_ key: OperationKey) async throws -> Committed? { try await base.committed(key) }
    func workload(_ action: WorkloadAction, _ object: ManifestObject, replicas: Int) async throws -> WorkloadState {
        try await base.workload(action, object, replicas: replicas)
    }
    func lock(_ application: ApplicationName, for holder: LockHolder) async throws { try await base.lock(application, for: holder) }
    func unlock(run: RunID) async throws { try await base.unlock(run: run) }
    func locks() async throws -> [ApplicationLock] { try await base.locks() }
}
