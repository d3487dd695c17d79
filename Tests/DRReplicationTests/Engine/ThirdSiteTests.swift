import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// Two pairs over one application: a third site may have taken it over.
struct ThirdSiteTests {
    private let north: MemoryCluster
    private var world: EngineWorld

    init() throws {
        world = try EngineWorld()
        north = MemoryCluster("north", clock: world.clock)
        world.inventory.clusters.append("north")
        world.inventory.pairs += [
            ClusterPair(name: "east-north", source: "east", destination: "north", objectStore: "vault", bothWays: true),
            ClusterPair(name: "west-north", source: "west", destination: "north", objectStore: "vault", bothWays: true),
        ]
        world.inventory.schedules = []
    }

    private var engine: ReplicationEngine { world.engine(["east": world.east, "west": world.west, "north": north]) }

    private func release() { for cluster in [world.east, world.west, north] { cluster.set { $0.locks = [:] } } }

    private func migrate(_ pair: PairName, reversed: Bool = false, final: Bool = false, _ name: String) async throws {
        let order = MigrationOrder(pair: pair, reversed: reversed, applications: ["ledger"], final: final)
        _ = try await engine.migrate(order, Spoken(name).call)
        release()
    }

    private func activate(_ pair: PairName, _ mode: ActivationOrder.Mode, _ name: String) async throws -> ActivationReport {
        defer { release() }
        return try await engine.activate(
            ActivationOrder(pair: pair, reversed: false, application: "ledger", mode: mode, acceptedDataLoss: .seconds(1 << 30)),
            Spoken(name).call)
    }

    @Test func `G1 what a third site took over goes live nowhere else, in no mode and by no pair, while that site answers`() async throws {
        try await migrate("east-west", "one")
        try await migrate("east-north", "two")
        #expect(try await activate("east-north", .disaster, "north").epoch == Epoch(2))
        let disaster = await expectError(.fenced) { try await activate("east-west", .disaster, "west") }
        #expect(disaster?.message.contains("active at north since epoch 2") == true)
        #expect(await expectError(.fenced) { try await migrate("east-west", "late") } != nil)
        #expect(
            await expectError(.fenced) {
                try await engine.stop(ApplicationOrder(pair: "east-west", reversed: false, application: "ledger"), Spoken("stop").call)
            } != nil)
        #expect(world.west.processes("pg") == 0 && north.processes("pg") == 3)
        // A third site that does not answer keeps nothing down.
        north.goAway()
        release()
        #expect(try await activate("east-west", .disaster, "alone").active_at == "west")
    }

    @Test func `G1 a risk that was never settled goes along with a planned move to a third site`() async throws {
        try await migrate("east-west", "copy")
        #expect(try await activate("east-west", .disaster, "west").split_brain_risk)
        world.east.goAway()
        _ = try await engine.stop(ApplicationOrder(pair: "west-north", reversed: false, application: "ledger"), Spoken("stop").call)
        release()
        try await migrate("west-north", final: true, "sync")
        let moved = try await activate("west-north", .planned, "north")
        #expect(moved.split_brain_risk && moved.former == nil && moved.rpo == .exact(.zero))
        // East still runs it; the first copy there deposes it.
        world.east.goAway(false)
        #expect(world.east.processes("pg") == 3)
        try await migrate("east-north", reversed: true, "back")
        #expect(world.east.processes("pg") == 0)
        #expect(north.allDocuments[.application("ledger")]?["split_brain_risk"] == false)
    }

    @Test func `G1 an agent keeps its promise also where pairs do not agree on where the application is at home`() async throws {
        var world = try EngineWorld()
        world.inventory.pairs.append(ClusterPair(name: "west-east", source: "west", destination: "east", objectStore: "vault"))
        world.inventory.schedules = []
        func round(_ name: String) async throws -> AgentRound {
            try await world.engine().watch(
                "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken(name, run: try RunID(name)).call)
        }
        _ = try await round("agent-1")
        #expect(try await world.west.agentMark(of: "east")?.applications.contains("ledger") == true)
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        #expect(try await Set(round("agent-2").events.map(\.kind)) == [.selfFenced])
        #expect(world.east.processes("pg") == 0)
        world.west.goAway(false)
        #expect(try await Set(round("agent-3").events.map(\.kind)) == [.resumed])
    }
}
