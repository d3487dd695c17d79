import DRModel
import DRReplication
import Foundation
import Glibc
import Testing

/// Volumes that stand by at the destination.
@Suite struct HeadTests {
    let world: VolumeWorld

    init() throws { world = try VolumeWorld() }

    var heads: StorePath { world.west / ".dr" / "heads" / "ledger" }
    var head: StorePath { heads / "data" / "volume" }
    var source: StorePath { world.east / "volumes" / "data" }
    var live: StorePath { world.west / "volumes" / "data" }

    func standBy(_ generation: Int64, io: any StoreIO = FaultyStoreIO(), volumes: [VolumeName] = ["data"]) async throws
        -> RecoveryPoint
    {
        let point = try await world.migrate(volumes, generation: generation).reception.point
        // A change in the same tick of the filesystem's clock counts as somebody else's.
        usleep(20_000)
        try await world.volumes(world.west, io).standBy(point)
        usleep(20_000)
        return point
    }

    /// Bytes of packs that were read, and everything that was changed.
    func activating(_ point: RecoveryPoint, after change: (FaultyStoreIO) -> Void = { _ in }) async throws -> FaultyStoreIO {
        let io = FaultyStoreIO()
        change(io)
        try await world.activate(point, at: world.west, io: io)
        return io
    }

    func wrote(_ io: FaultyStoreIO) -> [String] { io.operations.filter { $0.hasPrefix("write ") && !$0.contains("/note") } }

    @Test func `A hostile tree that stands by goes live as it was, without a byte written`() async throws {
        try makeHostileTree(source)
        let before = try describe(source)
        let point = try await standBy(1)
        #expect(try describe(head) == before)
        let io = try await activating(point)
        #expect(try describe(live) == before)
        #expect(wrote(io).isEmpty)
        // A tree is taken: nothing is left of the head.
        #expect(try world.io.facts(head) == nil)
        let sparse = try #require(try world.io.facts(live / "sparse"))
        #expect(sparse.allocated <= 64 << 10)
    }

    @Test func `What stands by is changed where it differs and nowhere else`() async throws {
        try makeHostileTree(source)
        try write(source / "grows", noise(300_000, seed: 3))
        try write(source / "shrinks", noise(300_000, seed: 4))
        _ = try await standBy(1)
        let io = world.io
        try io.setPermissions(source / "large", 0o600)
        try write(source / "large", noise(100, seed: 9), at: 100_000)
        try write(source / "large", [UInt8](repeating: 0, count: 32_768), at: 163_840)
        try write(source / "grows", noise(1000, seed: 10), at: 400_000)
        let shrinks = try io.open(source / "shrinks", .update, permissions: 0)
        try shrinks.truncate(to: 150_001)
        try shrinks.close()
        try io.removeFile(source / "text")
        try io.makeFolder(source / "text", permissions: 0o700)
        try write(source / "text" / "now-a-folder", noise(20_000, seed: 11))
        FaultyStoreIO.removeAll(source / "a", io)
        try io.makeSymlink(source / "a", to: Array("large".utf8))
        try io.removeFile(source / "out")
        try io.makeHardLink(source / "out", to: source / "small")
        try io.setModified(source, Instant(nanosecondsSince1970: 5_000_000_000))
        let faulty = FaultyStoreIO()
        _ = try await standBy(2, io: faulty)
        #expect(try describe(head) == describe(source))
        // Not one operation for what stayed as it was.
        for same in ["sparse", "only-hole", "empty", "a.b", "a-b", "dangling"] {
            #expect(!faulty.operations.contains { $0.hasSuffix("volume/\(same)") }, "\(same)")
        }
        #expect(wrote(faulty).count < 12)
        let hole = try #require(try io.facts(head / "large"))
        #expect(hole.allocated < 300_000)
    }

    @Test func `Files with several names come, go and change hands`() async throws {
        let io = world.io
        try io.makeFolder(source, permissions: 0o755)
        for name in ["a", "b", "c"] { try write(source / name, noise(200_000, seed: UInt64(name.utf8.first!))) }
        try io.makeHardLink(source / "a2", to: source / "a")
        try io.makeHardLink(source / "z", to: source / "b")
        _ = try await standBy(1)
        #expect(try describe(head) == describe(source))
        // z leads to another file, b stands alone, a2 is the only name of its file, which changed.
        try io.removeFile(source / "z")
        try io.makeHardLink(source / "z", to: source / "c")
        try io.removeFile(source / "a")
        try write(source / "a2", noise(10, seed: 1), at: 50_000)
        try write(source / "c", noise(10, seed: 2), at: 50_000)
        _ = try await standBy(2)
        #expect(try describe(head) == describe(source))
    }

    @Test func `An image is changed chunk by chunk, back and forth`() async throws {
        let image = world.east / "volumes" / "disk.img"
        let file = try world.io.open(image, .create, permissions: 0o600)
        try file.truncate(to: 5 << 20)
        try noise(900_000).withUnsafeBytes { try file.write(at: 1 << 20, $0) }
        try file.close()
        let first = try await standBy(1, volumes: ["disk"])
        let old = try contents(image)
        try write(image, noise(100, seed: 9), at: 1 << 20)
        try write(image, [UInt8](repeating: 0, count: 65_536), at: (1 << 20) + 65_536)
        try write(image, noise(100, seed: 10), at: 4 << 20)
        let io = FaultyStoreIO()
        let second = try await standBy(2, io: io, volumes: ["disk"])
        #expect(try contents(heads / "disk" / "volume") == contents(image))
        #expect(wrote(io).count == 2)
        // An older point is asked for: rolled back by its list of chunks.
        let back = FaultyStoreIO()
        try await world.activate(first, at: world.west, io: back)
        #expect(try contents(world.west / "volumes" / "disk.img") == old)
        // Two chunks side by side; the third is a hole again.
        #expect(wrote(back).count == 1)
        #expect(back.bytesRead < 600_000)
        try await world.volumes(world.west).verify(second)
    }

    @Test func `G3 a flipped bit behind our back is found before it goes live`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        let modified = try #require(try world.io.facts(head / "large")).modified
        try write(head / "large", [try contents(head / "large")[150_000] ^ 4], at: 150_000)
        try world.io.setModified(head / "large", modified)
        let io = try await activating(point)
        #expect(try describe(live) == describe(source))
        // One chunk was mended, and nothing else was written.
        #expect(wrote(io).count == 1)
    }

    @Test func `G3 what was not read for a week is read before it goes live`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        let week = FaultyStoreIO()
        try await world.clock.sleep(for: .seconds(7 * 86_400 - 1))
        try await world.activate(point, at: world.west, io: week)
        #expect(week.bytesRead < 400_000)
        try await world.volumes(world.west).standBy(point)
        try await world.clock.sleep(for: .seconds(7 * 86_400 + 1))
        let later = FaultyStoreIO()
        let staged = try await world.volumes(world.west, later).materialise(point.volumes[0], of: point, key: OperationKey("later"))
        #expect(later.bytesRead > 8 << 20)
        #expect(staged.verifiedAt == world.clock.now())
    }

    @Test func `G3 a scrub reads what stands by and mends it`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        // As a disk would do it: neither time nor size tell.
        let facts = FaultyStoreIO()
        #expect(try await world.volumes(world.west, facts).scrub("ledger", with: world.store()).healed.isEmpty)
        try write(head / "text", [0x55], at: 40_000)
        #expect(try await world.volumes(world.west).scrub("ledger", with: world.store()).healed == ["volume data that stands by"])
        #expect(try describe(head) == describe(source))
        #expect(wrote(try await activating(point)).isEmpty)
    }

    @Test func `G3 a scrub tells what it healed though another process is at the heads, and goes on there`() async throws {
        try makeHostileTree(source)
        _ = try await standBy(1)
        let packs = world.west / ".dr" / "copies" / "ledger" / "packs"
        let pack = packs / String(decoding: try #require(try world.io.list(packs).first), as: UTF8.self)
        try write(pack, [0x55, 0x55, 0x55], at: 100)
        let lock = try #require(try world.io.lock(heads / ".lock", wait: false))
        let west = world.volumes(world.west)
        let part = try await west.scrub("ledger", with: world.store())
        #expect(part.healed.count == 1 && part.next != nil)
        let refused = await expectError(.locked) {
            try await west.scrub("ledger", with: world.store(), after: part.next, most: ByteCount(1 << 30))
        }
        #expect(refused != nil)
        lock.release()
        let rest = try await west.scrub("ledger", with: world.store(), after: part.next, most: ByteCount(1 << 30))
        #expect(rest.healed.isEmpty && rest.objects == 1 && rest.next == nil)
    }

    @Test func `Nobody's files, names elsewhere and attributes in what stands by do not go live`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        let io = world.io
        let changes: [() throws -> Void] = [
            { try write(head / "foreign", [1]) },
            { try io.makeHardLink(world.west / "elsewhere", to: head / "large") },
            { try io.setExtendedAttribute(head / "empty-folder", name: Array("user.foreign".utf8), value: [1]) },
            { try io.setPermissions(head / "small", 0o777) },
            { #expect(mkfifo("\(head)/pipe", 0o600) == 0) },
            { try io.removeFile(head / "linked") },
            {
                FaultyStoreIO.removeAll(head / "a", io)
                try io.makeSymlink(head / "a", to: Array("/etc".utf8))
            },
            { try write(heads / "data" / "note", [0x7F], at: 30) },
            { try io.removeFile(heads / "data" / "note") },
        ]
        for (number, change) in changes.enumerated() {
            try await world.volumes(world.west).standBy(point)
            try change()
            // Once by the next migration, once by the activation itself.
            try await world.volumes(world.west).standBy(point)
            #expect(try describe(head) == describe(source), "change \(number)")
            if number != 1 { try change() } else { try io.makeHardLink(world.west / "elsewhere-too", to: head / "large") }
            try await world.activate(point, at: world.west)
            #expect(try describe(live) == describe(source), "change \(number)")
        }
    }

    @Test func `On another mount, or after a reboot, what stands by is read`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        let io = try await activating(point) { $0.mountAnew("another") }
        #expect(io.bytesRead > 8 << 20)
        #expect(wrote(io).isEmpty)
        #expect(try describe(live) == describe(source))
    }

    @Test func `G5 a clone under another name leaves what stands by as it is`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        let before = try describe(world.west / ".dr" / "heads")
        _ = try await world.volumes(world.west).materialise(point.volumes[0], of: point, as: "data-drill", key: OperationKey("drill"))
        let staged = StagingLayout(cluster: world.west).staged("data-drill", .filesystem, key: OperationKey("drill"))
        #expect(try describe(staged) == describe(source))
        #expect(try describe(world.west / ".dr" / "heads") == before)
    }

    @Test func `Volumes that the point does not have stand by no more`() async throws {
        try makeHostileTree(source)
        try makeHostileTree(world.east / "volumes" / "other")
        _ = try await standBy(1, volumes: ["data", "other"])
        #expect(try await world.volumes(world.west).standingBy("ledger").bytes > 1 << 20)
        _ = try await standBy(2)
        #expect(try world.io.list(heads).map { String(decoding: $0, as: UTF8.self) } == [".lock", "data"])
        try await world.volumes(world.west).standDown("ledger")
        #expect(try world.io.list(heads).count == 1)
        #expect(try await world.volumes(world.west).standingBy("ledger") == .zero)
    }

    @Test func `G1 while another process is at the heads a volume is made of packs, and nothing is changed`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        let lock = try #require(try world.io.lock(heads / ".lock", wait: false))
        let before = try describe(head)
        try await world.activate(point, at: world.west)
        #expect(try describe(live) == describe(source))
        #expect(try describe(head) == before)
        await #expect(throws: DRError.self) { try await world.volumes(world.west).standBy(point) }
        lock.release()
    }
}
