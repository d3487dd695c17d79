import DRModel
import DRReplication
import DRSupport
import Testing

/// Volumes that stand by, from migration to activation.
@Suite struct StandbyTests {
    private func head(_ world: FolderWorld, _ site: String = "west") -> StorePath { world["\(site)/.dr/heads/ledger/pg-data/volume"] }

    private func warm() throws -> FolderWorld {
        var world = try FolderWorld()
        world.inventory.applications = world.inventory.applications.map { application in
            var changed = application
            changed.standby = .warm
            return changed
        }
        return world
    }

    /// A run of its own that copies, to its end.
    @discardableResult
    private func copy(_ world: FolderWorld, _ io: any StoreIO = UnsyncedIO()) async throws -> MigrationReport {
        let engine = world.engine(io)
        let run = try RunID("copy-\(SystemRandom().next())")
        let report = try await engine.migrate(["ledger"], Spoken("copy", run: run))
        try await engine.release(run: run)
        return report
    }

    private func exists(_ path: StorePath) throws -> Bool { try SystemStoreIO().facts(path) != nil }

    @Test func `After a migration the volumes stand by; live, they do no more`() async throws {
        let world = try warm()
        try await copy(world)
        #expect(try describe(head(world)) == describe(world["east/volumes/pg-data"]))
        try world.put("second")
        try await copy(world)
        #expect(try describe(head(world)) == describe(world["east/volumes/pg-data"]))
        let io = FaultyStoreIO(UnsyncedIO())
        try await world.engine(io).activate("ledger", .disaster, Spoken("activate", run: "before"))
        #expect(try world.database("west") == "second")
        #expect(!io.operations.contains { $0.hasPrefix("write") && $0.contains("building") })
        #expect(try !exists(head(world)))
    }

    @Test func `What still stands by for what is live goes at the end of its run`() async throws {
        let world = try warm()
        try await copy(world)
        let engine = world.engine()
        try await engine.activate("ledger", .disaster, Spoken("activate", run: "before"))
        // As an image would that was cloned.
        try SystemStoreIO().makeFolder(head(world).folder, permissions: 0o700)
        try write(head(world), [1])
        try await engine.release(run: "other")
        #expect(try exists(head(world)))
        try await engine.release(run: "before")
        #expect(try !exists(head(world)))
    }

    @Test func `An application that is not said to be warm has nothing that stands by, and gives up what it had`() async throws {
        var world = try warm()
        try await copy(world)
        #expect(try exists(head(world)))
        world.inventory = try FolderWorld().inventory
        try await copy(world)
        #expect(try !exists(head(world)))
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "before"))
        #expect(try world.database("west") == "first")
    }

    @Test func `The way back stands by at home`() async throws {
        let world = try warm()
        try await world.engine().move("ledger", run: "there")
        #expect(try !exists(head(world)))
        try world.put("at west", at: "west")
        let back = world.engine()
        try await back.migrate(["ledger"], reversed: true, Spoken("copy", run: "back"))
        try await back.release(run: "back")
        #expect(try describe(head(world, "east")) == describe(world["west/volumes/pg-data"]))
        let io = FaultyStoreIO(UnsyncedIO())
        try await world.engine(io).move("ledger", reversed: true, run: "home")
        #expect(try world.database("east") == "at west")
        #expect(!io.operations.contains { $0.hasPrefix("write") && $0.contains("building") })
        #expect(io.operations.contains { $0.hasPrefix("rename") && $0.contains("east") && $0.contains("building") })
        #expect(try !exists(head(world, "east")))
    }

    @Test func `G12 what cannot stand by is told, and costs the migration nothing`() async throws {
        let world = try warm()
        let io = FaultyStoreIO(UnsyncedIO())
        io.fill(below: "/heads/")
        await #expect {
            try await copy(world, io)
        } throws: {
            ($0 as? DRError)?.message.contains("the volumes of ledger do not stand by at west") == true
        }
        #expect(try await world.engine().locks().found.isEmpty)
        try await world.engine().activate("ledger", .disaster, Spoken("activate", run: "before"))
        #expect(try world.database("west") == "first")
    }

    @Test func `An older point is made live from what stands by of a newer one`() async throws {
        let world = try warm()
        let first = try await copy(world)
        let volume = try describe(world["east/volumes/pg-data"])
        try world.put("second, and longer")
        try await copy(world)
        let older = try #require(first.applications["ledger"]?.recovery_point)
        let io = FaultyStoreIO(UnsyncedIO())
        try await world.engine(io).activate(
            "ledger", .disaster, point: older, accepting: .seconds(86_400), Spoken("activate", run: "before"))
        #expect(try describe(world["west/volumes/pg-data"]) == volume)
        // What is the same in both is not written, here or there.
        #expect(!io.operations.contains { $0.hasPrefix("write") && $0.hasSuffix("/large") })
        #expect(io.operations.contains { $0.hasPrefix("write") && $0.hasSuffix("volume/table") })
    }

    @Test func `G12 what stands by of one application is no room for another's volumes`() async throws {
        let world = try warm()
        let io = SystemStoreIO()
        try write(
            world["east/resources/more.yaml"],
            Array(
                """
                apiVersion: v1
                kind: PersistentVolume
                metadata: { name: web-data }
                spec: { capacity: { storage: 1Gi } }
                ---
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: { name: web-data, namespace: shop-web }
                spec: { volumeName: web-data }

                """.utf8))
        try io.makeFolder(world["east/volumes/web-data"], permissions: 0o700)
        try write(world["east/volumes/web-data/pages"], noise(400_000))
        try write(world["east/volumes/pg-data/more"], noise(400_000))
        try await copy(world)
        // Little is left of the ledger; what stands by of it is large still.
        try io.removeFile(world["east/volumes/pg-data/more"])
        func capacity(free: Int64) async throws -> CheckResult {
            let disk = FaultyStoreIO(UnsyncedIO())
            disk.limit(to: ByteCount(free))
            let order = CheckOrder(pair: "east-west", applications: ["ledger", "storefront"], only: ["capacity"])
            return try #require(try await world.engine(disk).checks(order, Spoken("checks").call).first)
        }
        let short = try await capacity(free: 300_000)
        #expect(short.state == .failed && short.message.contains("stand by there"))
        #expect(try await capacity(free: 500_000).state == .warning)
        let enough = try await capacity(free: 1_100_000)
        #expect(enough.state == .ok && enough.message.contains("of which"))
    }

    @Test func `I13 a drill leaves what stands by as it is`() async throws {
        let world = try warm()
        try await copy(world)
        let before = try describe(world["west/.dr/heads"])
        let engine = world.engine()
        let spoken = Spoken("drill", run: "drill")
        _ = try await engine.drill(["ledger"], spoken)
        #expect(try describe(world["west/.dr/heads"]) == before)
    }

    @Test func `G1 while volumes are made to stand by, nobody is kept out`() async throws {
        let world = try warm()
        let io = FaultyStoreIO(UnsyncedIO())
        let held = Counter()
        let kernel = SystemStoreIO()
        let locks = ["east", "west"].map { world["\($0)/.dr/locks"] }
        io.meanwhile { operation in
            guard operation.hasPrefix("create"), operation.contains("/heads/") else { return }
            held.seen()
            for folder in locks {
                for name in try kernel.list(folder) {
                    let lock = try kernel.lock(folder / name, wait: false)
                    if lock == nil { held.add() }
                    lock?.release()
                }
            }
        }
        try await copy(world, io)
        #expect(held.isSeen)
        #expect(held.count == 0)
    }

    @Test func `A run that comes to its end after a failover, or after a newer copy, takes nothing back`() async throws {
        let world = try warm()
        let slow = world.engine()
        try await slow.migrate(["ledger"], Spoken("copy", run: "slow"))
        try await slow.park(run: "slow", at: [], until: nil)
        let late = world.engine()
        try await late.migrate(["ledger"], Spoken("again", run: "slow"))
        // It is what the newest point says, whoever comes last.
        try await late.release(run: "slow")
        try world.put("second")
        try await copy(world)
        #expect(try describe(head(world)) == describe(world["east/volumes/pg-data"]))
        let engine = world.engine()
        try await engine.migrate(["ledger"], Spoken("copy", run: "third"))
        try await engine.activate("ledger", .disaster, Spoken("activate", run: "third"))
        try await engine.release(run: "third")
        #expect(try !exists(head(world)))
        #expect(try world.database("west") == "second")
    }
}

private final class Counter: Sendable {
    private let state = Lock((count: 0, isSeen: false))
    var count: Int { state.withLock { $0.count } }
    var isSeen: Bool { state.withLock { $0.isSeen } }
    func add() { state.withLock { $0.count += 1 } }
    func seen() { state.withLock { $0.isSeen = true } }
}
