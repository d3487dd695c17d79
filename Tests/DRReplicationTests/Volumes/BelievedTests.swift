import DRModel
import DRReplication
import Testing

/// What a publication believes of the last one's marks, and when it does not.
@Suite struct BelievedTests {
    let world: VolumeWorld
    private var data: StorePath { world.east / "volumes" / "data" }

    init() throws {
        world = try VolumeWorld()
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        try write(world.east / "volumes" / "data" / "large", noise(200_000))
        // The filesystem's clock goes on before anything is looked at.
        let made = try world.io.facts(world.east / "volumes" / "data" / "large")?.changed ?? Instant(nanosecondsSince1970: 0)
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
}
