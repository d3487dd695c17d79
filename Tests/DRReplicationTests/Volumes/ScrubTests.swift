import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Glibc
import Testing

/// Reading everything to find what is damaged, a part at a time.
@Suite struct ScrubTests {
    let world: VolumeWorld
    private let application = VolumeWorld.application
    private var data: StorePath { world.east / "volumes" / "data" }
    private var copies: StorePath { world.west / ".dr" / "copies" }

    init() throws {
        world = try VolumeWorld()
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        for name in ["a", "b", "c"] {
            try write(world.east / "volumes" / "data" / name, noise(1 << 20, seed: UInt64(name.utf8.first ?? 0)))
        }
    }

    private func sealed(_ digit: Character) throws -> SealedObjectStore {
        try SealedObjectStore(world.store(), keys: [try SealingKey(String(repeating: digit, count: 64), source: "a test")])
    }

    private func publish(to store: any ObjectStore) async throws -> RecoveryPoint {
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: application, stopped: true, key: OperationKey("run"))
        let point = try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: VolumeWorld.manifests, to: store).point
        return try await world.volumes(world.west).receive(point.id, of: application, from: store).point
    }

    private func flip(_ path: StorePath) throws {
        let bytes = try contents(path)
        try write(path, [bytes[bytes.count / 2] ^ 4], at: Int64(bytes.count / 2))
    }

    @Test func `I15 every damaged object of an encrypted store is healed, not only the first`() async throws {
        let store = try sealed("a")
        let point = try await publish(to: store)
        let objects = try await world.objects().map(\.name)
        // One that can be opened shows that the key is the right one.
        let sound = try #require(objects.first { $0.contains("/maps/") })
        for name in objects where name != sound { try flip(world.vault / name) }
        let scrubbed = try await world.volumes(world.west).scrub(application, with: store)
        #expect(scrubbed.healed == objects.filter { $0 != sound }.map { "store vault's \($0)" })
        #expect(scrubbed.lost.isEmpty)
        let fresh = world.folder.path / "fresh"
        try world.io.makeFolder(fresh, permissions: 0o755)
        _ = try await world.volumes(fresh).receive(point.id, of: application, from: store)
    }

    @Test func `I15 what is damaged on both sides is named, and the rest is healed`() async throws {
        let store = try sealed("a")
        _ = try await publish(to: store)
        let packs = try await store.list(prefix: "ledger/packs/").map(\.name)
        try #require(packs.count >= 3)
        for root in [world.vault, copies] { try flip(root / packs[0]) }
        try flip(copies / packs[1])
        try flip(world.vault / packs[2])
        let scrubbed = try await world.volumes(world.west).scrub(application, with: store)
        #expect(scrubbed.lost == [packs[0]])
        #expect(scrubbed.healed == ["the own copy's \(packs[1])", "store vault's \(packs[2])"])
    }

    @Test func `A store of which nothing can be opened is not healed with another key`() async throws {
        _ = try await publish(to: try sealed("a"))
        let before = try await world.objects().map { try contents(world.vault / $0.name) }
        let error = await #expect(throws: DRError.self) {
            try await world.volumes(world.west).scrub(application, with: try sealed("b"))
        }
        #expect(error?.code == .keyMissing && error?.message.contains("sealed with key") == true)
        #expect(try await world.objects().map { try contents(world.vault / $0.name) } == before)
    }

    @Test func `I15 what a scrub was killed over while it replaced it is brought back`() async throws {
        _ = try await publish(to: world.store())
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").first).name
        try flip(world.vault / pack)
        let dying = InterruptedStore(world.store(), puts: { _ in throw Killed() })
        await #expect(throws: Killed.self) { try await world.volumes(world.west).scrub(application, with: dying) }
        #expect(try await !world.store().exists(pack))
        #expect(try await world.volumes(world.west).scrub(application, with: world.store()).healed == ["store vault's \(pack)"])
    }

    @Test func `A scrub in parts reads everything once`() async throws {
        _ = try await publish(to: world.store())
        let west = world.volumes(world.west)
        let whole = try await west.scrub(application, with: world.store())
        var (objects, parts, next) = (0, 0, String?.none)
        repeat {
            let part = try await west.scrub(application, with: world.store(), after: next, most: ByteCount(1 << 20))
            #expect(part.bytes < 4 << 20)
            objects += part.objects
            parts += 1
            next = part.next
        } while next != nil
        #expect(objects == whole.objects && parts >= 3)
    }

    @Test func `I15 what the disk under a folder store no longer gives is healed as any damage is`() async throws {
        _ = try await publish(to: world.store())
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").first).name
        let io = FaultyStoreIO()
        let (path, broken) = (world.vault / pack, Lock(true))
        io.meanwhile { operation in
            if operation.hasPrefix("remove"), operation.hasSuffix("\(path)") { broken.withLock { $0 = false } }
            guard operation == "read \(path)", broken.withLock({ $0 }) else { return }
            throw IOFailure(code: EIO, operation: "open", path: path, reason: "the disk")
        }
        let scrubbed = try await world.volumes(world.west).scrub(application, with: world.store(io))
        #expect(scrubbed.healed == ["store vault's \(pack)"] && !scrubbed.isDamageLeft)
        // A store that does not answer is not damaged.
        let silent = InterruptedStore(world.store()) { call in if call == .get(pack) { throw DRError(.storeUnreachable, "no") } }
        await #expect { try await world.volumes(world.west).scrub(application, with: silent) } throws: {
            ($0 as? DRError)?.code == .storeUnreachable
        }
    }

    @Test func `I15 what a scrub cannot put into the store is not called healed, and the rest is`() async throws {
        _ = try await publish(to: world.store())
        let packs = try await world.store().list(prefix: "ledger/packs/").map(\.name)
        try #require(packs.count >= 3)
        for pack in packs.prefix(3) { try flip(world.vault / pack) }
        let bad = try contents(world.vault / packs[0])
        // Somebody else is faster with the first, and the second cannot be written.
        let store = InterruptedStore(
            world.store(),
            puts: { name in
                if name == packs[0] { try write(self.world.vault / name, bad) }
                if name == packs[1] { throw DRError(.noSpace, "the disk is full") }
            })
        let scrubbed = try await world.volumes(world.west).scrub(application, with: store)
        #expect(scrubbed.healed == ["store vault's \(packs[2])"])
        #expect(scrubbed.unhealed.count == 2, "\(scrubbed.unhealed)")
        #expect(scrubbed.unhealed.last == "store vault's \(packs[1]): the disk is full")
        #expect(scrubbed.isDamageLeft)
    }

    @Test func `I15 what a receiver found damaged counts again once a scrub has healed it`() async throws {
        let point = try await publish(to: world.store())
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").first).name
        try flip(world.vault / pack)
        let fresh = world.folder.path / "fresh"
        try world.io.makeFolder(fresh, permissions: 0o755)
        await #expect(throws: DRError.self) { try await world.volumes(fresh).receive(point.id, of: application, from: world.store()) }
        #expect(try await world.store().list(prefix: "ledger/doubts/").map(\.name) == ["ledger/doubts/\(pack.dropFirst("ledger/".count))"])
        #expect(try await world.volumes(world.west).scrub(application, with: world.store()).healed == ["store vault's \(pack)"])
        #expect(try await world.store().list(prefix: "ledger/doubts/").isEmpty)
        _ = try await world.volumes(fresh).receive(point.id, of: application, from: world.store())
    }

    @Test func `After a rotation a scrub seals anew what the old key sealed, and the old key may go`() async throws {
        _ = try await publish(to: try sealed("a"))
        let both = try SealedObjectStore(
            world.store(), keys: ["b", "a"].map { try SealingKey(String(repeating: $0, count: 64), source: "a test") })
        let scrubbed = try await world.volumes(world.west).scrub(application, with: both)
        let objects = try await world.objects().map(\.name)
        #expect(scrubbed.resealed == objects.map { "store vault's \($0)" }.sorted() && scrubbed.healed.isEmpty)
        let again = try await world.volumes(world.west).scrub(application, with: try sealed("b"))
        #expect(!again.hasFindings && again.objects == objects.count)
    }

    @Test func `What a key sealed that is gone is told apart from damage, and sealed anew where the own copy is sound`() async throws {
        let point = try await publish(to: try sealed("a"))
        try write(data / "d", noise(1 << 20, seed: 99))
        let east = world.volumes(world.east)
        let both = try SealedObjectStore(
            world.store(), keys: ["b", "a"].map { try SealingKey(String(repeating: $0, count: 64), source: "a test") })
        let capture = try await east.capture(["data"], of: application, stopped: true, key: OperationKey("second"))
        let second = try await east.publish(capture, as: try VolumeWorld.draft(2), manifests: VolumeWorld.manifests, to: both).point
        _ = try await world.volumes(world.west).receive(second.id, of: application, from: both)
        let packs = try await world.volumes(world.west).objects(of: point).filter { $0.contains("/packs/") }
        try flip(copies / packs[0])
        let only = try sealed("b")
        let scrubbed = try await world.volumes(world.west).scrub(application, with: only)
        #expect(scrubbed.locked == [packs[0]] && scrubbed.healed.isEmpty && scrubbed.lost.isEmpty, "\(scrubbed)")
        #expect(scrubbed.resealed.contains("store vault's \(packs[1])"))
        // With the key it is healed.
        #expect(try await world.volumes(world.west).scrub(application, with: both).healed == ["the own copy's \(packs[0])"])
    }
}
