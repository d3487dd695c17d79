import DRModel
import DRObjectStores
import DRReplication
import DRSupport
import Glibc
import Testing

@Suite struct SweepTests {
    let world: VolumeWorld
    private let day = Duration.seconds(86_401)
    private var data: StorePath { world.east / "volumes" / "data" }
    private let application = VolumeWorld.application

    init() throws {
        world = try VolumeWorld()
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        try write(world.east / "volumes" / "data" / "first", noise(30_000))
    }

    /// `count` points, each with another content of one file, every other one with one more file.
    private func points(_ count: Int, from first: Int64 = 1) async throws -> [RecoveryPoint] {
        var points: [RecoveryPoint] = []
        for generation in first..<first + Int64(count) {
            try write(data / "changing", noise(20_000, seed: UInt64(generation)))
            // Of an even one nothing is left once the next one is there.
            if generation % 2 == 1 { try write(data / "added-\(generation)", noise(2000, seed: UInt64(generation) + 100)) }
            points.append(try await world.migrate(generation: generation).reception.point)
        }
        return points
    }

    private func sweep(_ keeping: [RecoveryPoint]) async throws -> Swept {
        try await world.volumes(world.west).sweep(world.store(), of: application, keeping: Set(keeping.map(\.id)), asked: ["east", "west"])
    }

    private func freshCanReceive(_ point: RecoveryPoint) async throws {
        let fresh = world.folder.path / "fresh-\(world.random.next())"
        try world.io.makeFolder(fresh, permissions: 0o755)
        _ = try await world.volumes(fresh).receive(point.id, of: application, from: world.store())
    }

    private func names(_ kind: String) async throws -> Set<String> {
        Set(try await world.store().list(prefix: "ledger/\(kind)/").map(\.name))
    }

    @Test func `I7 the own copy keeps all that kept points need and nothing else`() async throws {
        let points = try await points(5)
        let west = world.volumes(world.west)
        // What came in lately may be on its way into a list.
        #expect(try await west.sweep(application, keeping: [points[2].id]) == Swept())
        try await world.clock.sleep(for: .seconds(3601))
        let swept = try await west.sweep(application, keeping: [points[2].id, points[4].id])
        #expect(swept.removed > 0)
        #expect(swept.bytes > 40_000)
        for kept in [2, 4] { try await west.verify(points[kept]) }
        for gone in [0, 1, 3] { await #expect(throws: DRError.self) { try await west.verify(points[gone]) } }
        #expect(try await west.sweep(application, keeping: [points[2].id, points[4].id]).removed == 0)
        // What was let go comes back from the store when it is asked for.
        _ = try await west.receive(points[0].id, of: application, from: world.store())
        try await west.verify(points[0])
        try await world.activate(points[4], at: world.west)
        #expect(try describe(world.west / "volumes" / "data") == describe(data))
    }

    @Test func `I7 a store lets objects go a day after nothing needed them, the newest points never`() async throws {
        let points = try await points(6)
        let before = try await names("packs")
        // All are younger than a day.
        #expect(try await sweep([points[1]]) == Swept())
        try await world.clock.sleep(for: day)
        let buried = try await sweep([points[1]])
        #expect(buried.removed == 0 && buried.waiting > 0)
        #expect(try await names("packs") == before)
        #expect(try await sweep([points[1]]).removed == 0)
        try await world.clock.sleep(for: day)
        let swept = try await sweep([points[1]])
        #expect(swept.removed == buried.waiting && swept.waiting == 0)
        #expect(try await names("packs").isStrictSubset(of: before))
        #expect(try await names("tombs").isEmpty)
        for kept in [1, 4, 5] { try await freshCanReceive(points[kept]) }
        for gone in [0, 2, 3] { await #expect(throws: DRError.self) { try await freshCanReceive(points[gone]) } }
        // And the source goes on from there.
        let next = try await self.points(1, from: 7)
        try await freshCanReceive(next[0])
    }

    @Test func `I7 what is to go counts as missing for a publication that begins then`() async throws {
        let old = try contents(data / "first")
        _ = try await points(1)
        try world.io.removeFile(data / "first")
        let points = try await points(3, from: 2)
        try await world.clock.sleep(for: day)
        #expect(try await sweep([]).waiting > 0)
        // The content comes back that only the first point had, and the source has forgotten everything.
        try write(data / "first", old)
        try world.io.removeFile(world.east / ".dr" / "scan" / "data")
        let again = try await self.points(1, from: 5)
        try await world.clock.sleep(for: day)
        #expect(try await sweep([]).removed > 0)
        try await freshCanReceive(again[0])
        try await freshCanReceive(points[2])
    }

    @Test func `I7 the packs of a session that is carried on after a day are not built upon`() async throws {
        let key = OperationKey("slow")
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: application, stopped: true, key: key)
        let dying = InterruptedStore(world.store(), puts: { name in if name.contains("/points/") { throw Killed() } })
        await #expect(throws: Killed.self) {
            try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: [], to: dying)
        }
        #expect(try await !names("packs").isEmpty)
        try await world.clock.sleep(for: day)
        #expect(try await sweep([]).waiting > 0)
        let point = try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: [], to: world.store()).point
        try await world.clock.sleep(for: day)
        #expect(try await sweep([point]).removed > 0)
        try await freshCanReceive(point)
    }

    @Test func `I7 a session that still sends is left alone, however long it takes`() async throws {
        let world = self.world
        try write(data / "large", noise(3 << 20))
        let packs = Lock(0)
        let slow = InterruptedStore(
            world.store(),
            puts: { name in
                guard name.contains("/packs/") else { return }
                if packs.withLock({ number in
                    number += 1
                    return number
                }) == 1 {
                    return
                }
                // Days go by between two packs, and somebody sweeps.
                _ = try await world.volumes(world.west).sweep(
                    world.store(), of: VolumeWorld.application, keeping: [], asked: ["east", "west"])
                try await world.clock.sleep(for: .seconds(90_000))
            })
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: application, stopped: true, key: OperationKey("slow"))
        let point = try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: [], to: slow).point
        #expect(packs.withLock { $0 } > 3)
        try await freshCanReceive(point)
    }

    @Test func `I3 I7 a point whose chunks were swept while it was made is taken back`() async throws {
        let world = self.world
        let points = try await points(4)
        // Content that only the first point has, and a source that still knows it.
        try world.io.removeFile(data / "first")
        _ = try await self.points(2, from: 5)
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: application, stopped: true, key: OperationKey("late"))
        let late = InterruptedStore(
            world.store(),
            puts: { name in
                guard name.contains("/points/") else { return }
                for object in try await world.store().list(prefix: "ledger/packs/") { try await world.store().delete(object.name) }
            })
        let error = await #expect(throws: DRError.self) {
            try await east.publish(capture, as: try VolumeWorld.draft(9), manifests: [], to: late)
        }
        #expect(error?.code == .conflict)
        #expect(try await world.store().list(prefix: "ledger/points/ledger-e1-g9").isEmpty)
        let again = try await east.publish(capture, as: try VolumeWorld.draft(9), manifests: [], to: world.store()).point
        try await freshCanReceive(again)
        try await world.volumes(world.west).verify(points[3])
    }

    @Test func `I7 a record that cannot be read lets nothing go`() async throws {
        let points = try await points(4)
        try await world.clock.sleep(for: day)
        let record = try #require(try await world.store().list(prefix: "ledger/points/ledger-e1-g2/").first)
        try write(world.vault / record.name, [0], at: 5)
        let error = await #expect(throws: DRError.self) { try await sweep([points[1]]) }
        #expect(error?.code == .damaged && error?.message.contains(record.name) == true)
        let copy = world.west / ".dr" / "copies" / record.name
        try write(copy, [0], at: 5)
        await #expect(throws: DRError.self) { try await world.volumes(world.west).sweep(application, keeping: [points[1].id]) }
        try await world.volumes(world.west).verify(points[3])
    }

    @Test(arguments: [VolumeCrashTests.Way.killedBefore, .killedAfter, .powerCut, .ioError, .diskFull])
    func `I7 I14 a sweep broken at any change costs no kept point, and can be done again`(_ way: VolumeCrashTests.Way) async throws {
        let points = try await points(5)
        try await world.clock.sleep(for: day)
        #expect(try await sweep([points[2]]).waiting > 0)
        try await world.clock.sleep(for: day)
        var position = 0
        while true {
            position += 1
            let faulty = FaultyStoreIO(fault: way.fault, at: position)
            let west = world.volumes(world.west, faulty)
            do {
                _ = try await west.sweep(application, keeping: [points[2].id])
                _ = try await west.sweep(world.store(faulty), of: application, keeping: [points[2].id], asked: ["east", "west"])
            } catch {}
            try await world.volumes(world.west).verify(points[2])
            for kept in [2, 3, 4] { try await freshCanReceive(points[kept]) }
            // Each try gets further than the one before, until nothing is left to break.
            if !faulty.hasStruck { break }
            #expect(position < 400)
        }
        #expect(try await sweep([points[2]]).waiting == 0)
        #expect(try await names("points").count == 3)
    }

    // MARK: Scrub

    private func flip(_ path: StorePath, _ position: Int) throws {
        let byte = try contents(path)[position]
        try write(path, [byte ^ 4], at: Int64(position))
    }

    @Test func `I15 a scrub finds what is damaged on either side and heals it from the other`() async throws {
        let points = try await points(2)
        let west = world.volumes(world.west)
        let sound = try await west.scrub(application, with: world.store())
        #expect(sound.healed.isEmpty && sound.lost.isEmpty && sound.objects > 5)
        for object in try await world.objects() {
            let (here, there) = (world.west / ".dr" / "copies" / object.name, world.vault / object.name)
            let bytes = try contents(there)
            try flip(here, bytes.count / 2)
            #expect(try await west.scrub(application, with: world.store()).healed == ["the own copy's \(object.name)"])
            #expect(try contents(here) == bytes)
            try flip(there, bytes.count / 3)
            #expect(try await west.scrub(application, with: world.store()).healed == ["store vault's \(object.name)"])
            #expect(try contents(there) == bytes)
            try world.io.removeFile(here)
            // A record that is in neither list any more was swept.
            if !object.name.contains("/points/") {
                #expect(try await west.scrub(application, with: world.store()).healed.count == 1)
            } else {
                try write(here, bytes)
            }
        }
        for point in points { try await west.verify(point) }
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").first).name
        try flip(world.west / ".dr" / "copies" / pack, 90)
        try flip(world.vault / pack, 90)
        #expect(try await west.scrub(application, with: world.store()).lost == [pack])
        // And a receive does not pass it over for having been sound some days ago.
        let error = await #expect(throws: DRError.self) {
            try await west.receive(points[1].id, of: application, from: world.store())
        }
        #expect(error?.code == .damaged)
    }

    /// That the list of points was made durable before the first of what only others needed went.
    private func expectSettled(_ io: FaultyStoreIO, _ root: StorePath) throws {
        let settled = try #require(io.operations.firstIndex(of: "syncFolder \(root / "ledger/points")"))
        let removed = try #require(io.operations.firstIndex { $0.hasPrefix("removeFile \(root / "ledger/packs")") })
        #expect(settled < removed)
    }

    @Test func `I1 I8 what a killed sweep did to the list of points is durable before anything goes on its account`() async throws {
        let points = try await points(5)
        let west = world.west / ".dr" / "copies"
        // A sweep that was killed between the removal of these and its sync.
        for point in points[..<2] { FaultyStoreIO.removeAll(west / "ledger/points/\(point.id)", world.io) }
        try await world.clock.sleep(for: .seconds(3601))
        let copyIO = FaultyStoreIO()
        _ = try await world.volumes(world.west, copyIO).sweep(application, keeping: Set(points[2...].map(\.id)))
        try expectSettled(copyIO, west)
        try await world.clock.sleep(for: day)
        _ = try await sweep([points[4]])
        try await world.clock.sleep(for: day)
        for point in points[..<3] { FaultyStoreIO.removeAll(world.vault / "ledger/points/\(point.id)", world.io) }
        let storeIO = FaultyStoreIO()
        _ = try await world.volumes(world.west).sweep(
            world.store(storeIO), of: application, keeping: [points[4].id], asked: ["east", "west"])
        try expectSettled(storeIO, world.vault)
    }

    @Test func `I3 I7 a point that was taken back while a sweep began does not return with the power after its packs went`() async throws {
        let world = self.world
        let points = try await points(7)
        try await world.clock.sleep(for: day)
        _ = try await sweep([points[6]])
        try await world.clock.sleep(for: day)
        var late: [(name: String, object: [UInt8])] = []
        for name in try await names("points").sorted() where name.contains("e1-g2/") || name.contains("e1-g4/") {
            late.append((name, try await world.store().get(name)))
            // A sweep did that, and was killed.
            try await world.store().delete(name)
        }
        let io = FaultyStoreIO()
        let store = InterruptedStore(
            world.store(io),
            puts: { [late] name in
                guard name.contains("/sweeps/") else { return }
                // Publishers see the sweep and take their records back, but die before that is durable.
                for (name, object) in late {
                    try await world.store().put(name, object)
                    try io.removeFile(world.vault / name)
                }
            })
        let packs = Lock(0)
        io.meanwhile { [weak io] operation in
            guard operation.hasPrefix("removeFile \(world.vault / "ledger/packs")") else { return }
            packs.withLock { $0 += 1 }
            if packs.withLock({ $0 }) == 2 {
                io?.cutPower()
                throw Killed()
            }
        }
        await #expect(throws: Killed.self) {
            try await world.volumes(world.west).sweep(store, of: application, keeping: [points[6].id], asked: ["east", "west"])
        }
        #expect(packs.withLock { $0 } == 2)
        let visible = Set(try await names("points").map { $0.split(separator: "/")[2] })
        #expect(visible.contains("ledger-e1-g7"))
        for point in points where visible.contains(Substring(point.id.text)) { try await freshCanReceive(point) }
    }
}
