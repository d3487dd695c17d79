import DRModel
import DRReplication
import DRSimulation
import Testing

struct DisasterTests {
    /// A world whose `ledger` was copied once, a minute ago.
    private func copied() async throws -> EngineWorld {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.migrate(["ledger"], Spoken("copy", run: "before"))
        try await engine.release(run: "before")
        world.clock.advance(by: .seconds(60))
        return world
    }

    @Test func `G9 a disaster failover touches neither the source nor the store, on a fresh engine`() async throws {
        let world = try await copied()
        let engine = ReplicationEngine(
            inventory: world.inventory, clusters: ["east": BlackHole(name: "east"), "west": world.west],
            stores: ["vault": BlackHoleStore(name: "vault")], clock: world.clock, random: CountingRandom(), executor: EngineWorld.executor)
        let checks = try await engine.checks(
            CheckOrder(pair: "east-west", applications: ["ledger"], skip: ["object-store-reachable": "gone, too"], withoutSource: true),
            Spoken("checks").call)
        #expect(!checks.contains { $0.state == .failed })
        let spoken = Spoken("activate")
        let report = try await engine.activate("ledger", .disaster, spoken)
        #expect(report.epoch == Epoch(2))
        #expect(report.rpo == .atMost(.seconds(60)))
        #expect(report.split_brain_risk)
        #expect(world.west.processes("pg") == 3)
        #expect(!spoken.texts.contains { $0.hasSuffix("@east") })
        let status = try await engine.status(of: ["ledger"], without: ["east"], Spoken("status").call)[0]
        #expect(status.active_at == "west" && status.running == true && status.split_brain_risk)
        #expect(status.clusters == ["east": "unknown, not fenced", "west": "active"])
        #expect(try await engine.recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("points").call).count == 1)
        try await engine.release(run: "run-1")
        #expect(try await world.west.locks().isEmpty)
    }

    @Test func `A source that a person says was cut off is no risk`() async throws {
        let world = try await copied()
        let report = try await world.engine().activate("ledger", .disaster, fenced: true, Spoken("activate"))
        #expect(!report.split_brain_risk)
    }

    @Test func `Data older than its target is refused until somebody accepts it, and nothing changes before`() async throws {
        let world = try await copied()
        world.clock.advance(by: .seconds(3600))
        let engine = world.engine()
        let before = world.observable
        let error = await expectError(.dataLoss) { try await engine.activate("ledger", .disaster, Spoken("activate")) }
        #expect(error?.message == "ledger-e1-g1 of ledger is 1h1m old: more than its RPO target of 15m")
        #expect(error?.hint == "accept_data_loss = \"63m\" says yes to it")
        #expect(
            await expectError(.dataLoss) { try await engine.activate("ledger", .disaster, accepting: .seconds(60), Spoken("little")) }
                != nil)
        #expect(world.observable == before)
        #expect(try await engine.activate("ledger", .disaster, accepting: .seconds(7200), Spoken("much")).rpo == .atMost(.seconds(3660)))
    }

    @Test func `I6 no recovery point, an unknown one and a fuzzy one are refused by name`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        #expect(await expectError(.noRecoveryPoint) { try await engine.activate("ledger", .disaster, Spoken("none")) } != nil)
        world.east.memory.beFuzzy()
        try await engine.migrate(["ledger"], Spoken("copy"))
        let unknown = await expectError(.notFound) {
            try await engine.activate("ledger", .disaster, point: "ledger-e1-g2", Spoken("unknown"))
        }
        #expect(unknown?.message.hasSuffix("ledger-e1-g2 of ledger (did you mean \"ledger-e1-g1\"?)") == true)
        #expect(await expectError(.dataLoss) { try await engine.activate("ledger", .disaster, Spoken("fuzzy")) } != nil)
        #expect(try await engine.activate("ledger", .disaster, fuzzy: true, Spoken("yes")).changed)
    }

    @Test func `G8 who is refused a fuzzy point is told which one is an instant`() async throws {
        let world = try await copied()
        let engine = world.engine()
        world.east.memory.beFuzzy()
        try await engine.migrate(["ledger"], Spoken("second"))
        let error = await expectError(.dataLoss) { try await engine.activate("ledger", .disaster, Spoken("fuzzy")) }
        #expect(error?.message.hasPrefix("ledger-e1-g2 is fuzzy") == true)
        #expect(
            error?.hint
                == "the newest that is an instant is ledger-e1-g1, 1m old: recovery_point = \"ledger-e1-g1\", or accept_fuzzy = true")
    }

    @Test func `G4 a plan takes a copy to be as fuzzy as the last one of a running application was`() async throws {
        let world = try EngineWorld()
        for (fuzzy, expected) in [(false, Consistency.crash), (true, .fuzzy)] {
            if fuzzy { world.east.memory.beFuzzy() }
            let engine = world.engine()
            try await engine.migrate(["ledger"], Spoken("copy-\(fuzzy)", run: "before"))
            try await engine.release(run: "before")
            let clock = VirtualClock(world.clock.now())
            let planned = Overlay(clusters: ["east": world.east, "west": world.west], clock: clock).clusters
            let plan = try await world.engine(planned, clock: clock).migrate(["ledger"], Spoken("plan"))
            #expect(plan.applications["ledger"]?.consistency == expected)
        }
    }

    @Test func `G1 I12 a source that returns is fenced, and stopped with the first copy it receives`() async throws {
        let world = try await copied()
        let engine = world.engine()
        try await engine.activate("ledger", .disaster, Spoken("activate", run: "disaster"))
        try await engine.release(run: "disaster")
        // It comes back and its processes still run.
        #expect(world.east.processes("pg") == 3)
        let status = try await engine.status(of: ["ledger"], without: [], Spoken("status").call)[0]
        #expect(status.clusters == ["east": "back, not fenced", "west": "active"])
        for attempt in ["migrate", "stop", "restart"] {
            let before = world.observable
            let error = await expectError(.fenced) {
                let spoken = Spoken(attempt, run: "stale")
                switch attempt {
                case "migrate": try await engine.migrate(["ledger"], spoken)
                case "stop": try await engine.stop("ledger", spoken)
                default: try await engine.restart("ledger", spoken)
                }
            }
            #expect(error?.message == "ledger is active at west since epoch 2; east holds epoch 1 and is fenced", "\(attempt)")
            #expect(error?.details == ["application": "ledger", "active": "west", "epoch": 2], "\(attempt)")
            #expect(world.observable == before)
        }
        try await engine.release(run: "stale")
        let spoken = Spoken("protect", run: "protect")
        try await engine.migrate(["ledger"], reversed: true, spoken)
        try await engine.release(run: "protect")
        #expect(
            spoken.texts == [
                "suspend CronJob shop-db/vacuum @east", "scale StatefulSet shop-db/pg 3->0 @east", "fence Application ledger @east",
                "capture PersistentVolume pg-data rp#1 @west", "publish RecoveryPoint ledger rp#1 @east",
            ])
        #expect(world.east.processes("pg") == 0)
        #expect(world.west.processes("pg") == 3)
        // And home again.
        world.west.memory.write("written at west", to: "pg-data")
        let (report, _) = try await engine.move("ledger", reversed: true, run: "back")
        #expect(report.epoch == Epoch(3) && report.rpo == .exact(.zero) && !report.split_brain_risk)
        #expect(world.east.memory.read("pg-data") == "written at west")
        #expect(world.east.processes("pg") == 3)
    }

    @Test func `G1 what a deposed source wrote by itself is kept when the application comes home, and only that`() async throws {
        let world = try await copied()
        let engine = world.engine()
        try await engine.activate("ledger", .disaster, Spoken("activate", run: "disaster"))
        try await engine.release(run: "disaster")
        world.east.memory.write("nobody else has this", to: "pg-data")
        let (_, effects) = try await engine.move("ledger", reversed: true, run: "back")
        let keeps = try #require(effects.firstIndex(of: "keep PersistentVolume pg-data divergent @east"))
        #expect(effects[keeps + 1] == "swap PersistentVolume pg-data @east")
        #expect(world.east.memory.kept == ["ledger-e1/pg-data": "nobody else has this"])
        #expect(world.east.memory.read("pg-data") == "one")
        // Planned moves leave nothing behind.
        for reversed in [false, true] {
            let (_, effects) = try await engine.move("ledger", reversed: reversed, run: reversed ? "home" : "there")
            #expect(!effects.contains { $0.hasPrefix("keep") })
        }
        #expect(world.east.memory.kept.count == 1 && world.west.memory.kept.isEmpty)
    }

    @Test func `G1 a disaster back home after a disaster knows from its points that it was deposed`() async throws {
        let world = try await copied()
        let engine = world.engine()
        try await engine.activate("ledger", .disaster, Spoken("activate", run: "one"))
        try await engine.migrate(["ledger"], reversed: true, Spoken("protect", run: "one"))
        try await engine.release(run: "one")
        world.west.goAway()
        world.east.memory.write("nobody else has this", to: "pg-data")
        let report = try await engine.activate("ledger", .disaster, reversed: true, Spoken("activate", run: "two"))
        #expect(world.east.memory.kept == ["ledger-e1/pg-data": "nobody else has this"])
        #expect(report.changed && report.epoch == Epoch(3) && report.active_at == "east")
    }
}
