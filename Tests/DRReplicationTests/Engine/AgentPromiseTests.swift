import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// What an agent promised stands until it is kept, the other cluster was told otherwise, or a person says so: whatever dr.yaml says by then.
extension AgentTests {
    /// An agent of east promised west to stop the shop within a minute, and died; the world as dr.yaml describes it to the next one is `changed`.
    private func promised(_ change: (inout EngineWorld) -> Void) async throws -> EngineWorld {
        var world = try await copied()
        _ = try await round(world, selfFence: .seconds(60), as: "agent-1")
        change(&world)
        return world
    }

    private func unpaired(_ world: inout EngineWorld) {
        world.inventory.pairs = []
        world.inventory.schedules = []
    }

    @Test(arguments: [Duration.seconds(600), nil])
    func `G1 a promise made before selfFence was lengthened or taken out of dr.yaml is kept in its own time`(selfFence: Duration?)
        async throws
    {
        let world = try await promised { _ in }
        world.west.goAway()
        // Somebody at west sees the silence begin.
        let lost = world.clock.now()
        world.west.set { $0.contacts["east"] = SiteContact(cluster: "east", reached: lost, silent: lost) }
        world.clock.advance(by: .seconds(50))
        #expect(try await round(world, selfFence: selfFence, as: "agent-2").events.isEmpty)
        world.clock.advance(by: .seconds(10))
        #expect(try await Set(round(world, selfFence: selfFence, as: "agent-3").events.map(\.kind)) == [.selfFenced])
        #expect(world.east.processes("pg") == 0 && world.east.processes("web") == 0)
        // What west relies on.
        world.west.goAway(false)
        #expect(try await !risk(world, after: .seconds(1)))
    }

    @Test func `G1 a promise to a cluster whose pair is taken out of dr.yaml is kept, or taken back where it is heard`() async throws {
        let world = try await promised(unpaired)
        world.west.goAway()
        world.clock.advance(by: .seconds(60))
        let late = try await round(world, as: "agent-2")
        #expect(late.events.contains { $0.kind == .selfFenced && $0.application == "ledger" } && late.silent == ["west"])
        #expect(world.east.processes("pg") == 0)

        let heard = try await promised(unpaired)
        #expect(try await round(heard, as: "agent-2").events.isEmpty)
        #expect(try await heard.west.agentMark(of: "east")?.lease == nil)
        heard.west.goAway()
        heard.clock.advance(by: .seconds(3600))
        #expect(try await round(heard, as: "agent-3").events.isEmpty && heard.east.processes("pg") == 3)
    }

    @Test func `G1 an agent that ends keeps what was promised to a cluster whose pair is taken out of dr.yaml`() async throws {
        let world = try await promised(unpaired)
        world.west.goAway()
        #expect(try await end(world).untold == ["west"])
        #expect(world.east.processes("pg") == 0)
    }

    @Test func `G1 a person's word starts again what was stopped for a cluster that dr.yaml no longer pairs`() async throws {
        let world = try await promised(unpaired)
        world.west.goAway()
        world.clock.advance(by: .seconds(60))
        _ = try await round(world, as: "agent-2")
        let events = try await world.engine().resumeAlone("east", reason: "west is gone", by: "alice", Spoken("resume", run: "person").call)
        #expect(Set(events.map(\.kind)) == [.resumed] && world.east.processes("pg") == 3)
        world.clock.advance(by: .seconds(3600))
        #expect(try await round(world, as: "agent-3").events.isEmpty && world.east.processes("pg") == 3)
    }

    @Test func `G1 a promise is noted before it is made, so that whoever comes after a crash knows of it`() async throws {
        let world = try await copied()
        let noted = Lock(0)
        var east = AilingCluster(world.east)
        // It dies when it was heard, and before it noted that.
        east.notes = { _ in
            let number = noted.withLock { noted in
                noted += 1
                return noted
            }
            if number == 2 { throw Killed() }
        }
        await #expect(throws: Killed.self) {
            try await world.engine(["east": east, "west": world.west]).watch(
                "east", selfFence: .seconds(60), every: .seconds(10), contacts: nil, Spoken("agent-1", run: "agent-1").call)
        }
        #expect(try await world.west.agentMark(of: "east")?.lease == .seconds(60))
        world.west.goAway()
        world.clock.advance(by: .seconds(60))
        #expect(try await Set(round(world, as: "agent-2").events.map(\.kind)) == [.selfFenced])
    }

    @Test func `G1 what cannot be noted is not promised`() async throws {
        let world = try await copied()
        var east = AilingCluster(world.east)
        east.notes = { _ in throw DRError(.io, "the disk is full") }
        let found = try await world.engine(["east": east, "west": world.west]).watch(
            "east", selfFence: .seconds(60), every: .seconds(10), contacts: nil, Spoken("agent-1", run: "agent-1").call)
        #expect(found.events.map(\.kind) == [.failed] && found.silent.isEmpty)
        #expect(try await world.west.agentMark(of: "east")?.lease == nil)
    }

    @Test func `G12 a promise of an application that dr.yaml no longer names is told to be one that nobody can keep`() async throws {
        let world = try await promised { $0.inventory.applications.removeAll { $0.name == "ledger" } }
        world.west.goAway()
        world.clock.advance(by: .seconds(60))
        let found = try await round(world, as: "agent-2")
        #expect(found.events.map(\.kind) == [.failed, .selfFenced] && found.events.map(\.application) == ["ledger", "storefront"])
        #expect(found.events.first?.message.contains("put it back until west was told") == true)
    }

    @Test func `G1 the clock of an agent's machine that is set back does not put off what was promised`() async throws {
        let world = try await copied()
        let clock = SetClock(world.clock)
        let engine = world.engine(clock: clock)
        func round(_ name: String, _ contacts: [ClusterName: Instant]?) async throws -> AgentRound {
            try await engine.watch(
                "east", selfFence: .seconds(60), every: .seconds(10), contacts: contacts, Spoken(name, run: try RunID(name)).call)
        }
        let first = try await round("agent-1", nil)
        world.west.goAway()
        world.clock.advance(by: .seconds(30))
        clock.set(by: .seconds(-3600))
        let second = try await round("agent-2", first.contacts)
        #expect(second.events.isEmpty)
        world.clock.advance(by: .seconds(30))
        #expect(try await Set(round("agent-3", second.contacts).events.map(\.kind)) == [.selfFenced])
    }

    @Test func `G1 an agent whose machine stood still for longer than it promised stops what it promised at once`() async throws {
        let world = try await copied()
        let clock = SetClock(world.clock)
        let engine = world.engine(clock: clock)
        let first = try await engine.watch(
            "east", selfFence: .seconds(60), every: .seconds(10), contacts: nil, Spoken("agent-1", run: "agent-1").call)
        world.west.goAway()
        // What passed meanwhile is known by the time of day alone.
        clock.set(by: .seconds(600))
        let second = try await engine.watch(
            "east", selfFence: .seconds(60), every: .seconds(10), contacts: first.contacts, Spoken("agent-2", run: "agent-2").call)
        #expect(Set(second.events.map(\.kind)) == [.selfFenced])
    }

    @Test func `G1 a destination whose clock is set ahead while it waits for a promise waits for it all the same`() async throws {
        let world = try await copied()
        let began = world.clock.now()
        _ = try await round(world, as: "agent-1")
        world.east.goAway()
        let clock = SetClock(world.clock)
        let engine = world.engine(clock: clock)
        clock.onSleep { clock in clock.set(by: .seconds(3600)) }
        let report = try await engine.activate("ledger", .disaster, accepting: .seconds(1 << 30), Spoken("activate"))
        #expect(!report.split_brain_risk && world.clock.now() >= began + .seconds(300) + AgentMark.grace)
    }

    @Test func `G1 a cluster that answers with an error is not silent, and its agent's old mark no promise`() async throws {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        _ = try await round(world, at: "west", as: "west-1")
        // Its disk is full, and its agent died of it.
        var east = AilingCluster(world.east)
        east.notes = { _ in throw DRError(.io, "the disk is full") }
        for number in 2...20 {
            world.clock.advance(by: .seconds(10))
            _ = try await world.engine(["east": east, "west": world.west]).watch(
                "west", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken("w", run: try RunID("west-\(number)")).call)
        }
        release(world)
        #expect(try await world.engine().activate("ledger", .disaster, accepting: .seconds(1 << 30), Spoken("activate")).split_brain_risk)
    }
}

/// Two clocks, one of which somebody sets.
private final class SetClock: WallClock {
    private let base: VirtualClock
    private let state = Lock<(offset: Duration, sleeping: (@Sendable (SetClock) -> Void)?)>((.zero, nil))

    init(_ base: VirtualClock) { self.base = base }

    func set(by offset: Duration) { state.withLock { $0.offset += offset } }
    /// Once, at the first sleep.
    func onSleep(_ event: @escaping @Sendable (SetClock) -> Void) { state.withLock { $0.sleeping = event } }
    func now() -> Instant { base.now() + state.withLock { $0.offset } }
    func uptime() -> Duration { base.uptime() }
    func sleep(for duration: Duration) async throws {
        let event = state.withLock { state in
            defer { state.sleeping = nil }
            return state.sleeping
        }
        event?(self)
        try await base.sleep(for: duration)
    }
}
