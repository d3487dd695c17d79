import DRModel
import DRReplication
import DRSimulation
import Testing

struct PlanTests {
    /// An engine whose changes go nowhere.
    private func planning(_ world: EngineWorld) -> ReplicationEngine {
        let clock = VirtualClock(world.clock.now())
        return world.engine(Overlay(clusters: world.clusters, clock: clock).clusters, clock: clock)
    }

    /// Everything there is, records and stores included.
    private func everything(_ world: EngineWorld) -> String {
        let clusters = [world.east, world.west].map { cluster in
            let documents = cluster.allDocuments.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.json())" }
            return "\(cluster.observable) \(cluster.commits) \(cluster.memory.left) \(cluster.processes("pg")) \(documents)"
        }
        return clusters.joined() + "\(world.vault.count)"
    }

    @Test(arguments: Operation.all)
    func `G4 a plan changes nothing and its effects are the run's`(operation: Operation) async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await operation.before(world, engine)
        try await engine.release(run: "before")
        let before = everything(world)
        let planned = Spoken("it", run: "plan")
        #expect(try await operation.perform(planning(world), planned))
        #expect(everything(world) == before)
        #expect(try await world.east.locks().isEmpty)
        #expect(try await world.west.locks().isEmpty)
        let run = Spoken("it", run: "run")
        #expect(try await operation.perform(world.engine(), run))
        #expect(planned.texts == run.texts)
        #expect(!run.texts.isEmpty)
    }

    @Test func `G4 a plan of a whole round trip builds on its own steps`() async throws {
        let world = try EngineWorld()
        let before = everything(world)
        let plan = planning(world)
        var planned: [String] = []
        var run: [String] = []
        for (engine, keep) in [(plan, true), (world.engine(), false)] {
            var effects: [String] = []
            for application in ["ledger", "storefront"] as [ApplicationName] {
                effects += try await engine.move(application, run: "there").1
            }
            for application in ["storefront", "ledger"] as [ApplicationName] {
                effects += try await engine.move(application, reversed: true, run: "back").1
            }
            if keep {
                planned = effects
                #expect(everything(world) == before)
            } else {
                run = effects
            }
        }
        #expect(planned == run)
        #expect(planned.count > 30)
    }

    @Test func `G4 what would refuse the run refuses the plan`() async throws {
        let world = try EngineWorld()
        try await world.west.lock("ledger", for: LockHolder(run: "other", runbook: "o.lua", host: "there", process: 7))
        #expect(await expectError(.locked) { try await planning(world).stop("ledger", Spoken("stop", run: "plan")) } != nil)
        try await world.west.unlock(run: "other")
        #expect(
            await expectError(.conflict) { try await planning(world).migrate(["ledger"], final: true, Spoken("sync", run: "plan")) } != nil)
        #expect(
            await expectError(.noRecoveryPoint) { try await planning(world).activate("ledger", .disaster, Spoken("go", run: "plan")) }
                != nil)
        world.east.memory.remove("pg-data")
        #expect(await expectError(.volumeMissing) { try await planning(world).migrate(["ledger"], Spoken("copy", run: "plan")) } != nil)
        world.east.memory.write("one", to: "pg-data")
        world.vault.goAway()
        #expect(await expectError(.storeUnreachable) { try await planning(world).migrate(["ledger"], Spoken("copy", run: "plan")) } != nil)
        world.east.goAway()
        #expect(await expectError(.sourceUnreachable) { try await planning(world).migrate(["ledger"], Spoken("copy", run: "plan")) } != nil)
    }

    @Test func `A plan's figures are marked as estimates, and waiting takes no time`() async throws {
        let world = try EngineWorld()
        let report = try await planning(world).migrate(["ledger"], Spoken("copy", run: "plan"))
        #expect(report.predicted)
        #expect(report.applications["ledger"]?.bytes_sent == ByteCount(3))
        #expect(try await !world.engine().migrate(["ledger"], Spoken("copy")).predicted)
        let clock = VirtualClock(Instant(nanosecondsSince1970: 0))
        try await clock.sleep(for: .seconds(3600))
        #expect(clock.now() == Instant(nanosecondsSince1970: 3_600_000_000_000))
    }

    @Test func `G9 a plan of a disaster touches neither source nor store`() async throws {
        let world = try EngineWorld()
        try await world.engine().migrate(["ledger"], Spoken("copy"))
        world.west.set { $0.locks = [:] }
        let clock = VirtualClock(world.clock.now())
        let clusters = Overlay(clusters: ["east": BlackHole(name: "east"), "west": world.west], clock: clock).clusters
        let report = try await world.engine(clusters, clock: clock).activate("ledger", .disaster, Spoken("go", run: "plan"))
        #expect(report.changed && report.active_at == "west")
    }
}
