import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// An agent that is told to end leaves no promise that nobody keeps.
extension AgentTests {
    @Test func `G1 an agent that ends cut off stops what the other cluster relies on, so that a disaster there carries no risk`()
        async throws
    {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        let before = world.clock.now()
        let (untold, told) = try await end(world)
        #expect(untold == ["west"] && told.map(\.kind) == [.ending, .kept, .kept])
        #expect(world.clock.now() - before >= ReplicationEngine.lastWords)
        #expect(world.east.processes("pg") == 0 && world.east.processes("web") == 0)
        world.west.goAway(false)
        #expect(try await !risk(world, after: .seconds(1)))
        #expect(world.east.processes("pg") == 0 && world.west.processes("pg") == 3)
    }

    @Test func `G1 an agent that ends waits no longer for an answer than its promise allows`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        let promised = world.clock.now() + .seconds(300)
        world.west.goAway()
        world.clock.advance(by: .seconds(296))
        _ = try await end(world)
        #expect(world.clock.now() <= promised + .seconds(1) && world.east.processes("pg") == 0)
    }

    @Test func `An agent that ends in a short interruption takes its promise back when that is over, and stops nothing`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        let clock = InterruptedClock(base: world.clock) { world.west.goAway(false) }
        let untold = try await world.engine(clock: clock).endAgent(
            "east", Spoken("end", run: "agent-end").call
        ) { _ in }
        #expect(untold.isEmpty && world.east.processes("pg") == 3)
        #expect(try await world.west.agentMark(of: "east")?.lease == nil)
    }

    @Test func `An agent whose promise was never heard stops nothing when it ends`() async throws {
        let world = try await copied()
        world.west.goAway()
        _ = try await round(world, as: "agent-1")
        #expect(try await end(world).untold.isEmpty)
        #expect(world.east.processes("pg") == 3)
    }

    @Test func `G1 an agent that ends keeps also what a former self that died had promised`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        _ = try await round(world, as: "agent-2")
        #expect(try await end(world).untold == ["west"])
        #expect(world.east.processes("pg") == 0)
    }

    @Test func `G1 an agent that ends tries until what it promised to stop has stopped, whatever fails first, and says what did`()
        async throws
    {
        var (position, failed) = (1, 0)
        while true {
            let world = try await copied()
            _ = try await round(world, as: "agent-1")
            world.west.goAway()
            let breaker = Breaker(at: position, failing: DRError(.io, "the disk is full"), after: position % 2 == 0)
            let told = Lock<[AgentRound.Event]>([])
            let untold = try await world.engine(breaking: breaker).endAgent(
                "east", Spoken("end", run: "agent-end").call
            ) { event in told.withLock { $0.append(event) } }
            #expect(untold == ["west"])
            #expect(world.east.processes("pg") == 0 && world.east.processes("web") == 0, "failing at call \(position)")
            let kinds = told.withLock { $0.map(\.kind) }
            if kinds.contains(.failed) { failed += 1 }
            if breaker.calls.count < position { break }
            position += 1
        }
        #expect(failed > 10)
    }

    @Test func `What an agent stopped as it ended is started by the next one when all answer and nobody took it over`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        _ = try await end(world)
        #expect(try await round(world, as: "agent-2").events.isEmpty)
        world.west.goAway(false)
        #expect(try await Set(round(world, as: "agent-3").events.map(\.kind)) == [.resumed])
        #expect(world.east.processes("pg") == 3)
    }

    @Test func `G12 why there is no risk is said: seen stopped and fenced, somebody's word, the promise of an agent`() async throws {
        let planned = try await copied()
        #expect(try await planned.engine().move("ledger").0.former == .fenced)
        let said = try await copied()
        #expect(try await said.engine().activate("ledger", .disaster, fenced: true, Spoken("activate")).former == .said)
        let nobody = try await copied()
        #expect(try await nobody.engine().activate("ledger", .disaster, Spoken("activate")).former == nil)
        let promised = try await copied()
        _ = try await round(promised, as: "agent-1")
        promised.east.goAway()
        let report = try await promised.engine().activate("ledger", .disaster, Spoken("activate"))
        #expect(report.former == .agent && !report.split_brain_risk)
    }

    @Test func `G12 a move that another run brings to its end keeps the reason why there is no risk`() async throws {
        let world = try await copied()
        world.west.set { $0.slowness = 10_000 }
        let failed = await expectError(.timeout) {
            try await world.engine().activate("ledger", .disaster, fenced: true, Spoken("activate"))
        }
        #expect(failed != nil)
        world.west.set { $0.slowness = 0 }
        release(world)
        let report = try await world.engine().activate("ledger", .disaster, Spoken("again", run: "other"))
        #expect(report.changed && report.former == .said)
    }

    @Test func `G1 several applications of one disaster rely on one promise`() async throws {
        let world = try await copied()
        try await world.engine().migrate(["storefront"], Spoken("copy", run: "before"))
        _ = try await round(world, as: "agent-1")
        world.east.goAway()
        release(world)
        let engine = world.engine()
        #expect(try await !engine.activate("ledger", .disaster, Spoken("first")).split_brain_risk)
        #expect(try await !engine.activate("storefront", .disaster, Spoken("second")).split_brain_risk)
    }

    @Test func `G12 the status of what an agent stopped says so, and names the agent that is to start it`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        _ = try await end(world)
        func status() async throws -> ApplicationStatus {
            try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0]
        }
        let stopped = try await status()
        #expect(stopped.self_fenced != nil && stopped.running == false)
        let problem = stopped.problems?.first { $0.contains("stopped at east by its agent") }
        #expect(
            problem?.contains("its agent ended at ") == true
                && problem?.contains(": `drrunbook agent east` starts it when all answer") == true, "\(stopped)")
        world.west.goAway(false)
        _ = try await round(world, as: "agent-2")
        release(world)
        #expect(try await status().self_fenced == nil)
        try await world.engine().stop("ledger", Spoken("stop"))
        #expect(try await status().self_fenced == nil)
    }

    @Test func `G1 what an agent stopped is started by nobody else while a cluster that relies on it may have gone live`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        _ = try await end(world)
        release(world)
        // To whoever cannot see the other one it is live at east, and only stopped.
        let refused = await expectError(.notAllowed) {
            try await world.engine().activate("ledger", .disaster, reversed: true, accepting: .seconds(1 << 30), Spoken("back"))
        }
        #expect(refused?.hint?.contains("drrunbook agent east --resume --reason TEXT --yes") == true)
        #expect(world.east.processes("pg") == 0)
    }
}

/// At the first sleep the interruption is over.
private struct InterruptedClock: WallClock {
    let base: VirtualClock
    let end: @Sendable () -> Void
    func now() -> Instant { base.now() }
    func sleep(for duration: Duration) async throws {
        end()
        try await base.sleep(for: duration)
    }
}
