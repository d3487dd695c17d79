@testable import DRReplication
import DRModel
import DRObjectStores
import DRSimulation
import DRSupport
import Testing

/// Who a sweep waits for, and who it asks.
@Suite struct LeaseTests {
    let world: VolumeWorld
    private let hour = Duration.seconds(3600)
    private let application = VolumeWorld.application
    private var data: StorePath { world.east / "volumes" / "data" }

    init() throws {
        world = try VolumeWorld()
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        try write(world.east / "volumes" / "data" / "large", noise(3 << 20))
    }

    @discardableResult
    private func publish(_ store: any ObjectStore, _ generation: Int64 = 1) async throws -> RecoveryPoint {
        let east = world.volumes(world.east)
        let key = OperationKey("run/\(generation)")
        let capture = try await east.capture(["data"], of: application, stopped: true, key: key)
        return try await east.publish(capture, as: try VolumeWorld.draft(generation), manifests: [], to: store).point
    }

    private func sweep() async throws -> Swept {
        try await world.volumes(world.west).sweep(world.store(), of: application, keeping: [], asked: ["east", "west"])
    }

    private func receive(_ point: RecoveryPoint) async throws {
        _ = try await world.volumes(world.west).receive(point.id, of: application, from: world.store())
    }

    /// Dies with its first record on the way, and nothing of it works any more.
    private func killed() -> InterruptedStore {
        let isDead = Lock(false)
        return InterruptedStore(world.store()) { call in
            if case .put(let name) = call, name.contains("/points/") { isDead.withLock { $0 = true } }
            if isDead.withLock({ $0 }) { throw Killed() }
        }
    }

    @Test func `a tomb sealed with a key that is gone keeps nobody from publishing, and a sweep clears it away`() async throws {
        let store = world.store()
        func sealed(_ digits: String) throws -> SealedObjectStore {
            try SealedObjectStore(store, keys: [SealingKey(String(repeating: digits, count: 4), source: "test")])
        }
        let tomb = "ledger/tombs/1-abcdef"
        try await sealed("0123456789abcdef").put(tomb, [1, 2, 3])
        let kept = try sealed("fedcba9876543210")
        try await publish(kept)
        try await publish(kept, 2)
        _ = try await world.volumes(world.west).sweep(kept, of: application, keeping: [], asked: ["east", "west"])
        #expect(try await !store.exists(tomb))
    }

    @Test func `I7 what is buried while a publication goes on waits for it`() async throws {
        let world = self.world
        await #expect(throws: Killed.self) { try await publish(killed()) }
        let point = try await publish(
            InterruptedStore(
                world.store(),
                puts: { name in
                    guard name.contains("/points/") else { return }
                    // It stands still for longer than the grace; what it builds upon was the dead one's.
                    for _ in 0..<2 {
                        let swept = try await world.volumes(world.west).sweep(
                            world.store(), of: VolumeWorld.application, keeping: [], asked: ["east", "west"])
                        #expect(swept.removed == 0 && swept.waiting > 0)
                        try await world.clock.sleep(for: .seconds(90_000))
                    }
                }))
        try await receive(point)
        #expect(try await world.store().list(prefix: "ledger/leases/").isEmpty)
    }

    @Test func `I7 the garbage of a process that died goes when its lease is over`() async throws {
        await #expect(throws: Killed.self) { try await publish(killed()) }
        #expect(try await world.store().list(prefix: "ledger/leases/").count == 1)
        #expect(try await sweep().waiting > 3)
        try await world.clock.sleep(for: hour * 26)
        #expect(try await sweep().removed == 0)
        try await world.clock.sleep(for: hour * 23)
        #expect(try await sweep().removed > 3)
        #expect(try await world.objects().isEmpty)
        #expect(try await world.store().list(prefix: "ledger/leases/").isEmpty)
    }

    @Test func `I7 a publication that stood still for longer than its lease is refused, and carried on`() async throws {
        let world = self.world
        let isFirst = Lock(true)
        let slow = InterruptedStore(
            world.store(),
            puts: { name in
                guard name.contains("/packs/"),
                    isFirst.withLock({ first in
                        defer { first = false }; return first
                    })
                else { return }
                try await world.clock.sleep(for: .seconds(3 * 86_400))
            })
        let error = await #expect(throws: DRError.self) { try await publish(slow) }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("took so long") == true)
        try await receive(try await publish(world.store()))
    }

    // MARK: Who uses a store

    @Test func `I7 a store that a third cluster uses is swept only by whoever asked that one, too`() async throws {
        let north = world.folder.path / "north"
        try world.io.makeFolder(north, permissions: 0o755)
        let third = DirectoryVolumeStore(
            cluster: "north", directory: north, io: world.io, clock: world.clock, random: world.random, parallel: 0)
        var points: [RecoveryPoint] = []
        for generation: Int64 in 1...5 {
            try write(data / "large", noise(900, seed: UInt64(generation)))
            points.append(try await publish(world.store(), generation))
            _ = try await third.receive(points.last?.id ?? "", of: application, from: world.store())
        }
        try await world.clock.sleep(for: hour * 25)
        let error = await #expect(throws: DRError.self) { try await sweep() }
        #expect(error?.code == .conflict && error?.message.contains("for north") == true)
        #expect(try await world.store().list(prefix: "ledger/tombs/").isEmpty)
        // Nor by one that does not know where the points come from.
        let stranger = await #expect(throws: DRError.self) {
            try await world.volumes(world.west).sweep(world.store(), of: application, keeping: [], asked: ["west", "north"])
        }
        #expect(stranger?.message.contains("for east") == true)
        for _ in 0..<2 {
            _ = try await world.volumes(world.west).sweep(
                world.store(), of: application, keeping: [points[1].id], asked: ["east", "west", "north"])
            try await world.clock.sleep(for: hour * 25)
        }
        for kept in [1, 3, 4] { try await receive(points[kept]) }
        await #expect(throws: DRError.self) { try await receive(points[0]) }
    }

    // MARK: Many objects

    @Test func `I1 I7 of ten thousand objects that go, no point stands there without what it names`() async throws {
        let store = MemoryObjectStore("vault")
        let names = ObjectNames(application: application)
        func manifests(_ number: Int) -> [UInt8] { PageIndex.unlike(number).object() }
        for number in 0..<10_050 { _ = try await store.put(names.map(ContentHash(of: manifests(number))), manifests(number)) }
        var points: [String: String] = [:]
        for generation: Int64 in 1...9 {
            let hash = ContentHash(of: manifests(Int(generation) * 1000))
            let record = PointRecord(
                draft: try VolumeWorld.draft(generation), application: application, session: Session(OperationKey("\(generation)")),
                instant: world.clock.now(), consistency: .application, volumes: [],
                manifests: .init(content: ContentToken("m"), index: hash), parent: nil, packs: [])
            let name = names.record(record.draft.id, attempt: 1, session: record.session)
            points[name] = names.map(hash)
            _ = try await store.put(name, record.object())
        }
        let known = points
        let watching = InterruptedStore(store) { call in
            guard case .delete = call else { return }
            for (record, needed) in known {
                guard try await store.exists(record) else { continue }
                let isWhole = try await store.exists(needed)
                #expect(isWhole, "\(record)")
            }
        }
        for _ in 0..<2 {
            try await world.clock.sleep(for: hour * 25)
            _ = try await world.volumes(world.west).sweep(watching, of: application, keeping: [], asked: ["east", "west"])
        }
        #expect(store.count == 4)
    }
}
