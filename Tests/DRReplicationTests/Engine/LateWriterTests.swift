import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// Somebody comes between what an operation looked at and what it does: what was so is looked at again where it counts.
struct LateWriterTests {
    private func release(_ world: EngineWorld) { for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } } }

    private func copied() async throws -> EngineWorld {
        let world = try EngineWorld()
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
        release(world)
        return world
    }

    private func round(_ world: EngineWorld, _ clusters: [ClusterName: any Cluster]? = nil, as name: String) async throws -> AgentRound {
        try await world.engine(clusters).watch(
            "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken(name, run: try RunID(name)).call)
    }

    /// East is cut off until its agent has stopped the ledger.
    private func selfFenced() async throws -> EngineWorld {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        // What somebody at west notes of it.
        world.west.set { $0.contacts["east"] = SiteContact(cluster: "east", reached: world.clock.now(), silent: world.clock.now()) }
        world.clock.advance(by: .seconds(300))
        _ = try await round(world, as: "agent-2")
        world.west.goAway(false)
        world.east.goAway()
        return world
    }

    @Test func `G1 a host that slept since it saw a promise kept does not say that there is no risk when the agent started it again`()
        async throws
    {
        let world = try await selfFenced()
        let slept = Lock(false)
        let sleeper = OvertakenCluster(base: world.west, before: "run-1/activate/live") {
            let isFirst = slept.withLock { slept in
                defer { slept = true }
                return !slept
            }
            guard isFirst else { return }
            world.east.goAway(false)
            let found = try await round(world, as: "agent-3")
            #expect(found.events.map(\.kind).contains(.resumed))
            #expect(world.east.processes("pg") == 3)
        }
        let report = try await world.engine(["east": world.east, "west": sleeper]).activate(
            "ledger", .disaster, accepting: .seconds(1 << 30), Spoken("activate"))
        #expect(slept.withLock { $0 } && report.split_brain_risk && report.former == nil)
        #expect(try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0].split_brain_risk)
    }

    @Test func `G1 what is at rest when its agent's promise is due is started by nobody who does not hear of the others, asleep or not`()
        async throws
    {
        let world = try await copied()
        try await world.engine().activate("ledger", .disaster, fenced: true, Spoken("activate"))
        try await world.engine().migrate(["ledger"], reversed: true, Spoken("back"))
        try await world.engine().stop("ledger", reversed: true, Spoken("stop"))
        release(world)
        @Sendable func west(_ name: String) async throws -> AgentRound {
            try await world.engine().watch(
                "west", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken(name, run: try RunID(name)).call)
        }
        _ = try await west("agent-1")
        // Somebody at west starts it, and sleeps; west is cut off, and its promise is due.
        let sleeper = OvertakenCluster(base: world.west, before: "run-1/again/start/plan") {
            world.east.goAway()
            world.clock.advance(by: .seconds(300))
            let found = try await west("agent-2")
            #expect(found.events.allSatisfy { $0.application == "storefront" })
        }
        let asleep = await expectError(.conflict) {
            try await world.engine(["east": world.east, "west": sleeper]).activate("ledger", .disaster, Spoken("again"))
        }
        #expect(asleep != nil)
        let awake = await expectError(.notAllowed) { try await world.engine().activate("ledger", .disaster, Spoken("late")) }
        #expect(awake?.message.contains("was kept by the agent of west") == true && world.west.processes("pg") == 0)
        let status = try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0]
        #expect(status.self_fenced == nil && status.running == false)
        // When all answer it is as a person left it, and may be started.
        world.east.goAway(false)
        release(world)
        #expect(try await !west("agent-3").events.contains { $0.application == "ledger" } && world.west.processes("pg") == 0)
        release(world)
        try await world.engine().activate("ledger", .disaster, Spoken("later"))
        #expect(world.west.processes("pg") == 3)
    }

    @Test func `G1 an agent starts nothing again that went live at a peer after it had looked there`() async throws {
        let world = try await selfFenced()
        world.east.goAway(false)
        let west = OvertakenCluster(base: world.west, before: "agent-3/agent-3/ledger/asked") {
            world.west.set { $0.locks = [:] }
            let report = try await world.engine().activate(
                "ledger", .disaster, accepting: .seconds(1 << 30), fenced: true, Spoken("activate", run: "other"))
            #expect(!report.split_brain_risk)
        }
        let found = try await round(world, ["east": world.east, "west": west], as: "agent-3")
        #expect(found.events.contains { $0.kind == .failed && $0.application == "ledger" })
        #expect(world.west.processes("pg") == 3 && world.east.processes("pg") == 0)
    }

    @Test func `G1 a last sync that is carried on after somebody started and stopped it again does not hold everything`() async throws {
        let rehearsal = try EngineWorld()
        try await rehearsal.engine().stop("ledger", Spoken("stop"))
        let counting = Breaker()
        try await rehearsal.engine(breaking: counting).migrate(["ledger"], final: true, Spoken("sync"))
        let position = try #require(counting.calls.firstIndex { $0.hasSuffix("/synced") }) + 1

        let world = try EngineWorld()
        try await world.engine().stop("ledger", Spoken("stop"))
        await #expect(throws: Killed.self) {
            try await world.engine(breaking: Breaker(at: position)).migrate(["ledger"], final: true, Spoken("sync"))
        }
        release(world)
        try await world.engine().restart("ledger", Spoken("restart", run: "other"))
        world.east.memory.write("two", to: "pg-data")
        try await world.engine().stop("ledger", Spoken("stop", run: "other"))
        release(world)
        // Its record is what it was.
        try await world.engine().migrate(["ledger"], final: true, Spoken("sync"))
        #expect(await expectError(.dataLoss) { try await world.engine().activate("ledger", .planned, Spoken("activate")) } != nil)
        try await world.engine().migrate(["ledger"], final: true, Spoken("again"))
        #expect(try await world.engine().activate("ledger", .planned, Spoken("anew")).rpo == .exact(.zero))
        #expect(world.west.memory.read("pg-data") == "two")
    }

    /// A planned activation that sleeps while its volumes are made.
    private func planned(_ meanwhile: @escaping @Sendable (EngineWorld) async throws -> Void) async throws -> (EngineWorld, DRError?) {
        let world = try EngineWorld()
        try await world.engine().stop("ledger", Spoken("stop"))
        try await world.engine().migrate(["ledger"], final: true, Spoken("sync"))
        let breaker = Breaker(pausingAt: 1, of: "materialise", watching: {}) {
            release(world)
            do { try await meanwhile(world) } catch { Issue.record(error) }
        }
        do {
            try await world.engine(breaking: breaker).activate("ledger", .planned, Spoken("activate"))
            return (world, nil)
        } catch let error as DRError {
            return (world, error)
        }
    }

    @Test func `G1 a planned move fences no source where somebody scaled it up while its volumes were made`() async throws {
        let scaled = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: pg, namespace: shop-db }\nspec: { replicas: 2 }\n"
        let (world, error) = try await planned { world in try world.east.add(scaled) }
        #expect(error?.code == .conflict && error?.message.contains("is running at east") == true)
        #expect(world.east.allDocuments[.application("ledger")]?["epoch"] == 1 && world.west.processes("pg") == 0)

        // Also between that look and the commit.
        let late = try EngineWorld()
        try await late.engine().stop("ledger", Spoken("stop"))
        try await late.engine().migrate(["ledger"], final: true, Spoken("sync"))
        let east = OvertakenCluster(base: late.east, before: "run-1/activate/fence") { try late.east.add(scaled) }
        let refused = await expectError(.conflict) {
            try await late.engine(["east": east, "west": late.west]).activate("ledger", .planned, Spoken("activate"))
        }
        #expect(refused != nil && late.west.processes("pg") == 0)
    }

    @Test func `G1 a planned move loses nothing that was written while its volumes were made`() async throws {
        let (world, error) = try await planned { world in
            try await world.engine().restart("ledger", Spoken("restart", run: "other"))
            world.east.memory.write("two", to: "pg-data")
            try await world.engine().stop("ledger", Spoken("stop", run: "other"))
        }
        #expect(error?.code == .dataLoss)
        #expect(world.east.allDocuments[.application("ledger")]?["epoch"] == 1 && world.west.processes("pg") == 0)
    }

    @Test(arguments: [true, false])
    func `G1 processes that a sleeper starts after it was moved or stopped are stopped by the sleeper`(moved: Bool) async throws {
        let world = try await copied()
        try await world.engine().stop("ledger", Spoken("stop"))
        release(world)
        let breaker = Breaker(pausingAt: 1, of: ".start ", watching: {}) {
            release(world)
            do {
                let engine = world.engine()
                if moved {
                    try await engine.activate("ledger", .disaster, accepting: .seconds(1 << 30), Spoken("activate", run: "other"))
                    // Deposes east, and sees that nothing runs there.
                    try await engine.migrate(["ledger"], reversed: true, Spoken("back", run: "other"))
                } else {
                    try await engine.stop("ledger", Spoken("stop", run: "other"))
                }
            } catch { Issue.record(error) }
        }
        let refused = await expectError(moved ? .fenced : .conflict) {
            try await world.engine(breaking: breaker).restart("ledger", Spoken("restart"))
        }
        #expect(refused != nil && world.east.processes("pg") == 0)
        #expect(world.west.processes("pg") == (moved ? 3 : 0))
        // What somebody started again meanwhile goes on.
        release(world)
        let cluster = moved ? world.west : world.east
        if !moved { try await world.engine().restart("ledger", Spoken("again", run: "third")) }
        #expect(cluster.processes("pg") == 3)
    }

    @Test func `G1 the risk stands while something that was scaled up again runs at the former site`() async throws {
        let world = try await copied()
        try await world.engine().activate("ledger", .disaster, Spoken("activate"))
        release(world)
        // The first copy dies when it has deposed east; then somebody scales it up.
        await #expect(throws: Killed.self) {
            try await world.engine(breaking: Breaker(at: 1, of: "/settled")).migrate(["ledger"], reversed: true, Spoken("back"))
        }
        release(world)
        try world.east.add("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: pg, namespace: shop-db }\nspec: { replicas: 3 }\n")
        try world.east.startAll()
        try await world.engine().migrate(["ledger"], reversed: true, Spoken("again", run: "other"))
        #expect(world.west.allDocuments[.application("ledger")]?["split_brain_risk"] == true)
        release(world)
        try world.east.add("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: pg, namespace: shop-db }\nspec: { replicas: 0 }\n")
        try await world.engine().migrate(["ledger"], reversed: true, Spoken("last", run: "other"))
        #expect(world.west.allDocuments[.application("ledger")]?["split_brain_risk"] == false)
    }

    @Test func `G1 a site that came back and has not heard that it lost the application is not patched`() async throws {
        let world = try await copied()
        try await world.engine().activate("ledger", .disaster, Spoken("activate"))
        release(world)
        let object = ObjectOrder(cluster: "east", kind: "StatefulSet", namespace: "shop-db", name: "pg")
        let order = PatchOrder(object: object, application: "ledger", patch: ["spec": ["replicas": 9]])
        #expect(await expectError(.fenced) { try await world.engine().patch(order, Spoken("patch", run: "late").call) } != nil)
        #expect(try world.east.replicas("StatefulSet", "pg") == 3)
    }
}
