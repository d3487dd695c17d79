import DRModel
import DRReplication
import DRSimulation
import Testing

/// An operation, what comes before it, and its name in failures.
struct Operation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var before: @Sendable (EngineWorld, ReplicationEngine) async throws -> Void = { _, _ in }
    let perform: @Sendable (ReplicationEngine, Spoken) async throws -> Bool

    init(
        _ name: String, before: @escaping @Sendable (EngineWorld, ReplicationEngine) async throws -> Void = { _, _ in },
        perform: @escaping @Sendable (ReplicationEngine, Spoken) async throws -> Bool
    ) {
        testDescription = name
        self.before = before
        self.perform = perform
    }

    static let all: [Operation] = [
        Operation("ensurePair") { engine, spoken in
            try await engine.ensurePair(
                ClusterPair(name: "other", source: "west", destination: "east", objectStore: "vault"), spoken.call
            ).changed
        },
        Operation("ensureSchedule") { engine, spoken in
            try await engine.ensureSchedule(
                Schedule(name: "nightly", pair: "east-west", applications: ["ledger"], policy: .daily(at: "02:00", zone: nil)), spoken.call
            ).changed
        },
        Operation("setSuspended") { engine, spoken in try await engine.setSuspended(true, schedule: "shop", spoken.call).changed },
        Operation("stop") { engine, spoken in try await engine.stop("ledger", spoken).changed },
        Operation("restart", before: { _, engine in try await engine.stop("ledger", Spoken("stop", run: "before")) }) { engine, spoken in
            try await engine.restart("ledger", spoken).changed
        },
        Operation("migrate") { engine, spoken in try await engine.migrate(["ledger", "storefront"], spoken).applications.count == 2 },
        Operation("migrate beyond the retention", before: copied(times: 3)) { engine, spoken in
            try await engine.migrate(["ledger"], spoken).applications.count == 1
        },
        Operation("last sync", before: { _, engine in try await engine.stop("ledger", Spoken("stop", run: "before")) }) { engine, spoken in
            try await engine.migrate(["ledger"], final: true, spoken).applications.count == 1
        },
        Operation("planned activation", before: synced) { engine, spoken in try await engine.activate("ledger", .planned, spoken).changed },
        Operation(
            "activation of what has no volumes",
            before: { _, engine in
                try await engine.stop("storefront", Spoken("stop", run: "before"))
                try await engine.migrate(["storefront"], final: true, Spoken("sync", run: "before"))
            }
        ) { engine, spoken in try await engine.activate("storefront", .planned, spoken).changed },
        Operation("disaster activation", before: copied(times: 1)) { engine, spoken in
            try await engine.activate("ledger", .disaster, spoken).changed
        },
        Operation("re-protection after a disaster", before: lostAndBack) { engine, spoken in
            try await engine.migrate(["ledger"], reversed: true, spoken).applications.count == 1
        },
        Operation(
            "activation at home after a disaster",
            before: { world, engine in
                try await lostAndBack(world, engine)
                try await engine.stop("ledger", reversed: true, Spoken("stop-west", run: "before"))
                try await engine.migrate(["ledger"], final: true, reversed: true, Spoken("sync-west", run: "before"))
            }
        ) { engine, spoken in try await engine.activate("ledger", .planned, reversed: true, spoken).changed },
        Operation("drill", before: copied(times: 2)) { engine, spoken in
            try await engine.drill(["ledger"], spoken).ready_at > Instant(nanosecondsSince1970: 0)
        },
        Operation(
            "cleanup",
            before: { world, engine in
                try await copied(times: 1)(world, engine)
                try await engine.drill(["ledger"], Spoken("drill", run: "before"))
            }
        ) { engine, spoken in try await engine.cleanUp(DrillTests.id(of: "before/drill"), spoken.call).changed },
    ]

    private static func copied(times: Int) -> @Sendable (EngineWorld, ReplicationEngine) async throws -> Void {
        { world, engine in
            for time in 1...times {
                world.east.memory.write("copy \(time)", to: "pg-data")
                try await engine.migrate(["ledger"], Spoken("copy-\(time)", run: "before"))
                world.clock.advance(by: .seconds(60))
            }
        }
    }

    @Sendable private static func synced(_ world: EngineWorld, _ engine: ReplicationEngine) async throws {
        try await engine.stop("ledger", Spoken("stop", run: "before"))
        try await engine.migrate(["ledger"], final: true, Spoken("sync", run: "before"))
    }

    @Sendable private static func lostAndBack(_ world: EngineWorld, _ engine: ReplicationEngine) async throws {
        try await engine.migrate(["ledger"], Spoken("copy", run: "before"))
        try await engine.activate("ledger", .disaster, Spoken("activate", run: "before"))
    }
}

struct CrashTests {
    private struct Ending: Equatable {
        var answered: Bool
        var effects: [String]
        var observable: String
        var processes: [Int]
    }

    private func prepared(_ operation: Operation) async throws -> EngineWorld {
        let world = try EngineWorld()
        let engine = world.engine()
        try await operation.before(world, engine)
        try await engine.release(run: "before")
        return world
    }

    private func ending(_ operation: Operation, _ engine: ReplicationEngine, _ world: EngineWorld) async throws -> Ending {
        let spoken = Spoken("it")
        let answered = try await operation.perform(engine, spoken)
        return Ending(
            answered: answered, effects: spoken.texts, observable: world.observable,
            processes: [world.east.processes("pg"), world.west.processes("pg"), world.west.processes("web")])
    }

    @Test(arguments: Operation.all)
    func `G2 killed at any call of a port and carried on, an operation ends as if nothing had happened`(operation: Operation) async throws {
        let undisturbed = try await prepared(operation)
        let counting = Breaker()
        let expected = try await ending(operation, undisturbed.engine(breaking: counting), undisturbed)
        #expect(expected.answered)
        #expect(counting.calls.count > 2)
        for position in 1...counting.calls.count {
            for after in [false, true] {
                let world = try await prepared(operation)
                let call = counting.calls[position - 1]
                await #expect(throws: Killed.self, "call \(position), \(call)") {
                    _ = try await operation.perform(world.engine(breaking: Breaker(at: position, after: after)), Spoken("it"))
                }
                let ending = try await ending(operation, world.engine(), world)
                #expect(ending == expected, "killed \(after ? "after" : "before") call \(position), \(call)")
                #expect(world.east.memory.left + world.west.memory.left == 0, "left over after call \(position), \(call)")
            }
        }
    }

    @Test(arguments: Operation.all)
    func `G2 an operation asked for again with its key changes nothing and reports the same`(operation: Operation) async throws {
        let world = try await prepared(operation)
        let first = try await ending(operation, world.engine(), world)
        let commits = world.east.commits + world.west.commits
        let second = try await ending(operation, world.engine(), world)
        #expect(second == first)
        #expect(world.east.commits + world.west.commits == commits)
    }

    @Test func `G2 a migration that died keeps its number, so that the next one never passes off its data`() async throws {
        let world = try EngineWorld()
        let counting = Breaker()
        let rehearsal = try EngineWorld()
        try await rehearsal.engine(breaking: counting).migrate(["ledger"], Spoken("old"))
        let receive = try #require(counting.calls.firstIndex { $0.hasSuffix("receive") }) + 1
        await #expect(throws: Killed.self) { try await world.engine(breaking: Breaker(at: receive)).migrate(["ledger"], Spoken("old")) }
        // Published, but never listed: the store holds it whole. Now the source writes on, and another run moves it.
        #expect(world.vault.count == 1)
        world.east.memory.write("written later", to: "pg-data")
        world.east.set { $0.locks = [:] }
        world.west.set { $0.locks = [:] }
        let (report, _) = try await world.engine().move("ledger", run: "run-2")
        #expect(report.rpo == .exact(.zero))
        #expect(world.west.memory.read("pg-data") == "written later")
    }

    @Test func `G1 cut off between the fence and the new epoch, another run finishes the move and none goes back`() async throws {
        let activation = try #require(Operation.all.first { $0.testDescription == "planned activation" })
        let rehearsal = try await prepared(activation)
        let counting = Breaker()
        try await rehearsal.engine(breaking: counting).activate("ledger", .planned, Spoken("it"))
        let live = try #require(counting.calls.firstIndex { $0 == "west.commit run-1/it/live" }) + 1
        let world = try await prepared(activation)
        await #expect(throws: Killed.self) {
            try await world.engine(breaking: Breaker(at: live)).activate("ledger", .planned, Spoken("it"))
        }
        world.east.set { $0.locks = [:] }
        world.west.set { $0.locks = [:] }
        let engine = world.engine()
        let status = try await engine.status(of: ["ledger"], without: [], Spoken("status").call)[0]
        #expect(status.active_at == "west" && status.running == false && status.epoch == Epoch(2))
        #expect(await expectError(.fenced) { try await engine.restart("ledger", Spoken("undo", run: "run-2")) } != nil)
        #expect(await expectError(.fenced) { try await engine.migrate(["ledger"], Spoken("copy", run: "run-2")) } != nil)
        let report = try await engine.activate("ledger", .planned, Spoken("finish", run: "run-2"))
        #expect(report.epoch == Epoch(2) && report.rpo == .exact(.zero))
        #expect(world.west.processes("pg") == 3)
    }

    /// Whoever comes after a run that died.
    private func takeOver(_ world: EngineWorld) {
        for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } }
    }

    private func watched(_ world: EngineWorld) -> [String] {
        [world.observable, "\(world.east.processes("pg"))", "\(world.west.processes("pg"))"]
    }

    @Test(arguments: Operation.all.filter { ["stop", "restart", "migrate", "last sync"].contains($0.testDescription) })
    func `G1 a run that wakes up after another moved the application changes nothing`(operation: Operation) async throws {
        let rehearsal = try await prepared(operation)
        let counting = Breaker()
        _ = try await operation.perform(rehearsal.engine(breaking: counting), Spoken("it"))
        for position in 1...counting.calls.count {
            let world = try await prepared(operation)
            _ = try? await operation.perform(world.engine(breaking: Breaker(at: position, after: true)), Spoken("it"))
            takeOver(world)
            let (report, _) = try await world.engine().move("ledger", run: "other")
            #expect(report.rpo == .exact(.zero) && world.west.processes("pg") == 3)
            let before = watched(world)
            _ = try? await operation.perform(world.engine(), Spoken("it"))
            #expect(watched(world) == before, "woke up after call \(position), \(counting.calls[position - 1])")
        }
    }

    @Test(arguments: ["planned activation", "disaster activation"])
    func `G1 an activation that wakes up after the application is home again changes nothing`(name: String) async throws {
        let operation = try #require(Operation.all.first { $0.testDescription == name })
        let rehearsal = try await prepared(operation)
        let counting = Breaker()
        _ = try await operation.perform(rehearsal.engine(breaking: counting), Spoken("it"))
        for stopped in [false, true] {
            for position in 1...counting.calls.count {
                let world = try await prepared(operation)
                _ = try? await operation.perform(world.engine(breaking: Breaker(at: position, after: true)), Spoken("it"))
                takeOver(world)
                let engine = world.engine()
                try await engine.activate("ledger", .disaster, Spoken("finish", run: "other"))
                if name == "planned activation" { world.east.set { $0.processes = [:] } }
                try await engine.migrate(["ledger"], reversed: true, Spoken("protect", run: "other"))
                world.west.memory.write("written at west", to: "pg-data")
                try await engine.move("ledger", reversed: true, run: "other")
                world.east.memory.write("written at home", to: "pg-data")
                if stopped { try await engine.stop("ledger", Spoken("stop", run: "other")) }
                takeOver(world)
                let before = watched(world)
                // Without a choice of its own yet it would begin anew, which is a disaster failover like any other.
                let begun = try await world.west.committed(OperationKey("run-1/it/choice")) != nil
                guard begun || name == "planned activation" else { continue }
                _ = try? await operation.perform(world.engine(), Spoken("it"))
                #expect(watched(world) == before, "woke up after call \(position), \(counting.calls[position - 1]), stopped: \(stopped)")
            }
        }
    }

    @Test func `A planned activation that wakes up after the source ran again is no longer without loss, and is refused`() async throws {
        let operation = try #require(Operation.all.first { $0.testDescription == "planned activation" })
        let rehearsal = try await prepared(operation)
        let counting = Breaker()
        _ = try await operation.perform(rehearsal.engine(breaking: counting), Spoken("it"))
        let choice = try #require(counting.calls.firstIndex { $0 == "west.commit run-1/it/choice" }) + 1
        let fence = try #require(counting.calls.firstIndex { $0 == "east.commit run-1/it/fence" }) + 1
        for position in choice..<fence {
            let world = try await prepared(operation)
            _ = try? await operation.perform(world.engine(breaking: Breaker(at: position, after: true)), Spoken("it"))
            takeOver(world)
            try await world.engine().restart("ledger", Spoken("restart", run: "other"))
            world.east.memory.write("written meanwhile", to: "pg-data")
            try await world.engine().stop("ledger", Spoken("stop", run: "other"))
            takeOver(world)
            let before = watched(world)
            #expect(await expectError(.dataLoss) { try await operation.perform(world.engine(), Spoken("it")) } != nil)
            #expect(watched(world) == before)
        }
    }

    @Test func `A start that wakes up after somebody stopped the application leaves it stopped`() async throws {
        let operation = try #require(Operation.all.first { $0.testDescription == "restart" })
        let rehearsal = try await prepared(operation)
        let counting = Breaker()
        _ = try await operation.perform(rehearsal.engine(breaking: counting), Spoken("it"))
        let plan = try #require(counting.calls.firstIndex { $0 == "east.commit run-1/it/start/plan" }) + 1
        for position in plan...counting.calls.count {
            let world = try await prepared(operation)
            _ = try? await operation.perform(world.engine(breaking: Breaker(at: position, after: true)), Spoken("it"))
            takeOver(world)
            try await world.engine().stop("ledger", Spoken("stop", run: "other"))
            takeOver(world)
            let before = watched(world)
            #expect(await expectError(.conflict) { try await operation.perform(world.engine(), Spoken("it")) } != nil)
            #expect(watched(world) == before)
        }
    }
}
