import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Testing

/// What a publication holds at once, however slow the store and however strange the files.
@Suite struct BoundsTests {
    private static let megabyte: Int64 = 1 << 20

    /// A volume of one file; no byte of it can be compressed.
    private func world(megabytes: Int, parallel: Int) throws -> VolumeWorld {
        let world = try VolumeWorld(parallel: parallel)
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        let piece = noise(1 << 20)
        for number in 0..<megabytes { try write(data / "large", piece, at: Int64(number) << 20) }
        return world
    }

    /// Publishes into a store that takes its time, and says how many bytes were read at most that it had not taken yet.
    private func mostAhead(_ world: VolumeWorld, generation: Int64, limit: Int64) async throws -> Int64 {
        let io = FaultyStoreIO()
        let east = world.volumes(world.east, io)
        let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: OperationKey("slow/\(generation)"))
        let before = io.bytesRead
        let (taken, most) = (Lock<Int64>(0), Lock<Int64>(0))
        let slow = InterruptedStore(
            world.store(),
            puts: { name in
                guard name.contains("/packs/") else { return }
                // It waits for the publication to run away, within bounds.
                for _ in 0..<2000 where io.bytesRead - before - taken.withLock({ $0 }) <= limit { await Task.yield() }
                let ahead = io.bytesRead - before - taken.withLock { $0 }
                most.withLock { $0 = max($0, ahead) }
                taken.withLock { $0 += Self.megabyte }
            })
        _ = try await east.publish(capture, as: try VolumeWorld.draft(generation), manifests: [], to: slow)
        return most.withLock { $0 }
    }

    @Test func `A store that is slower than the disk bounds what is read, not only what is sent`() async throws {
        let limit = 32 * Self.megabyte
        #expect(try await mostAhead(try world(megabytes: 64, parallel: 2), generation: 1, limit: limit) < limit)
    }

    @Test func `The same where the store has lost what it had of a file that did not change`() async throws {
        let world = try world(megabytes: 24, parallel: 0)
        let small = world.east / "volumes" / "data" / "changing"
        try write(small, [1])
        try await grow(world)
        try await world.migrate(generation: 1)
        for pack in try await world.store().list(prefix: "ledger/packs/") { try await world.store().delete(pack.name) }
        // Beside it something changed: the large file is looked at as a whole.
        try write(small, [2, 3])
        #expect(try await mostAhead(world, generation: 2, limit: 8 * Self.megabyte) < 8 * Self.megabyte)
    }

    /// Waits until the filesystem's clock has gone on: a file that changed in the tick of the scan is not believed.
    private func grow(_ world: VolumeWorld) async throws {
        let probe = world.folder.path / "probe"
        let changed = try #require(try world.io.facts(world.east / "volumes" / "data" / "large")).changed
        repeat { try write(probe, [1]) } while try #require(try world.io.facts(probe)).modified < changed + .milliseconds(40)
    }

    @Test func `Descriptors stay few when a file of many pieces is sent once more`() async throws {
        let world = try VolumeWorld(parallel: 2)
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        let piece = noise(16 << 10)
        for number in 0..<600 { try write(data / "large", piece, at: Int64(number) << 15) }
        try await grow(world)
        try await world.migrate(generation: 1)
        for pack in try await world.store().list(prefix: "ledger/packs/") { try await world.store().delete(pack.name) }
        let io = FaultyStoreIO()
        let east = world.volumes(world.east, io)
        let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: OperationKey("again"))
        let point = try await east.publish(capture, as: try VolumeWorld.draft(2), manifests: [], to: world.store()).point
        #expect(io.bytesRead > 9 * Self.megabyte)
        #expect(io.mostOpen < 12)
        let fresh = world.folder.path / "fresh"
        try world.io.makeFolder(fresh, permissions: 0o755)
        _ = try await world.volumes(fresh).receive(point.id, of: VolumeWorld.application, from: world.store())
    }

    @Test func `A publication that finds nothing changed waits for the disk as often with many points as with few`() async throws {
        let world = try world(megabytes: 1, parallel: 0)
        try await grow(world)
        var syncs: [Int] = []
        for generation: Int64 in 1...10 {
            let io = FaultyStoreIO()
            let east = world.volumes(world.east, io)
            let key = OperationKey("same/\(generation)")
            let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: key)
            _ = try await east.publish(
                capture, as: try VolumeWorld.draft(generation), manifests: VolumeWorld.manifests, to: world.store(io))
            syncs.append(io.operations.filter { $0.hasPrefix("sync") }.count)
        }
        // The record and its names; what it builds upon, which is mostly durable already.
        #expect(syncs.dropFirst(2).allSatisfy { $0 == 9 }, "\(syncs)")
    }
}
