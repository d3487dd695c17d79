import DRModel
import DRReplication
import DRSimulation
import Testing

struct PairTests {
    private let other = ClusterPair(name: "back", source: "west", destination: "east", objectStore: "vault")

    @Test func `A pair is set up at both clusters, once`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        let spoken = Spoken("pair")
        #expect(try await engine.ensurePair(world.inventory.pairs[0], spoken.call).changed)
        #expect(spoken.texts == ["create ClusterPair east-west @east", "create ClusterPair east-west @west"])
        let again = Spoken("again")
        #expect(try await !engine.ensurePair(world.inventory.pairs[0], again.call).changed)
        #expect(again.texts.isEmpty)
    }

    @Test func `A pair that only a runbook declares can be used, also by the next process`() async throws {
        let world = try EngineWorld()
        _ = try await world.engine().ensurePair(other, Spoken("pair").call)
        let order = MigrationOrder(pair: "back", applications: ["ledger"])
        let error = await expectError(.notFound) { try await world.engine().migrate(order, Spoken("migrate").call) }
        #expect(error?.message == "west has no objects of ledger")
    }

    @Test func `A pair that is there but different is a conflict that names the field`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        _ = try await engine.ensurePair(other, Spoken("pair").call)
        var different = other
        different.bothWays = true
        let before = world.observable
        let error = await expectError(.conflict) { try await engine.ensurePair(different, Spoken("again").call) }
        #expect(error?.message == "pair back exists at west with bothWays = false, not true")
        #expect(world.observable == before)
        var declared = world.inventory.pairs[0]
        declared.bothWays = false
        let disagreement = await expectError(.conflict) { try await engine.ensurePair(declared, Spoken("third").call) }
        #expect(disagreement?.message == "pair east-west is declared in dr.yaml with bothWays = true, not false")
    }

    @Test func `G8 a pair of unknown clusters or stores, or of one cluster, is refused`() async throws {
        let engine = try EngineWorld().engine()
        var pair = other
        pair.source = "wst"
        #expect(
            await expectError(.unknownName) { try await engine.ensurePair(pair, Spoken("a").call) }?.message
                == "there is no cluster \"wst\" (did you mean \"west\"?)")
        pair.source = "east"
        #expect(await expectError(.invalidInput) { try await engine.ensurePair(pair, Spoken("b").call) } != nil)
        pair = other
        pair.objectStore = "volt"
        #expect(await expectError(.unknownName) { try await engine.ensurePair(pair, Spoken("c").call) } != nil)
    }

    @Test func `A pair that goes one way is not used the other way`() async throws {
        var world = try EngineWorld()
        world.inventory.pairs[0].bothWays = false
        let engine = world.engine()
        #expect(await expectError(.notAllowed) { try await engine.stop("ledger", reversed: true, Spoken("stop")) } != nil)
    }

    @Test func `A schedule is set up once, refused when different, and suspended without being different`() async throws {
        let world = try EngineWorld()
        let engine = world.engine()
        let shop = world.inventory.schedules[0]
        let created = Spoken("create")
        #expect(try await engine.ensureSchedule(shop, created.call).changed)
        #expect(created.texts == ["create Schedule shop @west"])
        let suspended = Spoken("suspend")
        #expect(try await engine.setSuspended(true, schedule: "shop", suspended.call).changed)
        #expect(suspended.texts == ["suspend Schedule shop @west"])
        #expect(try await !engine.setSuspended(true, schedule: "shop", Spoken("suspend-2").call).changed)
        let same = try await engine.ensureSchedule(shop, Spoken("same").call)
        #expect(!same.changed && same.suspended)
        let resumed = Spoken("resume")
        #expect(try await engine.setSuspended(false, schedule: "shop", resumed.call).changed)
        #expect(resumed.texts == ["resume Schedule shop @west"])
        var different = shop
        different.retain.last = 5
        let error = await expectError(.conflict) { try await engine.ensureSchedule(different, Spoken("different").call) }
        #expect(error?.message.hasPrefix("schedule shop exists at west with retain = ") == true)
    }

    @Test func `Of several schedules of a pair the most generous keeps its points, and those of other pairs keep none`() async throws {
        var world = try EngineWorld()
        world.inventory.pairs.append(
            ClusterPair(name: "spare", source: "east", destination: "west", objectStore: "vault", bothWays: false))
        for (name, pair, last) in [("long", "east-west", 5), ("short", "east-west", 2), ("other", "spare", 9)]
            as [(ScheduleName, PairName, Int)]
        {
            world.inventory.schedules.append(
                Schedule(
                    name: name, pair: pair, applications: ["ledger"], policy: .interval(.seconds(60)), retain: Retention(last: last)))
        }
        let engine = world.engine()
        for copy in 1...7 { try await engine.migrate(["ledger"], Spoken("copy-\(copy)")) }
        let points = try await engine.recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("points").call)
        #expect(points.map(\.id.text).sorted() == (3...7).map { "ledger-e1-g\($0)" })
    }

    @Test func `G8 a schedule without applications, of unknown ones or without a point to keep is refused`() async throws {
        let engine = try EngineWorld().engine()
        func schedule(_ applications: [ApplicationName], last: Int = 1) -> Schedule {
            Schedule(
                name: "s", pair: "east-west", applications: applications, policy: .interval(.seconds(60)), retain: Retention(last: last))
        }
        #expect(await expectError(.invalidInput) { try await engine.ensureSchedule(schedule([]), Spoken("a").call) } != nil)
        #expect(await expectError(.unknownName) { try await engine.ensureSchedule(schedule(["nope"]), Spoken("b").call) } != nil)
        #expect(
            await expectError(.invalidInput) { try await engine.ensureSchedule(schedule(["ledger"], last: 0), Spoken("c").call) } != nil)
    }
}
