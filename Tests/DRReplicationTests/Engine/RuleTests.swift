import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// Rules around the snapshot of an application that runs: real commands, on embedded clusters.
struct RuleTests {
    private static let rules = SnapshotRules(pre: "hold", post: "release")

    private func world(hold: String = "echo hold {application} >> log", release: String = "echo release {application} >> log") throws
        -> FolderWorld
    {
        var world = try FolderWorld()
        world.inventory.applications[0].rules = Self.rules
        let shell = { (line: String) in ["/bin/sh", "-c", line] }
        world.rules = ClusterRules(
            commands: ["hold": shell(hold), "release": shell(release), "other": shell("echo other >> log")],
            workingDirectory: world.folder.path)
        return world
    }

    private func log(_ world: FolderWorld) throws -> [String] {
        guard try SystemStoreIO().facts(world["log"]) != nil else { return [] }
        return String(decoding: try contents(world["log"]), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func points(_ world: FolderWorld) async throws -> Int {
        try await world.engine().recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("points").call).count
    }

    @Test func `An application is quieted before its snapshot and goes on after it, and both stand among the effects`() async throws {
        // What the database writes between the two is in the copy, what it writes afterwards is not.
        let world = try world(
            hold: "echo held > east/volumes/pg-data/late; echo hold >> log", release: "rm east/volumes/pg-data/late; echo release >> log")
        let spoken = Spoken("migrate")
        try await world.engine().migrate(["ledger"], spoken)
        #expect(try log(world) == ["hold", "release"])
        #expect(
            spoken.texts.filter { $0.contains("rule") || $0.contains("capture") }
                == ["call rule hold @east", "capture PersistentVolume pg-data rp#1 @east", "call rule release @east"])
        try await world.engine().release(run: "run-1")
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "run-2"))
        #expect(String(decoding: try contents(world["west/volumes/pg-data/late"]), as: UTF8.self) == "held\n")
    }

    @Test func `A migration may name other rules, and one that is not declared is refused with the nearest before anything is done`()
        async throws
    {
        let world = try world()
        let before = try world.everything()
        let order = MigrationOrder(pair: "east-west", applications: ["ledger"], rules: SnapshotRules(pre: "hodl"))
        let error = await expectError(.unknownName) { try await world.engine().migrate(order, Spoken("a").call) }
        #expect(error?.message == "cluster east has no rule \"hodl\" (did you mean \"hold\"?)")
        #expect(error?.hint == "its rules are hold, other, release")
        #expect(try world.everything().filter { !$0.contains("/locks") } == before.filter { !$0.contains("/locks") })
        let other = MigrationOrder(pair: "east-west", applications: ["ledger"], rules: SnapshotRules(pre: "other"))
        _ = try await world.engine().migrate(other, Spoken("b").call)
        #expect(try log(world) == ["other", "release ledger"])
    }

    @Test func `A stopped application needs no rules`() async throws {
        let world = try world()
        try await world.engine().stop("ledger", Spoken("stop"))
        try await world.engine().migrate(["ledger"], final: true, Spoken("sync"))
        #expect(try log(world).isEmpty)
    }

    @Test func `When the first rule fails the second is run, nothing is copied, and the command's words are told`() async throws {
        let world = try world(hold: "echo hold >> log; echo no room to stop >&2; exit 3")
        let error = await expectError(.workloadFailed) { try await world.engine().migrate(["ledger"], Spoken("migrate")) }
        #expect(error?.message.contains("the rule hold of ledger failed at east") == true)
        #expect(error?.message.contains("exited with status 3: no room to stop") == true)
        #expect(try log(world) == ["hold", "release ledger"])
        #expect(try await points(world) == 0)
        #expect(try await world.clusters()["east"]?.onHold() == [])
    }

    @Test func `When both rules fail both are told`() async throws {
        let world = try world(hold: "echo no room >&2; exit 3", release: "echo no way back >&2; exit 4")
        let error = await expectError(.workloadFailed) { try await world.engine().migrate(["ledger"], Spoken("migrate")) }
        #expect(error?.message.contains("the rule hold of ledger failed at east") == true)
        #expect(error?.message.contains("ledger is still held at east: the rule release of ledger failed") == true)
        #expect(try await world.clusters()["east"]?.onHold() == ["ledger"])
    }

    @Test func `G1 a former source that died while it was held is let go when it is deposed, so that it can be stopped`() async throws {
        let world = try world()
        try await world.engine().migrate(["ledger"], Spoken("copy", run: "before"))
        try await world.engine().release(run: "before")
        try await world.clusters()["east"]?.hold("ledger", by: Self.rules)
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "run-2"))
        try await world.engine().release(run: "run-2")
        #expect(try await world.clusters()["east"]?.onHold() == ["ledger"])
        try await world.engine().migrate(["ledger"], reversed: true, Spoken("back", run: "run-3"))
        #expect(try await world.clusters()["east"]?.onHold() == [])
    }

    @Test func `When the snapshot fails the application goes on all the same`() async throws {
        let world = try world()
        let io = FaultyStoreIO()
        io.fill(below: "/staging/")
        let error = await expectError(.noSpace) { try await world.engine(io).migrate(["ledger"], Spoken("migrate")) }
        #expect(error != nil)
        #expect(try log(world) == ["hold ledger", "release ledger"])
    }

    @Test func `When the second rule fails there is no point, and the next migration lets the application go first`() async throws {
        let world = try world(release: "echo release >> log; test -e well")
        let error = await expectError(.workloadFailed) { try await world.engine().migrate(["ledger"], Spoken("migrate")) }
        #expect(error?.message.contains("the rule release of ledger failed at east") == true)
        #expect(try await points(world) == 0)
        #expect(try await world.clusters()["east"]?.onHold() == ["ledger"])
        try write(world["well"], [])
        try await world.engine().migrate(["ledger"], Spoken("again"))
        #expect(try log(world) == ["hold ledger", "release", "release", "hold ledger", "release"])
        #expect(try await points(world) == 1)
        #expect(try await world.clusters()["east"]?.onHold() == [])
    }

    @Test func `G2 what a dead process left held is let go by its resume, by a stop, and by the cluster's agent`() async throws {
        for next in ["resume", "stop", "agent"] {
            let world = try world()
            try await world.clusters()["east"]?.hold("ledger", by: Self.rules)
            #expect(try log(world) == ["hold ledger"])
            switch next {
            case "resume": try await world.engine().migrate(["ledger"], Spoken("migrate"))
            case "stop": try await world.engine().stop("ledger", Spoken("stop"))
            default:
                let round = try await world.engine().watch(
                    "east", selfFence: nil, every: nil, contacts: nil, Spoken("watch", run: "agent-1").call)
                #expect(round.events.map(\.kind) == [.letGo])
            }
            #expect(try log(world).prefix(2) == ["hold ledger", "release ledger"], "\(next)")
            #expect(try await world.clusters()["east"]?.onHold() == [], "\(next)")
        }
    }

    @Test func `G12 status tells of an application that a dead process left held, and of none that is being copied`() async throws {
        let world = try world()
        let east = try #require(world.clusters()["east"])
        func problems() async throws -> [String] {
            try await world.engine().status(of: ["ledger"], without: [], Spoken("status").call).flatMap { $0.problems ?? [] }
        }
        try await east.lock("ledger", for: Spoken("a").call.holder)
        try await east.hold("ledger", by: Self.rules)
        #expect(try await problems() == [])
        // Put down in the middle, its lock stands and nobody lets it go.
        try await east.park(run: "run-1")
        #expect(try await problems().first?.contains("still held at east for a snapshot") == true)
        #expect(try await east.letGo("ledger"))
        #expect(try await problems() == [])
    }

    @Test func `G1 the agent does not let go what a run that lives holds`() async throws {
        let world = try world()
        let east = try #require(world.clusters()["east"])
        try await east.lock("ledger", for: Spoken("a").call.holder)
        try await east.hold("ledger", by: Self.rules)
        let round = try await world.engine().watch("east", selfFence: nil, every: nil, contacts: nil, Spoken("watch", run: "agent-1").call)
        #expect(round.events.isEmpty)
        #expect(try log(world) == ["hold ledger"])
        try await east.unlock(run: "run-1")
    }

    @Test func `G4 a plan names the rules and runs none`() async throws {
        let world = try world()
        let before = try world.everything()
        let spoken = Spoken("plan")
        try await world.planningEngine().migrate(["ledger"], spoken)
        #expect(spoken.texts.filter { $0.contains("rule") } == ["call rule hold @east", "call rule release @east"])
        #expect(try log(world).isEmpty)
        #expect(try world.everything() == before)
    }
}
