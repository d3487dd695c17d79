import DRModel
import DRObjectStores
import DRReplication
import Testing

@Suite struct RoundTripTests {
    let world: VolumeWorld

    init() throws { world = try VolumeWorld() }

    @Test func `A hostile tree arrives as it was, to the last attribute`() async throws {
        try makeHostileTree(world.east / "volumes" / "data")
        let before = try describe(world.east / "volumes" / "data")
        let (publication, reception) = try await world.migrate(generation: 1)
        try await world.activate(reception.point, at: world.west)
        #expect(try describe(world.west / "volumes" / "data") == before)
        #expect(try describe(world.east / "volumes" / "data") == before)
        #expect(publication.point.consistency == .application)
        #expect(publication.point.verifiedAt == nil)
        #expect(reception.point.verifiedAt != nil)
        #expect(reception.point.volumes == publication.point.volumes)
    }

    @Test func `Holes stay holes`() async throws {
        try makeHostileTree(world.east / "volumes" / "data")
        let (_, reception) = try await world.migrate(generation: 1)
        try await world.activate(reception.point, at: world.west)
        let sparse = try #require(try world.io.facts(world.west / "volumes" / "data" / "sparse"))
        #expect(sparse.size == 8 << 20)
        #expect(sparse.allocated <= 64 << 10)
        #expect(try world.io.facts(world.west / "volumes" / "data" / "only-hole")?.allocated == 0)
    }

    @Test func `A block image arrives byte for byte`() async throws {
        let image = world.east / "volumes" / "disk.img"
        let file = try world.io.open(image, .create, permissions: 0o600)
        try file.truncate(to: 5 << 20)
        try noise(200_000).withUnsafeBytes { try file.write(at: 1 << 20, $0) }
        try noise(1000).withUnsafeBytes { try file.write(at: 5 << 20 - 1000, $0) }
        try file.close()
        #expect(try await world.volumes(world.east).stat("disk")?.kind == .block)
        let (_, reception) = try await world.migrate(["disk"], generation: 1)
        try await world.activate(reception.point, at: world.west)
        let arrived = world.west / "volumes" / "disk.img"
        #expect(try contents(arrived) == contents(image))
        #expect(try #require(try world.io.facts(arrived)).allocated < 1 << 20)
        try write(image, noise(65536, seed: 9), at: 2 << 20)
        let second = try await world.migrate(["disk"], generation: 2)
        #expect(second.publication.bytesSent.bytes < 80_000)
    }

    @Test func `Manifests arrive byte for byte and without their place in a file`() async throws {
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        let (_, reception) = try await world.migrate(generation: 1)
        #expect(try await world.volumes(world.west).manifests(of: reception.point) == VolumeWorld.manifests)
    }

    @Test func `Only changed chunks are sent`() async throws {
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        try write(data / "large", noise(4 << 20))
        for number in 0..<50 { try write(data / "file-\(number)", noise(3000, seed: UInt64(number))) }
        let first = try await world.migrate(generation: 1)
        #expect(first.publication.bytesSent.bytes > 4 << 20)
        try write(data / "large", noise(100, seed: 99), at: 2_000_000)
        try write(data / "file-7", noise(3000, seed: 1007))
        let second = try await world.migrate(generation: 2)
        // One chunk of 16 KiB, one file of 3000 bytes, pages and record.
        #expect(second.publication.bytesSent.bytes > 19_000)
        #expect(second.publication.bytesSent.bytes < 60_000)
        #expect(second.reception.bytesReceived == second.publication.bytesSent)
        try await world.activate(second.reception.point, at: world.west)
        #expect(try describe(world.west / "volumes" / "data") == describe(data))
    }

    @Test func `An unchanged application sends no volume data and reads none`() async throws {
        try makeHostileTree(world.east / "volumes" / "data")
        var sent: Int64 = 0
        var read: Int64 = .max
        // Files younger than the clock that stamps them are read again to be sure: a few rounds later they are old enough.
        for generation in 1...200 where read > 0 {
            let before = try await world.store().list(prefix: "").count
            let publication = try await world.migrate(generation: Int64(generation)).publication
            read = publication.bytesRead.bytes
            sent = publication.bytesSent.bytes
            if generation > 1 {
                #expect(try await world.store().list(prefix: "").count == before + 1)
                #expect(sent < 1500)
            }
        }
        #expect(read == 0)
    }

    @Test func `Without its cache a source reads everything and still sends nothing twice`() async throws {
        try makeHostileTree(world.east / "volumes" / "data")
        let first = try await world.migrate(generation: 1).publication
        try world.io.removeFile(world.east / ".dr" / "scan" / "data")
        let second = try await world.migrate(generation: 2).publication
        #expect(second.bytesRead == first.bytesRead)
        #expect(second.bytesSent.bytes < 1500)
        #expect(second.point.volumes == first.point.volumes)
    }

    @Test func `A damaged cache is not believed`() async throws {
        try makeHostileTree(world.east / "volumes" / "data")
        try await world.migrate(generation: 1)
        let cache = world.east / ".dr" / "scan" / "data"
        let size = try contents(cache).count
        for position in stride(from: 0, to: size, by: max(1, size / 40)) {
            let byte = try contents(cache)[position]
            try write(cache, [byte ^ 0x10], at: Int64(position))
            let point = try await world.migrate(generation: Int64(position) + 2).publication.point
            #expect(try await world.migrate(generation: 1, key: "run/1/1").publication.point.volumes == point.volumes)
        }
    }

    @Test func `Going back home sends only what differs`() async throws {
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        try write(data / "large", noise(2 << 20))
        let there = try await world.migrate(generation: 1)
        try await world.activate(there.reception.point, at: world.west)
        try write(world.west / "volumes" / "data" / "large", noise(10, seed: 3), at: 500_000)
        let back = try await world.migrate(generation: 1, epoch: 2, from: world.west, to: world.east)
        #expect(back.publication.bytesSent.bytes < 40_000)
        try await world.activate(back.reception.point, at: world.east)
        #expect(try describe(data) == describe(world.west / "volumes" / "data"))
    }

    @Test func `A pack that the store has lost is sent again`() async throws {
        try makeHostileTree(world.east / "volumes" / "data")
        try await world.migrate(generation: 1)
        for object in try await world.store().list(prefix: "ledger/packs/") { try await world.store().delete(object.name) }
        FaultyStoreIO.removeAll(world.west / ".dr", world.io)
        let (_, reception) = try await world.migrate(generation: 2)
        try await world.activate(reception.point, at: world.west)
        #expect(try describe(world.west / "volumes" / "data") == describe(world.east / "volumes" / "data"))
    }

    @Test func `G9 the own copy alone is enough when store and source are gone`() async throws {
        try makeHostileTree(world.east / "volumes" / "data")
        let before = try describe(world.east / "volumes" / "data")
        let point = try await world.migrate(generation: 1).reception.point
        FaultyStoreIO.removeAll(world.east, world.io)
        FaultyStoreIO.removeAll(world.vault, world.io)
        try await world.volumes(world.west).verify(point)
        #expect(try await world.volumes(world.west).manifests(of: point) == VolumeWorld.manifests)
        try await world.activate(point, at: world.west)
        #expect(try describe(world.west / "volumes" / "data") == before)
    }
}
