import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// A promise waits for nothing: what else goes wrong at the site keeps nothing from being stopped.
extension AgentTests {
    private func lateRound(
        _ world: EngineWorld, _ east: AilingCluster, _ others: [ClusterName: any Cluster] = [:]
    ) async throws -> AgentRound {
        var clusters: [ClusterName: any Cluster] = ["east": east, "west": world.west]
        clusters.merge(others) { $1 }
        return try await world.engine(clusters).watch(
            "east", selfFence: .seconds(300), every: .seconds(10), contacts: nil, Spoken("late", run: "late").call)
    }

    private func cutOff() async throws -> EngineWorld {
        let world = try await copied()
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        return world
    }

    @Test func `G1 what an agent cannot commit, on a disk that is full, is stopped all the same, fenced, and told`() async throws {
        let world = try await cutOff()
        var east = AilingCluster(world.east)
        east.commits = { throw DRError(.io, "the disk is full") }
        let found = try await lateRound(world, east)
        #expect(found.events.map(\.kind) == [.failed, .failed])
        #expect(world.east.processes("pg") == 0 && world.east.processes("web") == 0)
        #expect(east.fenced.withLock { $0.sorted() } == ["ledger", "storefront"])
        #expect(try await Set(round(world, as: "agent-2").events.map(\.kind)) == [.selfFenced])
    }

    @Test func `G1 an application whose snapshot rule does not let it go is stopped when its promise is due`() async throws {
        let world = try await cutOff()
        world.east.set { $0.onHold = ["ledger"] }
        var east = AilingCluster(world.east)
        east.letsGo = { throw DRError(.workloadFailed, "the rule failed") }
        _ = try await lateRound(world, east)
        #expect(world.east.processes("pg") == 0 && world.east.processes("web") == 0)
    }

    @Test func `G1 a damaged record at a cluster that answers keeps nothing from being stopped for one that does not`() async throws {
        var world = try await copied()
        let north = MemoryCluster("north", clock: world.clock)
        world.inventory.clusters.append("north")
        world.inventory.pairs.append(ClusterPair(name: "east-north", source: "east", destination: "north", objectStore: "vault"))
        world.inventory.schedules = []
        north.set { $0.documents[.application("ledger")] = "nonsense" }
        let east = AilingCluster(world.east)
        _ = try await lateRound(world, east, ["north": north])
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        let found = try await lateRound(world, east, ["north": north])
        #expect(found.events.contains { $0.kind == .selfFenced && $0.application == "ledger" })
        #expect(world.east.processes("pg") == 0)
    }

    @Test func `G1 several applications whose time is over are stopped side by side`() async throws {
        let world = try await cutOff()
        var east = AilingCluster(world.east)
        let stopping = Lock<Set<ObjectKey>>([])
        let met = Lock(false)
        east.stops = { object in
            stopping.withLock { stopping in
                stopping.insert(object.key)
                if stopping.count == 2 { met.withLock { $0 = true } }
            }
            for _ in 0..<1000 where !met.withLock({ $0 }) { await Task.yield() }
            stopping.withLock { _ = $0.remove(object.key) }
        }
        let found = try await lateRound(world, east)
        #expect(found.events.map(\.kind) == [.selfFenced, .selfFenced] && found.events.map(\.application) == ["ledger", "storefront"])
        #expect(met.withLock { $0 })
    }

    @Test func `G1 what does not stop by itself is fenced while whoever relies on it still waits`() async throws {
        var world = try await copied()
        for index in world.inventory.applications.indices { world.inventory.applications[index].ready = .seconds(3600) }
        _ = try await round(world, as: "agent-1")
        world.west.goAway()
        world.clock.advance(by: .seconds(300))
        let due = world.clock.now()
        let fencedAt = Lock<Instant?>(nil)
        var east = AilingCluster(world.east)
        east.staysUp = true
        east.fences = { [clock = world.clock] in fencedAt.withLock { $0 = clock.now() } }
        let found = try await lateRound(world, east)
        #expect(found.events.map(\.kind) == [.failed, .failed])
        let at = try #require(fencedAt.withLock { $0 })
        #expect(at < due + AgentMark.grace)
    }
}
