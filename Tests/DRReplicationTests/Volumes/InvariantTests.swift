@testable import DRReplication
import DRModel
import DRObjectStores
import Testing

/// What holds of everything that was published.
@Suite struct InvariantTests {
    let world: VolumeWorld
    private var data: StorePath { world.east / "volumes" / "data" }

    init() throws {
        world = try VolumeWorld()
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        try write(world.east / "volumes" / "data" / "large", noise(200_000))
    }

    @Test func `I2 no object of a store or an own copy changes once it is there`() async throws {
        var known: [StorePath: [UInt8]] = [:]
        for generation in 1...4 {
            try write(data / "large", noise(500, seed: UInt64(generation)), at: Int64(generation) * 20_000)
            try await world.migrate(generation: Int64(generation))
            for object in try await world.objects() {
                for root in [world.vault, world.west / ".dr" / "copies"] {
                    let bytes = try contents(root / object.name)
                    #expect(known[root / object.name] == nil || known[root / object.name] == bytes, "\(root / object.name)")
                    known[root / object.name] = bytes
                }
            }
        }
        #expect(known.count > 20)
    }

    private func stored() throws -> [String] { try describe(world.vault) + describe(world.west / ".dr" / "copies") }

    @Test func `I6 a volume that goes live shares nothing with what it was made of, and making it changes nothing there`() async throws {
        try makeHostileTree(data / "tree")
        let image = world.east / "volumes" / "disk.img"
        try write(image, noise(3 << 20))
        let point = try await world.migrate(["data", "disk"], generation: 1).reception.point
        let before = try stored()
        for volume in 0...1 { try await world.activate(point, at: world.west, volume: volume) }
        #expect(try stored() == before)
        // Nor does what the application writes then.
        try write(world.west / "volumes" / "data" / "large", noise(200_000, seed: 1))
        try write(world.west / "volumes" / "disk.img", noise(3 << 20, seed: 2))
        #expect(try stored() == before)
        try await world.volumes(world.west).verify(point)
        for volume in 0...1 { try await world.activate(point, at: world.west, volume: volume) }
        #expect(try describe(world.west / "volumes" / "data") == describe(data))
        #expect(try contents(world.west / "volumes" / "disk.img") == contents(image))
    }

    @Test func `G3 a staged volume that is made anew is moved away whole before it is removed`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let key = OperationKey("activate")
        _ = try await world.volumes(world.west).materialise(point.volumes[0], of: point, key: key)
        let io = FaultyStoreIO()
        _ = try await world.volumes(world.west, io).materialise(point.volumes[0], of: point, key: key)
        let staged = StagingLayout(cluster: world.west).staged("data", .filesystem, key: key)
        #expect(try describe(staged) == describe(data))
        // A commit of somebody else could make it live at any moment.
        #expect(!io.operations.contains { $0.hasPrefix("remove") && $0.contains("\(staged)") })
        #expect(io.operations.contains { $0.hasPrefix("remove") && $0.contains("/.building-data-") })
    }

    @Test func `I13 a clone under another name changes neither the live volume nor what both are made of`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        try await world.activate(point, at: world.west)
        let live = try describe(world.west / "volumes" / "data")
        let before = try stored()
        let west = world.volumes(world.west)
        let key = OperationKey("drill")
        _ = try await west.materialise(point.volumes[0], of: point, as: "data-drill", key: key)
        let clone = StagingLayout(cluster: world.west).staged("data-drill", .filesystem, key: key)
        try write(clone / "large", noise(200_000, seed: 3))
        try world.io.removeTree(clone / "large")
        #expect(try describe(world.west / "volumes" / "data") == live)
        #expect(try stored() == before)
        try await west.discard(key)
        #expect(try world.io.facts(clone) == nil)
        #expect(try stored() == before)
    }

    @Test func `I4 each record names the one whose chunks it builds upon`() async throws {
        var last: ContentHash?
        for generation in 1...3 {
            try write(data / "large", noise(500, seed: UInt64(generation)), at: 9000)
            try await world.migrate(generation: Int64(generation))
            let name = try #require(try await world.store().list(prefix: "ledger/points/ledger-e1-g\(generation)/").first).name
            let object = try await world.store().get(name)
            let record = try PointRecord(parsing: object)
            #expect(record.draft.generation == Int64(generation))
            #expect(record.parent == last)
            last = ContentHash(of: object)
        }
    }

    @Test func `The object size of cluster yaml bounds the packs`() async throws {
        try write(world.east / "cluster.yaml", Array("version: \"1.31\"\nobjectSize: 2MiB\n".utf8))
        try write(data / "large", noise(7 << 20))
        let east = DirectoryVolumeStore(
            cluster: "east", directory: world.east, io: FaultyStoreIO(), clock: world.clock, random: world.random, parallel: 0)
        let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: OperationKey("sized"))
        _ = try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: [], to: world.store())
        let sizes = try await world.store().list(prefix: "ledger/packs/").map(\.size.bytes)
        #expect(sizes.count == 4)
        #expect(sizes.allSatisfy { $0 <= 2 << 20 })
    }
}
