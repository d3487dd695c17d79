@testable import DRReplication
import DRModel
import DRObjectStores
import Testing

/// What a publication believes of the last one's marks, and when it does not.
@Suite struct BelievedTests {
    let world: VolumeWorld
    private var data: StorePath { world.east / "volumes" / "data" }

    init() throws {
        world = try VolumeWorld()
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        try write(world.east / "volumes" / "data" / "large", noise(200_000))
        try letTimePass(after: "large")
    }

    /// The filesystem's clock goes on before anything is looked at.
    private func letTimePass(after name: String) throws {
        let made = try world.io.facts(data / name)?.changed ?? Instant(nanosecondsSince1970: 0)
        let probe = world.folder.path / "probe"
        repeat { try write(probe, [1]) } while try (world.io.facts(probe)?.modified ?? made) < made + .milliseconds(40)
    }

    private func read(_ generation: Int64, _ io: FaultyStoreIO = FaultyStoreIO()) async throws -> Int64 {
        try await world.migrate(generation: generation, io: io).publication.bytesRead.bytes
    }

    @Test func `G3 I11 after a reboot, or on another mount, everything is read once more`() async throws {
        #expect(try await read(1) == 200_000)
        #expect(try await read(2) == 0)
        let other = FaultyStoreIO()
        other.mountAnew("another boot 1")
        #expect(try await read(3, other) == 200_000)
        #expect(try await read(4, other) == 0)
        #expect(try await read(5) == 200_000)
        // Where the system does not tell, nothing is believed.
        other.mountAnew("")
        #expect(try await read(6, other) == 200_000)
        #expect(try await read(7, other) == 200_000)
    }

    @Test(arguments: [true, false])
    func `G3 I11 a full look reads what the filesystem calls a hole`(_ stopped: Bool) async throws {
        let io = FaultyStoreIO()
        io.lieAboutHoles()
        let east = world.volumes(world.east, io)
        let key = OperationKey("look")
        let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: stopped, key: key)
        let point = try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: [], to: world.store()).point
        let received = try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: world.store())
        try await world.activate(received.point, at: world.west)
        #expect(try contents(world.west / "volumes" / "data" / "large") == noise(200_000))
    }

    @Test func `I14 a scan cache that cannot be kept is told and costs the point nothing`() async throws {
        let io = FaultyStoreIO()
        io.fill(below: "/.dr/scan/")
        let publication = try await world.migrate(generation: 1, io: io).publication
        #expect(publication.warnings.count == 1)
        #expect(publication.warnings.first?.contains("volume data will be read whole next time") == true)
        #expect(try world.io.facts(world.east / ".dr" / "scan" / ".new-data") == nil)
        let next = try await world.migrate(generation: 2).publication
        #expect(next.bytesRead.bytes == 200_000 && next.warnings.isEmpty)
    }

    @Test func `I14 a full disk is not kept full of half a capture`() async throws {
        let io = FaultyStoreIO()
        io.fill(below: "/data/")
        let error = await #expect(throws: DRError.self) {
            try await world.volumes(world.east, io).capture(["data"], of: VolumeWorld.application, stopped: false, key: OperationKey("k"))
        }
        #expect(error?.code == .noSpace)
        #expect(try world.io.facts(StagingLayout(cluster: world.east).captures(of: OperationKey("k"))) == nil)
    }

    @Test func `G12 a cache that only a publication finds damaged is gone when it says so, and the next one reads everything`() async throws
    {
        for name in ["a", "b", "c"] { try write(data / name, noise(3000)) }
        try letTimePass(after: "c")
        #expect(try await read(1) == 209_000)
        // Nonsense with a right checksum, which a capture does not look at.
        let path = ScanCache.path("data", in: world.east)
        let whole = try contents(path)
        let cache = try #require(try ScanCache.open(path, of: VolumeWorld.application, io: world.io))
        let page = try #require(try cache.pages().next())
        let wrong = try #require(
            page.payload.indices.lazy.map { place in
                var payload = page.payload
                payload[place] ^= 0x80
                return payload
            }.first { payload in
                guard let read = try? CachedPage(payload, number: 0), let entries = try? read.entries(), (try? read.prior()) == nil else {
                    return false
                }
                return try entries.paths == page.entries().paths && entries.identities == page.entries().identities
            })
        var frame = ByteWriter()
        frame.put(UInt32(wrong.count))
        wrong.withUnsafeBytes { ChunkMark(of: $0) }.write(to: &frame)
        try write(path, frame.bytes + wrong, at: Int64(ScanCache.headerSize))
        #expect(try contents(path).count == whole.count)
        try write(data / "b", noise(3000, seed: 2))
        let error = await #expect(throws: DRError.self) { try await read(2) }
        #expect(error?.code == .damaged && error?.message.contains("scan cache of volume data") == true && error?.hint == "migrate again")
        #expect(try world.io.facts(path) == nil)
        try letTimePass(after: "b")
        #expect(try await read(3) == 209_000)
        #expect(try await read(4) == 0)
    }

    @Test func `G12 what is known of a volume that changed in part is no hindrance where the store knows nothing of it`() async throws {
        for name in ["a", "b", "c"] { try write(data / name, noise(3000)) }
        try letTimePass(after: "c")
        #expect(try await read(1) == 209_000)
        let record = try #require(try await world.store().list(prefix: "ledger/points/").first).name
        try await world.store().delete(record)
        try write(data / "b", noise(3000, seed: 2))
        try letTimePass(after: "b")
        #expect(try await read(2) == 209_000)
        #expect(try await read(3) == 0)
    }
}
