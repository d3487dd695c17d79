import DRModel
import DRObjectStores
import DRReplication
import Glibc
import Testing

/// Every change of a migration and of a materialisation, broken in every way, and done again.
@Suite struct VolumeCrashTests {
    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case killedBefore, killedAfter, powerCut, ioError, diskFull
        var fault: FaultyStoreIO.Fault {
            switch self {
            case .killedBefore: .killedBefore
            case .killedAfter: .killedAfter
            case .powerCut: .powerCut
            case .ioError: .fails(EIO)
            case .diskFull: .diskFull
            }
        }
        var testDescription: String { rawValue }
    }

    /// Every fourth change, another one for each way, so that together they see nearly all; with DRRUNBOOK_ALL_CRASHES=1 in the environment all.
    private func positions(_ count: Int, _ way: Way) -> StrideThrough<Int> {
        let all = getenv("DRRUNBOOK_ALL_CRASHES") != nil
        return stride(from: all ? 1 : 1 + (Way.allCases.firstIndex(of: way) ?? 0) % 4, through: count, by: all ? 1 : 4)
    }

    /// A world with one point at west, and a change at east that no point holds yet.
    private func prepared() async throws -> (world: VolumeWorld, first: RecoveryPoint) {
        let world = try VolumeWorld()
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        try write(data / "small", Array("hello".utf8))
        try write(data / "large", noise(200_000))
        try world.io.makeSymlink(data / "link", to: Array("small".utf8))
        let first = try await world.migrate(generation: 1, io: FaultyStoreIO()).reception.point
        try write(data / "large", noise(100, seed: 5), at: 70_000)
        try write(data / "new", noise(3000, seed: 6))
        // The same times in every world: the same content tokens.
        for path in [data / "small", data / "large", data / "link", data / "new", data] {
            try world.io.setModified(path, Instant(nanosecondsSince1970: 1_700_000_000_123_456_789))
        }
        return (world, first)
    }

    private func isExpected(_ error: any Error, _ way: Way) -> Bool {
        switch way {
        case .ioError: (error as? DRError)?.code == .io
        case .diskFull: (error as? DRError)?.code == .noSpace
        default: error is Killed
        }
    }

    @Test(arguments: Way.allCases)
    func `G2 G3 a migration broken at any change leaves whole points only and can be done again`(_ way: Way) async throws {
        let counting = FaultyStoreIO()
        let (undisturbed, _) = try await prepared()
        let wanted = try await undisturbed.migrate(generation: 2, io: counting).reception.point
        let count = counting.operations.count
        #expect(count > 40)
        for position in positions(count, way) {
            let (world, first) = try await prepared()
            let faulty = FaultyStoreIO(fault: way.fault, at: position)
            do {
                try await world.migrate(generation: 2, io: faulty)
            } catch {
                #expect(isExpected(error, way), "\(way) at \(position), \(faulty.operations.last ?? ""): \(error)")
            }
            #expect(faulty.hasStruck)
            // What the store shows as a point is whole: a site that has nothing can receive it.
            let visible = try await world.store().list(prefix: "ledger/points/ledger-e1-g2/")
            #expect(visible.count <= 1)
            if !visible.isEmpty {
                let fresh = world.folder.path / "fresh"
                try world.io.makeFolder(fresh, permissions: 0o755)
                _ = try await world.volumes(fresh, FaultyStoreIO()).receive(
                    "ledger-e1-g2", of: VolumeWorld.application, from: world.store())
            }
            // So is what the destination shows, without the store's help.
            let received = world.west / ".dr" / "copies" / "ledger" / "points" / "ledger-e1-g2"
            if try world.io.facts(received) != nil, try !world.io.list(received).isEmpty {
                try await world.volumes(world.west).verify(wanted)
            }
            // The earlier point is as good as before.
            try await world.volumes(world.west).verify(first)
            let again = try await world.migrate(generation: 2, io: FaultyStoreIO()).reception.point
            #expect(again.volumes == wanted.volumes && again.manifests == wanted.manifests)
            #expect(try await world.store().list(prefix: "ledger/points/ledger-e1-g2/").count == 1)
            try await world.volumes(world.west).verify(again)
        }
    }

    @Test(arguments: Way.allCases)
    func `G2 G3 a materialisation broken at any change leaves the live volume alone and can be done again`(_ way: Way) async throws {
        let (world, point) = try await prepared()
        try await world.activate(point, at: world.west, io: FaultyStoreIO())
        let live = try describe(world.west / "volumes" / "data")
        let key: OperationKey = OperationKey("again")
        let counting = FaultyStoreIO()
        _ = try await world.volumes(world.west, counting).materialise(point.volumes[0], of: point, key: key)
        try await world.volumes(world.west).discard(key)
        for position in positions(counting.operations.count, way) {
            let faulty = FaultyStoreIO(fault: way.fault, at: position)
            do {
                _ = try await world.volumes(world.west, faulty).materialise(point.volumes[0], of: point, key: key)
                #expect(way == .diskFull, "\(way) at \(position) went unnoticed: \(faulty.operations.last ?? "")")
            } catch {
                #expect(isExpected(error, way), "\(way) at \(position), \(faulty.operations.last ?? ""): \(error)")
            }
            #expect(try describe(world.west / "volumes" / "data") == live)
            let staged = try await world.volumes(world.west).materialise(point.volumes[0], of: point, key: key)
            #expect(staged.content == point.volumes[0].content)
            let layout = StagingLayout(cluster: world.west)
            #expect(try describe(layout.staged("data", .filesystem, key: key)) == live)
            try await world.volumes(world.west).discard(key)
            #expect(try world.io.list(layout.staging) == [])
        }
    }

    @Test func `G3 a point is durable at store and destination when it was published and received`() async throws {
        let key = OperationKey("run")
        func move(_ world: VolumeWorld, _ io: FaultyStoreIO) async throws -> RecoveryPoint {
            let east = world.volumes(world.east, io)
            let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: false, key: key)
            let point = try await east.publish(capture, as: try VolumeWorld.draft(2), manifests: [], to: world.store(io)).point
            return try await world.volumes(world.west, io).receive(point.id, of: VolumeWorld.application, from: world.store(io)).point
        }
        let (other, _) = try await prepared()
        let books = FaultyStoreIO()
        let point = try await move(other, books)
        books.cutPower()
        try await other.volumes(other.west).verify(point)
        let fresh = other.folder.path / "fresh"
        try other.io.makeFolder(fresh, permissions: 0o755)
        _ = try await other.volumes(fresh).receive(point.id, of: VolumeWorld.application, from: other.store())
    }

    @Test func `G3 what a killed run left is durable too when the next one has used it`() async throws {
        let counting = FaultyStoreIO()
        let (undisturbed, _) = try await prepared()
        try await undisturbed.migrate(generation: 2, io: counting)
        for position in positions(counting.operations.count, .killedBefore) {
            let (world, _) = try await prepared()
            let killed = FaultyStoreIO(fault: .killedBefore, at: position)
            _ = try? await world.migrate(generation: 2, io: killed)
            let next = killed.restarted()
            let point = try await world.migrate(generation: 2, io: next).reception.point
            next.cutPower()
            try await world.volumes(world.west).verify(point)
            let fresh = world.folder.path / "fresh"
            try world.io.makeFolder(fresh, permissions: 0o755)
            _ = try await world.volumes(fresh).receive(point.id, of: VolumeWorld.application, from: world.store())
        }
    }

    @Test func `G3 I1 a point that a destination has received stays in the store, though its publisher died before it was durable`()
        async throws
    {
        let key = OperationKey("run")
        func publish(_ world: VolumeWorld, _ io: FaultyStoreIO) async throws {
            let east = world.volumes(world.east)
            let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: key)
            _ = try await east.publish(capture, as: try VolumeWorld.draft(2), manifests: [], to: world.store(io))
        }
        let counting = FaultyStoreIO()
        try await publish(try await prepared().world, counting)
        let record = try #require(counting.operations.firstIndex { $0.hasPrefix("rename") && $0.contains("/points/") })
        let (world, _) = try await prepared()
        let killed = FaultyStoreIO(fault: .killedAfter, at: record + 1)
        await #expect(throws: Killed.self) { try await publish(world, killed) }
        let next = killed.restarted()
        let point = try await world.volumes(world.west).receive("ledger-e1-g2", of: VolumeWorld.application, from: world.store(next)).point
        next.cutPower()
        let fresh = world.folder.path / "fresh"
        try world.io.makeFolder(fresh, permissions: 0o755)
        _ = try await world.volumes(fresh).receive(point.id, of: VolumeWorld.application, from: world.store())
    }

    @Test func `G3 what is staged is durable when materialise returns`() async throws {
        let (world, point) = try await prepared()
        let key = OperationKey("again")
        let books = FaultyStoreIO()
        _ = try await world.volumes(world.west, books).materialise(point.volumes[0], of: point, key: key)
        books.cutPower()
        let staged = StagingLayout(cluster: world.west).staged("data", .filesystem, key: key)
        #expect(try contents(staged / "large") == noise(200_000))
    }

    @Test func `G2 a killed publication's packs are used again, not sent again`() async throws {
        let (world, _) = try await prepared()
        let counting = FaultyStoreIO()
        try await world.migrate(generation: 2, io: counting)
        let (other, _) = try await prepared()
        let record = try #require(counting.operations.firstIndex { $0.contains("/points/ledger-e1-g2") && $0.hasPrefix("makeFolder") })
        await #expect(throws: Killed.self) {
            try await other.migrate(generation: 2, io: FaultyStoreIO(fault: .killedBefore, at: record + 1))
        }
        let packs = try await other.store().list(prefix: "ledger/packs/")
        let again = try await other.migrate(generation: 2)
        #expect(try await other.store().list(prefix: "ledger/packs/") == packs)
        #expect(again.publication.bytesSent.bytes < 2000)
    }

    @Test func `A migration that gave up does not stand in the way of the next with the same id`() async throws {
        let (world, _) = try await prepared()
        let east = world.volumes(world.east)
        let old = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: OperationKey("old"))
        _ = try await east.publish(old, as: try VolumeWorld.draft(2), manifests: [], to: world.store())
        try write(world.east / "volumes" / "data" / "new", Array("newer".utf8))
        let point = try await world.migrate(generation: 2, key: "new").reception.point
        try await world.activate(point, at: world.west)
        #expect(try contents(world.west / "volumes" / "data" / "new").starts(with: Array("newer".utf8)))
    }
}
