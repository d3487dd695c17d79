import DRModel
import DRReplication
import DRSimulation
import Testing

struct StatusTests {
    private func status(_ world: EngineWorld, without: [ClusterName] = []) async throws -> ApplicationStatus {
        try await world.engine().status(of: ["ledger"], without: without, Spoken("status").call)[0]
    }

    @Test func `What was never moved is active at its pair's source, unprotected until it was copied`() async throws {
        let world = try EngineWorld()
        let fresh = try await status(world)
        #expect(fresh.active_at == "east" && fresh.epoch == .first && fresh.running && !fresh.protected)
        #expect(fresh.clusters == ["east": "active", "west": "standby"])
        #expect(fresh.rpo == nil && fresh.last_point == nil)
        try await world.engine().migrate(["ledger"], Spoken("copy"))
        world.clock.advance(by: .seconds(90))
        let copied = try await status(world)
        #expect(copied.protected && copied.rpo == .seconds(90) && copied.last_point == "ledger-e1-g1" && copied.schedule == "shop")
        #expect(copied.lock == "run-1")
    }

    @Test func `A suspended schedule protects nothing`() async throws {
        let world = try EngineWorld()
        try await world.engine().migrate(["ledger"], Spoken("copy"))
        _ = try await world.engine().setSuspended(true, schedule: "shop", Spoken("suspend").call)
        #expect(try await !status(world).protected)
    }

    @Test func `After a planned move the old home stands by, and nothing protects the new one`() async throws {
        let world = try EngineWorld()
        try await world.engine().move("ledger")
        let moved = try await status(world)
        #expect(moved.active_at == "west" && moved.epoch == Epoch(2) && moved.running && !moved.protected)
        #expect(moved.clusters == ["east": "standby", "west": "active"])
    }

    @Test func `Stopped is active and not running`() async throws {
        let world = try EngineWorld()
        try await world.engine().stop("ledger", Spoken("stop"))
        let stopped = try await status(world)
        #expect(stopped.active_at == "east" && !stopped.running)
    }

    @Test func `G12 a cluster that does not answer is unknown, not fenced`() async throws {
        let world = try EngineWorld()
        world.east.goAway()
        let seen = try await status(world)
        #expect(seen.clusters == ["east": "unknown, not fenced", "west": "standby"])
        #expect(!seen.running)
        world.west.goAway()
        let blind = try await status(world)
        #expect(blind.active_at == nil && blind.clusters == ["east": "unknown, not fenced", "west": "unknown, not fenced"])
    }

    @Test func `G8 unknown names are refused with the nearest one`() async throws {
        let engine = try EngineWorld().engine()
        let application = await expectError(.unknownName) { try await engine.status(of: ["leger"], without: [], Spoken("s").call) }
        #expect(application?.message == "there is no application \"leger\" (did you mean \"ledger\"?)")
        let pair = await expectError(.unknownName) {
            try await engine.stop(ApplicationOrder(pair: "eastwest", application: "ledger"), Spoken("s").call)
        }
        #expect(pair?.message == "there is no pair \"eastwest\" (did you mean \"east-west\"?)")
        let schedule = await expectError(.unknownName) { try await engine.setSuspended(true, schedule: "shp", Spoken("s").call) }
        #expect(schedule?.message == "there is no schedule \"shp\" (did you mean \"shop\"?)")
    }
}
