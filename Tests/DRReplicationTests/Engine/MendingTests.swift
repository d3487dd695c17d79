import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Glibc
import Testing

/// What an own copy cannot give any more, and the store can.
struct MendingTests {
    enum Harm: String, CaseIterable { case flipped, missing, unreadable }

    private let world: FolderWorld
    private let engine: ReplicationEngine
    private var copies: StorePath { world["west/.dr/copies"] }

    init() async throws {
        world = try FolderWorld()
        engine = world.engine()
        try await engine.migrate(["ledger"], Spoken("copy", run: "before"))
        try await engine.release(run: "before")
        let place = try #require(try await engine.scrubsDue().first)
        _ = try await engine.scrub(place, after: nil, most: ByteCount(1 << 30), Spoken("scrub", run: "before").call)
        try #require(try await engine.scrubsDue().isEmpty)
    }

    /// What a point is made of, with its record.
    private func objects() async throws -> [String] {
        try await world.store().list(prefix: "ledger/").map(\.name).filter { name in
            ["/packs/", "/maps/", "/points/"].contains { name.contains($0) }
        }
    }

    private func flip(_ path: StorePath) throws {
        let bytes = try contents(path)
        try write(path, [bytes[bytes.count / 2] ^ 4], at: Int64(bytes.count / 2))
    }

    private func engine(after harm: Harm, of object: String) throws -> ReplicationEngine {
        let path = copies / object
        switch harm {
        case .flipped: try flip(path)
        case .missing: try SystemStoreIO().removeFile(path)
        case .unreadable:
            let io = FaultyStoreIO()
            let broken = Lock(true)
            io.meanwhile { operation in
                // A rename puts another file in its place.
                if operation.hasPrefix("rename"), operation.hasSuffix("\(path)") { broken.withLock { $0 = false } }
                guard operation == "read \(path)", broken.withLock({ $0 }) else { return }
                throw IOFailure(code: EIO, operation: "open", path: path, reason: "the disk")
            }
            return world.engine(io)
        }
        return engine
    }

    @Test(arguments: Harm.allCases) func `G3 G9 a disaster failover brings from the store what its own copy has lost`(_ harm: Harm)
        async throws
    {
        for object in try await objects() {
            let each = try await MendingTests()
            // Its names are its own.
            let same = try #require(try await each.objects().first { $0.split(separator: "/")[1] == object.split(separator: "/")[1] })
            try await each.expectFailover(harm, same)
        }
    }

    private func expectFailover(_ harm: Harm, _ object: String) async throws {
        let engine = try engine(after: harm, of: object)
        let report = try await engine.activate("ledger", .disaster, Spoken("activate"))
        #expect(try world.database("west") == "first", "\(object)")
        let told = report.warnings?.contains { $0.contains(object) && $0.contains("brought anew from store vault") }
        #expect(told == true, "\(object): \(report)")
        // The rest of that disk is not believed for the rest of the week.
        #expect(try await self.engine.scrubsDue().map(\.application) == ["ledger"])
        #expect(try contents(copies / object) == contents(world["vault"] / object))
    }

    @Test func `G3 a drill brings from the store what its own copy has lost, and says so`() async throws {
        for object in try await objects() where object.contains("/packs/") { try flip(copies / object) }
        let report = try await engine.drill(["ledger"], Spoken("drill"))
        #expect(report.warnings?.count == 1, "\(report.warnings ?? [])")
        #expect(String(decoding: try contents(world["west/volumes/pg-data-drill/table"]), as: UTF8.self) == "first")
    }

    @Test func `G4 a plan over a damaged copy says what the run will do, and mends nothing`() async throws {
        for object in try await objects() where !object.contains("/points/") { try flip(copies / object) }
        let before = try world.everything()
        let plan = Spoken("activate")
        _ = try await world.planningEngine().activate("ledger", .disaster, plan)
        #expect(try world.everything() == before)
        let run = Spoken("activate")
        _ = try await engine.activate("ledger", .disaster, run)
        #expect(run.texts == plan.texts)
    }

    @Test func `G3 what is damaged in the store as well is refused with its name, and nothing is live`() async throws {
        let pack = try #require(try await objects().first { $0.contains("/packs/") })
        for root in [copies, world["vault"]] { try flip(root / pack) }
        let error = await expectError(.damaged) { try await engine.activate("ledger", .disaster, Spoken("activate")) }
        #expect(error?.message.contains(pack) == true, "\(String(describing: error))")
        #expect(error?.hint?.contains("store vault could not put it right") == true, "\(String(describing: error))")
        #expect(try SystemStoreIO().facts(world["west/volumes/pg-data"]) == nil)
        // Without the store it is the same.
        try SystemStoreIO().rename(world["vault"], world["gone"], .keep)
        #expect(await expectError(.damaged) { try await engine.activate("ledger", .disaster, Spoken("again")) } != nil)
    }

    @Test func `G9 checks of a disaster find a point whose manifests only the store has sound, and say so`() async throws {
        for object in try await objects() where !object.contains("/points/") { try flip(copies / object) }
        let checks = try await engine.checks(
            CheckOrder(pair: "east-west", applications: ["ledger"], withoutSource: true), Spoken("checks").call)
        #expect(!checks.contains { $0.state == .failed }, "\(checks.filter { $0.state == .failed })")
        let verified = try #require(checks.first { $0.id == "recovery-point-verified" })
        #expect(verified.state == .warning && verified.next == "drrunbook scrub ledger", "\(verified)")
    }

    @Test func `A copy that no scrub has read for longer than its window is warned of`() async throws {
        try await world.clock.sleep(for: .seconds(9 * 86_400))
        try await engine.migrate(["ledger"], Spoken("second", run: "second"))
        func verified() async throws -> CheckResult? {
            try await engine.checks(CheckOrder(pair: "east-west", applications: ["ledger"]), Spoken("checks").call).first {
                $0.id == "recovery-point-verified"
            }
        }
        let late = try await verified()
        #expect(late?.state == .warning, "\(String(describing: late))")
        #expect(late?.message.contains("no scrub has read the whole own copy of ledger for 9d") == true, "\(late?.message ?? "")")
        let place = try #require(try await engine.scrubsDue().first)
        _ = try await engine.scrub(place, after: nil, most: ByteCount(1 << 30), Spoken("late", run: "second").call)
        #expect(try await verified()?.state == .ok)
    }
}
