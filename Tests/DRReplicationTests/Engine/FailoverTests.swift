import DRModel
import DRReplication
import DRSimulation
import Testing

struct FailoverTests {
    @Test func `A planned failover loses nothing, in the order stop, sync, fence, activate, start`() async throws {
        let world = try EngineWorld()
        let (report, effects) = try await world.engine().move("ledger")
        #expect(report.active_at == "west")
        #expect(report.epoch == Epoch(2))
        #expect(report.rpo == .exact(.zero))
        #expect(report.changed && !report.split_brain_risk)
        #expect(report.verified_at == world.clock.now())
        #expect(
            effects == [
                "suspend CronJob shop-db/vacuum @east", "scale StatefulSet shop-db/pg 3->0 @east",
                "capture PersistentVolume pg-data rp#1 @east",
                "publish RecoveryPoint ledger rp#1 @west", "materialise PersistentVolume pg-data rp#1 @west",
                "fence Application ledger @east",
                "create PersistentVolume pg-data @west", "create PersistentVolumeClaim shop-db/pg-data @west",
                "create StatefulSet shop-db/pg @west", "create CronJob shop-db/asleep @west", "create CronJob shop-db/vacuum @west",
                "swap PersistentVolume pg-data @west", "activate Application ledger @west", "scale StatefulSet shop-db/pg 0->3 @west",
                "resume CronJob shop-db/vacuum @west",
            ])
        #expect(world.west.memory.read("pg-data") == "one")
        #expect(world.west.processes("pg") == 3)
        #expect(world.east.processes("pg") == 0)
        #expect(try world.west.text("StatefulSet", "pg") == EngineWorld().east.text("StatefulSet", "pg"))
        #expect(world.west.text("Pod", "pg-0") == nil)
        #expect(world.west.text("ConfigMap", "kube-root-ca.crt") == nil)
        #expect(world.west.text("CronJob", "asleep")?.contains("suspend: true") == true)
        #expect(world.east.memory.left == 0)
        #expect(world.west.memory.left == 0)
        #expect(try await world.west.locks().isEmpty)
    }

    @Test func `A failback brings home what was written meanwhile, and the manifests as they were`() async throws {
        let world = try EngineWorld()
        let before = world.east.text("StatefulSet", "pg")
        let engine = world.engine()
        try await engine.move("ledger", run: "there")
        world.west.memory.write("two", to: "pg-data")
        let (report, effects) = try await engine.move("ledger", reversed: true, run: "back")
        #expect(report.active_at == "east")
        #expect(report.epoch == Epoch(3))
        #expect(report.rpo == .exact(.zero))
        #expect(world.east.memory.read("pg-data") == "two")
        #expect(world.east.text("StatefulSet", "pg") == before)
        #expect(world.east.text("Pod", "pg-0") != nil)
        #expect(try world.west.replicas("StatefulSet", "pg") == 0)
        #expect(effects.contains("fence Application ledger @west"))
        #expect(!effects.contains { $0.hasPrefix("create") })
    }

    @Test func `Going where it is already is no change and no error`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.move("ledger", run: "first")
        let before = world.observable
        let again = Spoken("again", run: "second")
        let report = try await engine.activate("ledger", .planned, again)
        #expect(!report.changed)
        #expect(again.texts.isEmpty)
        let home = try await engine.activate("storefront", .planned, reversed: true, Spoken("home", run: "second"))
        #expect(!home.changed && home.active_at == "east")
        #expect(world.observable == before)
    }

    @Test func `Objects the point lacks are removed where we made them, and only there`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.move("storefront", run: "there")
        try world.west.add("apiVersion: v1\nkind: Secret\nmetadata: { name: foreign, namespace: shop-web }\n")
        try await engine.move("storefront", reversed: true, run: "back")
        world.east.set { state in state.objects = state.objects.filter { $0.key.kind != "Service" } }
        let (_, effects) = try await engine.move("storefront", run: "there-again")
        #expect(effects.contains("delete Service shop-web/web @west"))
        #expect(world.west.text("Service", "web") == nil)
        #expect(world.west.text("Secret", "foreign") != nil)
    }

    @Test func `A foreign object refuses the activation and leaves everything as it was`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.stop("ledger", Spoken("stop"))
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        try world.west.add("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: pg, namespace: shop-db }\nspec: { replicas: 1 }\n")
        let before = world.observable
        let spoken = Spoken("activate")
        let error = await expectError(.foreignObject) { try await engine.activate("ledger", .planned, spoken) }
        #expect(error?.message == "west already has StatefulSet shop-db/pg, which ledger did not make; nothing was changed")
        #expect(spoken.texts.isEmpty)
        #expect(world.observable == before)
    }

    @Test func `A foreign volume without an object stands in the way, too`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.stop("ledger", Spoken("stop"))
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        world.west.memory.write("somebody's", to: "pg-data")
        #expect(await expectError(.foreignObject) { try await engine.activate("ledger", .planned, Spoken("activate")) } != nil)
        #expect(world.west.memory.read("pg-data") == "somebody's")
    }

    @Test func `A planned activation wants a stopped source and its last sync`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.migrate(["ledger"], Spoken("early"))
        #expect(await expectError(.conflict) { try await engine.activate("ledger", .planned, Spoken("running")) } != nil)
        #expect(await expectError(.conflict) { try await engine.migrate(["ledger"], final: true, Spoken("final")) } != nil)
        world.east.memory.write("two", to: "pg-data")
        try await engine.stop("ledger", Spoken("stop"))
        #expect(await expectError(.dataLoss) { try await engine.activate("ledger", .planned, Spoken("unsynced")) } != nil)
        // A last sync from before it ran again is none.
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        try await engine.restart("ledger", Spoken("restart"))
        world.east.memory.write("three", to: "pg-data")
        try await engine.stop("ledger", Spoken("stop-again"))
        world.clock.advance(by: .seconds(60))
        #expect(await expectError(.dataLoss) { try await engine.activate("ledger", .planned, Spoken("stale")) } != nil)
        let report = try await engine.activate("ledger", .planned, accepting: .seconds(3600), Spoken("accepted"))
        #expect(report.rpo == .atMost(.seconds(60)))
        #expect(world.west.memory.read("pg-data") == "two")
    }

    @Test func `What somebody scaled by hand after the stop is running, and its last sync is none`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        let running = try #require(world.east.text("StatefulSet", "pg"))
        try await engine.stop("ledger", Spoken("stop"))
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        try world.east.add(running)
        let error = await expectError(.conflict) { try await engine.activate("ledger", .planned, Spoken("go")) }
        #expect(
            error?.message
                == "ledger is running at east (StatefulSet shop-db/pg): a planned activation needs it stopped there")
        #expect(await expectError(.conflict) { try await engine.migrate(["ledger"], final: true, Spoken("sync-2")) } != nil)
        let live = try await engine.migrate(["ledger"], Spoken("copy"))
        #expect(live.applications["ledger"]?.consistency == .crash)
        world.east.memory.write("written by hand", to: "pg-data")
        #expect(try await engine.stop("ledger", Spoken("stop-2")).changed)
        #expect(await expectError(.dataLoss) { try await engine.activate("ledger", .planned, Spoken("go-2")) } != nil)
        #expect(
            await expectError(.dataLoss) {
                try await engine.activate("ledger", .planned, point: "ledger-e1-g1", Spoken("go-3"))
            } != nil)
    }

    @Test func `A restart that was cut off counts as running: its last sync is none any more`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        let before = world.east.text("StatefulSet", "pg")
        try await engine.stop("ledger", Spoken("stop"))
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        world.east.set { $0.slowness = 1000 }
        #expect(await expectError(.timeout) { try await engine.restart("ledger", Spoken("restart")) } != nil)
        world.east.memory.write("written meanwhile", to: "pg-data")
        #expect(
            await expectError(.conflict) { try await engine.activate("ledger", .planned, accepting: .seconds(3600), Spoken("go")) } != nil)
        #expect(await expectError(.conflict) { try await engine.migrate(["ledger"], final: true, Spoken("sync-2")) } != nil)
        // Stopped once more, everything that was held is held, and comes back.
        try await engine.stop("ledger", Spoken("stop-2"))
        #expect(await expectError(.dataLoss) { try await engine.activate("ledger", .planned, Spoken("go-2")) } != nil)
        world.east.set { $0.slowness = 0 }
        try await engine.restart("ledger", Spoken("restart-2"))
        #expect(world.east.text("StatefulSet", "pg") == before)
        #expect(world.east.text("CronJob", "vacuum")?.contains("suspend: false") == true)
        #expect(try await !engine.restart("ledger", Spoken("restart-3")).changed)
    }

    @Test func `An unreachable source refuses a planned move and changes nothing`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.migrate(["ledger"], Spoken("copy"))
        world.east.goAway()
        let before = world.west.observable
        #expect(await expectError(.sourceUnreachable) { try await engine.stop("ledger", Spoken("stop")) } != nil)
        #expect(await expectError(.sourceUnreachable) { try await engine.migrate(["ledger"], Spoken("again")) } != nil)
        #expect(await expectError(.sourceUnreachable) { try await engine.activate("ledger", .planned, Spoken("activate")) } != nil)
        #expect(world.west.observable == before)
    }

    @Test func `An unreachable destination is named as itself`() async throws {
        let world = try EngineWorld()
        world.west.goAway()
        let error = await expectError(.clusterUnreachable) { try await world.engine().stop("ledger", Spoken("stop")) }
        #expect(error?.message.contains("west") == true)
    }

    @Test func `A start that takes too long says so, stays where it is, and is carried on by another run`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.stop("ledger", Spoken("stop"))
        try await engine.migrate(["ledger"], final: true, Spoken("sync"))
        world.west.set { $0.slowness = 1000 }
        let error = await expectError(.timeout) { try await engine.activate("ledger", .planned, Spoken("activate")) }
        #expect(error?.message.contains("StatefulSet shop-db/pg at west is starting") == true)
        let status = try await engine.status(of: ["ledger"], without: [], Spoken("status").call)
        #expect(status[0].active_at == "west" && status[0].running == false)
        try await engine.release(run: "run-1")
        world.west.set { $0.slowness = 0 }
        let report = try await engine.activate("ledger", .planned, Spoken("activate", run: "run-2"))
        #expect(report.changed)
        #expect(try await engine.status(of: ["ledger"], without: [], Spoken("status").call)[0].running == true)
    }
}
