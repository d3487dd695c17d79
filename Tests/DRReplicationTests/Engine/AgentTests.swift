import DRModel
import DRReplication
import DRSimulation
import Testing

/// The agent at a cluster's side: what lives elsewhere is stopped there, and so is what may.
struct AgentTests {
    private func round(
        _ world: EngineWorld, selfFence: Duration? = .seconds(300), contact: Instant? = nil,
        as name: String
    ) async throws -> AgentRound {
        try await world.engine().watch("east", selfFence: selfFence, contact: contact, Spoken(name, run: try RunID(name)).call)
    }

    /// Whatever a run of another engine held.
    private func release(_ world: EngineWorld) { for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } } }

    private func copied() async throws -> EngineWorld {
        let world = try EngineWorld()
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
        release(world)
        return world
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
        let contact = try await round(world, as: "agent-1").contact
        world.west.goAway()
        world.clock.advance(by: .seconds(299))
        let early = try await round(world, contact: contact, as: "agent-2")
        #expect(early.events.isEmpty && early.silent == ["west"] && early.contact == contact)
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
        #expect(try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call)[0].running)
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
        _ = try await world.engine().watch("east", selfFence: .seconds(300), contact: nil, Spoken("agent", run: "agent-1").call)
        try SystemStoreIO().rename(world["east"], world["gone"], .keep)
        let report = try await world.engine().activate("ledger", .disaster, Spoken("activate"))
        #expect(!report.split_brain_risk)
        #expect(report.ready_at >= promised + .seconds(300) + AgentMark.grace)
    }

    @Test func `G1 an agent that was silent long before the last copy promises nothing`() async throws {
        let world = try FolderWorld()
        _ = try await world.engine().watch("east", selfFence: .seconds(300), contact: nil, Spoken("agent", run: "agent-1").call)
        try await world.clock.sleep(for: .seconds(3600))
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
        try await world.engine().release(run: "before")
        try SystemStoreIO().rename(world["east"], world["gone"], .keep)
        #expect(try await world.engine().activate("ledger", .disaster, Spoken("activate")).split_brain_risk)
    }
}
