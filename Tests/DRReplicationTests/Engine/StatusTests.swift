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
        #expect(fresh.active_at == "east" && fresh.epoch == .first && fresh.running == true && !fresh.protected)
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

    @Test func `After a planned move the old home is fenced, and nothing protects the new one`() async throws {
        let world = try EngineWorld()
        try await world.engine().move("ledger")
        let moved = try await status(world)
        #expect(moved.active_at == "west" && moved.epoch == Epoch(2) && moved.running == true && !moved.protected)
        #expect(moved.clusters == ["east": "fenced", "west": "active"])
    }

    @Test func `Stopped is active and not running`() async throws {
        let world = try EngineWorld()
        try await world.engine().stop("ledger", Spoken("stop"))
        let stopped = try await status(world)
        #expect(stopped.active_at == "east" && stopped.running == false)
    }

    @Test func `G12 a cluster that does not answer is unknown, not fenced`() async throws {
        let world = try EngineWorld()
        world.east.goAway()
        let seen = try await status(world)
        #expect(seen.clusters == ["east": "unknown, not fenced", "west": "standby"])
        #expect(seen.running == nil)
        world.west.goAway()
        let blind = try await status(world)
        #expect(blind.active_at == nil && blind.clusters == ["east": "unknown, not fenced", "west": "unknown, not fenced"])
    }

    @Test func `G1 G12 a source that is back and was not fenced is called that until it was seen fenced`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        try await engine.migrate(["ledger"], Spoken("copy", run: "before"))
        try await engine.release(run: "before")
        try await engine.activate("ledger", .disaster, Spoken("activate", run: "there"))
        try await engine.release(run: "there")
        let open = try await status(world)
        #expect(open.clusters == ["east": "back, not fenced", "west": "active"] && open.split_brain_risk)
        try await engine.migrate(["ledger"], reversed: true, Spoken("back", run: "back"))
        #expect(try await status(world).clusters == ["east": "fenced", "west": "active"])
    }

    @Test func `G12 a cluster that could not be asked whether anything runs there is neither running nor stopped`() async throws {
        let world = try EngineWorld()
        try await world.engine().move("ledger")
        world.west.goAway()
        let blind = try await status(world)
        #expect(blind.active_at == "west" && blind.running == nil)
        #expect(blind.clusters == ["east": "fenced", "west": "unknown, not fenced"])
    }

    @Test func `G1 where dr.yaml says selfFence and no agent works, status says that nothing stops the application`() async throws {
        var world = try EngineWorld()
        world.selfFence = ["east": .seconds(300)]
        #expect(
            try await status(world).problems == [
                "dr.yaml says that east stops it after 5m without its peers, and no agent of it was ever seen: start `drrunbook agent east`"
            ])
        _ = try await world.engine().watch(
            "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken("agent", run: "agent-1").call)
        #expect(try await status(world).problems == nil)
        world.clock.advance(by: .seconds(51))
        let began = world.clock.now() + .seconds(-51)
        #expect(try await status(world).problems?.first?.contains("its agent was last seen at \(began)") == true)
        _ = try await world.engine().endAgent("east", Spoken("end", run: "agent-end").call) { _ in }
        #expect(try await status(world).problems?.first?.contains("its agent ended at") == true)
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
