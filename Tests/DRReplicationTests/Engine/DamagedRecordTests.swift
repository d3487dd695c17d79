import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Testing

/// One record at the destination is damaged; the source and the store are gone.
struct DamagedRecordTests {
    /// Two points at west, `first` and `second`; a pair and a schedule were set up.
    private func twice() async throws -> FolderWorld {
        let world = try FolderWorld()
        let engine = world.engine()
        _ = try await engine.ensurePair(world.inventory.pairs[0], Spoken("pair").call)
        _ = try await engine.ensureSchedule(world.inventory.schedules[0], Spoken("schedule").call)
        try await engine.migrate(["ledger"], Spoken("one"))
        try world.put("second")
        try await engine.migrate(["ledger"], Spoken("two"))
        try await engine.release(run: "run-1")
        return world
    }

    private func lose(_ world: FolderWorld) throws {
        for lost in ["east", "vault"] { try SystemStoreIO().rename(world[lost], world["lost-" + lost], .keep) }
    }

    private func replace(_ path: StorePath, _ text: String) throws {
        if try SystemStoreIO().facts(path) != nil { try SystemStoreIO().removeFile(path) }
        try write(path, Array(text.utf8))
    }

    private func edit(_ path: StorePath, _ old: String, _ new: String) throws {
        let text = String(decoding: try contents(path), as: UTF8.self)
        #expect(text.contains(old))
        try replace(path, text.replacing(old, with: new, maxReplacements: 1))
    }

    private func checks(_ engine: ReplicationEngine) async throws -> [CheckResult] {
        try await engine.checks(
            CheckOrder(
                pair: "east-west", applications: ["ledger"], skip: ["object-store-reachable": "gone, too"], withoutSource: true),
            Spoken("checks").call)
    }

    enum Damage: String, CaseIterable {
        case newestCopyFlipped, newestCopyGone, newestRecordCut, newestEpochFlipped, newestFinalFlipped
        case junkName, junkNoName, scheduleCut, pairCut
    }

    private func damage(_ kind: Damage, _ world: FolderWorld) throws {
        let newest = world["west/.dr/points/ledger/ledger-e1-g2.json"]
        switch kind {
        case .newestCopyFlipped, .newestCopyGone:
            let folder = world["west/.dr/copies/ledger/points/ledger-e1-g2"]
            for name in try SystemStoreIO().list(folder) {
                var bytes = try contents(folder / name)
                bytes[bytes.count / 2] ^= 1
                try SystemStoreIO().removeFile(folder / name)
                if kind == .newestCopyFlipped { try write(folder / name, bytes) }
            }
        case .newestRecordCut: try replace(newest, "{\"point\":{\"app")
        case .newestEpochFlipped: try edit(newest, "\"epoch\":1", "\"epoch\":9")
        case .newestFinalFlipped: try edit(newest, "\"final\":false", "\"final\":true")
        case .junkName: try replace(world["west/.dr/points/ledger/zzz.json"], "junk")
        case .junkNoName: try replace(world["west/.dr/points/ledger/My notes.json"], "junk")
        case .scheduleCut: try replace(world["west/.dr/state/schedules/shop.json"], "{\"na")
        case .pairCut: try replace(world["west/.dr/state/pairs/east-west.json"], "")
        }
    }

    @Test(arguments: Damage.allCases)
    func `G3 one damaged record leaves the earlier recovery point usable in a disaster`(_ kind: Damage) async throws {
        let world = try await twice()
        try lose(world)
        try damage(kind, world)
        let engine = world.engine()
        let status = try await engine.status(of: ["ledger"], without: ["east"], Spoken("status").call)[0]
        #expect(status.active_at == "east" && status.epoch == .first)
        let points = try await engine.recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("points").call)
        #expect(points.contains { $0.id == "ledger-e1-g1" })
        #expect(points.allSatisfy { $0.age >= .zero })
        #expect(try await checks(engine).filter { $0.state == .failed } == [])
        let report = try await engine.activate("ledger", .disaster, point: "ledger-e1-g1", Spoken("activate"))
        #expect(report.epoch == Epoch(2) && report.recovery_point == "ledger-e1-g1")
        #expect(try world.database("west") == "first")
    }

    @Test(arguments: [Damage.newestRecordCut, .newestEpochFlipped, .newestCopyFlipped, .newestCopyGone])
    func `G3 a damaged recovery point that is asked for by name is refused, and nothing changes`(_ kind: Damage) async throws {
        let world = try await twice()
        try lose(world)
        try damage(kind, world)
        let error = await expectError(.damaged) {
            try await world.engine().activate("ledger", .disaster, point: "ledger-e1-g2", Spoken("activate"))
        }
        #expect(error?.message.contains("ledger-e1-g2") == true || kind == .newestCopyFlipped)
        #expect(try SystemStoreIO().facts(world["west/volumes/pg-data"]) == nil)
    }

    @Test func `G3 damage is named by status and by the checks`() async throws {
        let world = try await twice()
        try lose(world)
        try damage(.newestEpochFlipped, world)
        try damage(.scheduleCut, world)
        let status = try await world.engine().status(of: ["ledger"], without: ["east"], Spoken("status").call)[0]
        #expect(status.last_point == "ledger-e1-g1")
        #expect(status.problems?.count == 2)
        #expect(status.problems?.first?.contains("ledger-e1-g2 at west cannot be read: its content and its hash do not fit") == true)
        let fresh = try await checks(world.engine()).first { $0.id == "recovery-point-fresh" }
        #expect(fresh?.state == .warning && fresh?.message.contains("ledger-e1-g2 cannot be used") == true)
    }

    @Test func `Where no recovery point can be read, foreign objects cannot be looked for, and nothing can go live`() async throws {
        let world = try await twice()
        try lose(world)
        for id in ["ledger-e1-g1", "ledger-e1-g2"] { try replace(world["west/.dr/points/ledger/\(id).json"], "{}") }
        let results = try await checks(world.engine())
        let foreign = results.first { $0.id == "no-foreign-objects" }
        #expect(foreign?.state == .warning && foreign?.message.hasPrefix("could not look: ") == true)
        #expect(results.filter { $0.state == .failed }.map(\.id) == ["recovery-point-fresh"])
        #expect(await expectError(.damaged) { try await world.engine().activate("ledger", .disaster, Spoken("activate")) } != nil)
    }

    @Test func `G1 a damaged recovery point of a later epoch still proves that its cluster was deposed`() async throws {
        let world = try await twice()
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "one"))
        try await world.engine().migrate(["ledger"], reversed: true, Spoken("protect", run: "one"))
        try await world.engine().release(run: "one")
        try replace(world["east/.dr/points/ledger/ledger-e2-g1.json"], "{}")
        let error = await expectError(.damaged) {
            try await world.engine().activate("ledger", .disaster, reversed: true, Spoken("back", run: "two"))
        }
        #expect(error != nil)
    }

    @Test func `A damaged application record is an error for that application alone`() async throws {
        let world = try await twice()
        try await world.engine().migrate(["storefront"], Spoken("web"))
        try await world.engine().activate("storefront", .disaster, Spoken("live"))
        try await world.engine().release(run: "run-1")
        try replace(world["west/.dr/state/applications/ledger.json"], "{\"epoch\":")
        let engine = world.engine()
        let both = try await engine.status(of: ["ledger", "storefront"], without: [], Spoken("status").call)
        #expect(both[0].active_at == nil && both[0].running == nil && both[0].problems?.isEmpty == false)
        #expect(both[0].clusters["west"] == "record damaged")
        #expect(both[1].active_at == "west" && both[1].epoch == Epoch(2) && both[1].problems == nil)
        #expect(await expectError(.damaged) { try await engine.status(of: ["ledger"], without: [], Spoken("status").call) } != nil)
        #expect(await expectError(.damaged) { try await engine.activate("ledger", .disaster, Spoken("activate")) } != nil)
    }

    @Test func `A damaged note of one application's lock is that application's problem alone`() async throws {
        let world = try await twice()
        // Another process holds the storefront.
        let holder = LockHolder(run: "other", runbook: "o.lua", host: "there", process: 7)
        let west = try #require(world.clusters()["west"])
        try await west.lock("storefront", for: holder)
        try replace(world["west/.dr/locks/ledger.json"], "{\"app")
        let engine = world.engine()
        let status = try await engine.status(of: ["ledger", "storefront"], without: [], Spoken("status").call)
        #expect(status.map(\.lock) == [nil, "other"])
        #expect(status[1].problems?.contains { $0.contains("locks/ledger.json is damaged") } != false)
        let locks = try await engine.locks()
        #expect(locks.found.map(\.lock.holder) == [holder])
        #expect(locks.damaged.map(\.hint) == ["if no drrunbook process works on it: drrunbook lock break ledger --yes"])
        func lockFree(_ application: ApplicationName) async throws -> CheckResult? {
            try await engine.checks(
                CheckOrder(pair: "east-west", applications: [application], only: ["lock-free"]), Spoken("checks").call
            ).first
        }
        #expect(try await lockFree("storefront")?.message.hasPrefix("storefront is locked at west by run other") == true)
        #expect(try await lockFree("ledger")?.message.contains("locks/ledger.json is damaged") == true)
        // Its holder lets go all the same, and then it can be planned and moved.
        try await west.unlock(run: "other")
        #expect(try await lockFree("storefront")?.state == .ok)
        _ = try await world.planningEngine().migrate(["storefront"], Spoken("plan"))
        #expect(await expectError(.damaged) { try await world.planningEngine().migrate(["ledger"], Spoken("plan-2")) } != nil)
        try await engine.migrate(["storefront"], Spoken("copy"))
        #expect(try await engine.breakLock(of: "ledger") == ["west"])
        try await engine.migrate(["ledger"], Spoken("copy-2"))
    }

    @Test func `Where a schedule cannot be read, no recovery point is let go of`() async throws {
        let world = try await twice()
        try damage(.scheduleCut, world)
        for round in 3...5 {
            try world.put("round \(round)")
            try await world.engine().migrate(["ledger"], Spoken("copy-\(round)"))
        }
        let points = try await world.engine().recoveryPoints(of: ["ledger"], pair: "east-west", reversed: false, Spoken("points").call)
        #expect(points.count == 5)
    }

    @Test(arguments: [false, true])
    func `G8 a mistake in a manifest is said once, with its line, instead of failing checks`(_ disaster: Bool) async throws {
        let world = try await twice()
        let site = disaster ? "west" : "east"
        try replace(world["\(site)/resources/broken.yaml"], "apiVersion: v1\nkind: [ConfigMap\nmetadata: {}\n")
        if disaster { try lose(world) }
        let error = await expectError(.invalidInput) {
            try await world.engine().checks(
                CheckOrder(pair: "east-west", applications: ["ledger"], withoutSource: disaster), Spoken("checks").call)
        }
        #expect(error?.location?.file.hasSuffix("\(site)/resources/broken.yaml") == true)
        #expect(error.flatMap(\.location).map { $0.line > 1 } == true)
    }
}
