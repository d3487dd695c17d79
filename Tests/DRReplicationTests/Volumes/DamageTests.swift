import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Glibc
import Testing

/// One flipped bit, anywhere.
@Suite struct DamageTests {
    let world: VolumeWorld

    init() throws {
        world = try VolumeWorld()
        try makeHostileTree(world.east / "volumes" / "data")
    }

    private func positions(_ size: Int) -> [Int] {
        Array(Set(Array(0..<min(size, 90)) + stride(from: 0, to: size, by: max(1, size / 60)) + (max(0, size - 60)..<size))).sorted()
    }

    private func flip(_ path: StorePath, _ position: Int) throws {
        let byte = try contents(path)[position]
        try write(path, [byte ^ 1 << (position % 8)], at: Int64(position))
    }

    @Test func `G3 I1 a flipped bit in any object of the store is found and named before the point counts`() async throws {
        let key = OperationKey("run/1")
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: key)
        let point = try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: VolumeWorld.manifests, to: world.store()).point
        var kinds: Set<String> = []
        for object in try await world.objects() {
            let path = world.vault / object.name
            kinds.insert(String(object.name.split(separator: "/")[1]))
            for position in positions(Int(object.size.bytes)) {
                try flip(path, position)
                let west = world.volumes(world.west)
                let error = await #expect(throws: DRError.self, "bit \(position) of \(object.name)") {
                    try await west.receive(point.id, of: VolumeWorld.application, from: world.store())
                }
                #expect(error?.code == .damaged, "bit \(position) of \(object.name): \(error.map(String.init(describing:)) ?? "")")
                #expect(error?.message.contains(object.name) == true, "bit \(position) of \(object.name)")
                #expect(try world.io.facts(world.west / ".dr" / "copies" / "ledger" / "points") == nil)
                try flip(path, position)
                FaultyStoreIO.removeAll(world.west / ".dr", world.io)
            }
        }
        #expect(kinds == ["packs", "maps", "points"])
        _ = try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: world.store())
    }

    @Test func `I15 what the disk of the own copy no longer gives is brought again by a migration`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        try await world.clock.sleep(for: .seconds(8 * 86_400))
        for pack in try await world.store().list(prefix: "ledger/packs/").map(\.name) {
            let path = world.west / ".dr" / "copies" / pack
            let io = FaultyStoreIO()
            let broken = Lock(true)
            io.meanwhile { operation in
                if operation.hasPrefix("rename"), operation.hasSuffix("\(path)") { broken.withLock { $0 = false } }
                guard operation == "read \(path)", broken.withLock({ $0 }) else { return }
                throw IOFailure(code: EIO, operation: "open", path: path, reason: "the disk")
            }
            _ = try await world.volumes(world.west, io).receive(point.id, of: VolumeWorld.application, from: world.store())
            #expect(broken.withLock { !$0 })
            try await world.clock.sleep(for: .seconds(8 * 86_400))
        }
    }

    @Test(arguments: ["packs", "maps"]) func `I15 what is damaged in the store and sound nowhere else is sent again by the next migration`(
        _ kind: String
    )
        async throws
    {
        let first = try await world.migrate(generation: 1).reception.point
        FaultyStoreIO.removeAll(world.west / ".dr", world.io)
        let harmed = try await world.store().list(prefix: "ledger/\(kind)/").map(\.name)
        for name in harmed { try flip(world.vault / name, 100) }
        var before: [String: [UInt8]] = [:]
        for name in harmed { before[name] = try contents(world.vault / name) }
        // A migration for each object that turns out damaged, at most; nothing changes at the source meanwhile.
        var point: RecoveryPoint?
        for generation in 2...Int64(harmed.count + 2) where point == nil {
            do { point = try await world.migrate(generation: generation).reception.point } catch let error as DRError {
                #expect(error.code == .damaged && error.hint?.hasPrefix("migrate again") == true, "\(error)")
            }
        }
        let whole = try #require(point)
        #expect(whole.volumes == first.volumes)
        try await world.volumes(world.west).verify(whole)
        // Packs stay where they are, for another copy may show them sound.
        if kind == "packs" { for name in harmed { #expect(try contents(world.vault / name) == before[name]) } }
    }

    @Test func `What a later program wrote is not taken for damaged, and a read that failed once is no damage`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").first).name
        for code in [ErrorCode.keyMissing, .storeUnreachable, .io] {
            FaultyStoreIO.removeAll(world.west / ".dr", world.io)
            let store = InterruptedStore(world.store()) { call in if call == .get(pack) { throw DRError(code, "no") } }
            await #expect(throws: DRError.self) {
                try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: store)
            }
        }
        let reads = Lock(0)
        let once = InterruptedStore(world.store()) { call in
            guard call == .get(pack) else { return }
            let isFirst = reads.withLock { count in
                count += 1
                return count == 1
            }
            if isFirst { throw DRError(.damaged, "on the way") }
        }
        _ = try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: once)
        #expect(try await world.store().list(prefix: "ledger/doubts/").isEmpty)
    }

    @Test func `G3 a flipped bit in the own copy is found by verify and by materialise, and healed by receiving again`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let west = world.volumes(world.west)
        for object in try await world.objects() {
            let path = world.west / ".dr" / "copies" / object.name
            for position in positions(Int(object.size.bytes)).filter({ $0 % 3 == 0 }) {
                try flip(path, position)
                let error = await #expect(throws: DRError.self, "bit \(position) of \(object.name)") { try await west.verify(point) }
                #expect(error?.code == .damaged)
                #expect(error?.message.contains(object.name) == true, "\(error?.message ?? "") is not about \(object.name)")
                try flip(path, position)
            }
            try flip(path, Int(object.size.bytes) / 2)
            _ = try await west.receive(point.id, of: VolumeWorld.application, from: world.store())
            try await west.verify(point)
        }
        // That of the chunks; manifests have one of their own.
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").max { $0.size < $1.size })
        try flip(world.west / ".dr" / "copies" / pack.name, 1000)
        let key = OperationKey("activate")
        let error = await #expect(throws: DRError.self) { try await west.materialise(point.volumes[0], of: point, key: key) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("chunk") == true)
    }

    @Test func `G3 I1 a lost object is found and named`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let west = world.volumes(world.west)
        for object in try await world.objects() {
            let path = world.west / ".dr" / "copies" / object.name
            let bytes = try contents(path)
            try world.io.removeFile(path)
            let error = await #expect(throws: DRError.self) { try await west.verify(point) }
            #expect(error?.code == .damaged)
            try write(path, bytes)
            // A truncated one, too.
            try write(path, [])
            let file = try world.io.open(path, .update, permissions: 0)
            try file.truncate(to: Int64(bytes.count / 2))
            await #expect(throws: DRError.self) { try await west.verify(point) }
            try write(path, bytes)
            try await west.verify(point)
        }
    }

    @Test func `A point of which nothing is here says so`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let error = await #expect(throws: DRError.self) { try await world.volumes(world.east).verify(point) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("ledger-e1-g1 is not in the own copy") == true)
        let missing = await #expect(throws: DRError.self) {
            try await world.volumes(world.west).receive("ledger-e1-g9", of: VolumeWorld.application, from: world.store())
        }
        #expect(missing?.code == .notFound)
    }
}
