import DRModel
import DRReplication
import DRSupport
import Glibc
import Testing

// What somebody else, a disk or its end does to volumes that stand by.
extension HeadTests {
    @Test func `I6 a file with a name elsewhere is not written through it`() async throws {
        try makeHostileTree(source)
        _ = try await standBy(1)
        try world.io.makeHardLink(world.west / "elsewhere", to: head / "large")
        let before = try contents(world.west / "elsewhere")
        try write(source / "large", noise(100, seed: 9), at: 100_000)
        _ = try await standBy(2)
        #expect(try contents(world.west / "elsewhere") == before)
        #expect(try describe(head) == describe(source))
    }

    @Test func `I6 an access list of a folder does not come to what is made in it later`() async throws {
        try makeHostileTree(source)
        let folder = source / "listed"
        try world.io.makeFolder(folder, permissions: 0o755)
        try write(folder / "old", noise(1000, seed: 1))
        try world.io.setExtendedAttribute(folder, name: Array("system.posix_acl_default".utf8), value: accessList)
        _ = try await standBy(1)
        try write(folder / "old", noise(1000, seed: 2))
        let point = try await standBy(2)
        #expect(try describe(head) == describe(source))
        #expect(try await world.volumes(world.west).scrub("ledger", with: world.store()).healed.isEmpty)
        try await world.activate(point, at: world.west)
        #expect(try describe(live) == describe(source))
    }

    @Test(arguments: [true, false])
    func `I6 an access list of the destination's folder comes neither to a restored volume nor to one that stands by`(warm: Bool)
        async throws
    {
        try makeHostileTree(source)
        try world.io.setExtendedAttribute(world.west, name: Array("system.posix_acl_default".utf8), value: accessList)
        let point = warm ? try await standBy(1) : try await world.migrate(["data"], generation: 1).reception.point
        try await world.activate(point, at: world.west)
        #expect(try describe(live) == describe(source))
        #expect(try world.io.extendedAttributes(live).map(\.name).allSatisfy { !$0.starts(with: "system.posix_acl".utf8) })
    }

    @Test func `G3 what somebody changes while a volume is rolled does not count as read`() async throws {
        try makeHostileTree(source)
        _ = try await standBy(1)
        try write(source / "large", noise(100, seed: 9), at: 100_000)
        let io = FaultyStoreIO()
        let target = head / "text"
        let once = Lock(false)
        io.meanwhile { operation in
            guard operation.hasPrefix("write"), operation.hasSuffix("volume/large"), !once.withLock({ $0 }) else { return }
            once.withLock { $0 = true }
            try write(target, [0x55], at: 40_000)
        }
        let point = try await standBy(2, io: io)
        #expect(once.withLock { $0 })
        try await world.activate(point, at: world.west)
        #expect(try describe(live) == describe(source))
    }

    @Test func `G3 what somebody writes into a volume while it is first made to stand by is found, and does not go live`() async throws {
        try makeHostileTree(source)
        let io = FaultyStoreIO()
        let target = head / "large"
        let once = Lock(false)
        // Behind the writer: when another file is written, this one is done.
        io.meanwhile { operation in
            // The world's clock takes no time, the filesystem's does.
            if operation.hasSuffix("heads/ledger/data/now") { usleep(20_000) }
            guard operation.hasPrefix("write"), operation.hasSuffix("volume/text"), !once.withLock({ $0 }) else { return }
            guard try SystemStoreIO().facts(target) != nil else { return }
            once.withLock { $0 = true }
            try write(target, [0x55, 0x66], at: 40_000)
        }
        let point = try await standBy(1, io: io)
        #expect(once.withLock { $0 })
        #expect(try describe(head) == describe(source))
        try await world.activate(point, at: world.west)
        #expect(try describe(live) == describe(source))
    }

    @Test func `A scrub reads volumes that stand by in parts, and goes on after one that cannot be mended`() async throws {
        let names: [VolumeName] = ["data", "more", "other"]
        for name in names { try makeHostileTree(world.east / "volumes" / name.text) }
        _ = try await standBy(1, volumes: names)
        func head(_ name: String) -> StorePath { heads / name / "volume" }
        try world.io.makeHardLink(world.west / "elsewhere", to: head("data") / "large")
        try write(head("other") / "text", [0x55], at: 40_000)
        var (after, parts, healed, removed): (String?, Int, [String], [String]) = (nil, 0, [], [])
        repeat {
            let part = try await world.volumes(world.west).scrub("ledger", with: world.store(), after: after, most: ByteCount(1))
            (after, parts, healed, removed) = (part.next, parts + 1, healed + part.healed, removed + part.removed)
            #expect(part.lost.isEmpty)
        } while after != nil && parts < 1000
        #expect(healed == ["volume other that stands by"])
        #expect(removed == ["volume data that stood by"])
        #expect(try world.io.facts(head("data")) == nil)
        let whole = try await world.volumes(world.west).scrub("ledger", with: world.store())
        #expect(whole.next == nil && whole.healed.isEmpty)
        // A part for each volume, at least.
        #expect(parts > names.count)
    }

    @Test func `G3 a scrub that is cancelled while it reads what stands by removes nothing`() async throws {
        try makeHostileTree(source)
        _ = try await standBy(1)
        let (io, world) = (FaultyStoreIO(), world)
        let before = try describe(head)
        let task = Lock<Task<Scrubbed, any Error>?>(nil)
        io.meanwhile { operation in
            if operation.contains("/heads/") { task.withLock { $0 }?.cancel() }
        }
        task.withLock { task in
            task = Task { try await world.volumes(world.west, io).scrub("ledger", with: world.store()) }
        }
        let scrub = try #require(task.withLock { $0 })
        await #expect(throws: CancellationError.self) { try await scrub.value }
        #expect(try describe(head) == before)
    }

    @Test func `A head that cannot be used or removed fails neither activation nor drill`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        #expect(mkfifo("\(head)/pipe", 0o600) == 0)
        let drill = OperationKey("drill")
        _ = try await world.volumes(world.west).materialise(point.volumes[0], of: point, as: "data-drill", key: drill)
        let staged = StagingLayout(cluster: world.west).staged("data-drill", .filesystem, key: drill)
        #expect(try describe(staged) == describe(source))
        #expect(try await world.volumes(world.west).standingBy("ledger") == .zero)
        // Each change of it fails from the first, the second ... on.
        for first in 1...12 {
            try await world.volumes(world.west).standBy(point)
            let io = FaultyStoreIO()
            let count = Lock(0)
            io.meanwhile { operation in
                guard operation.contains("/heads/") || operation.contains("building") && operation.hasPrefix("rename") else { return }
                guard
                    count.withLock({
                        $0 += 1; return $0
                    }) >= first
                else { return }
                if operation.contains("/heads/") { throw IOFailure(code: EIO, operation: operation, path: "/", reason: "broken") }
            }
            try await world.activate(point, at: world.west, io: io)
            #expect(try describe(live) == describe(source), "from \(first)")
        }
    }

    @Test func `A file that is only read is not opened for writing`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        let io = FaultyStoreIO()
        try await world.clock.sleep(for: .seconds(8 * 86_400))
        io.meanwhile { if $0.hasPrefix("update"), $0.contains("/heads/") { throw Killed() } }
        try await world.volumes(world.west, io).standBy(point)
        // One that may only be read is mended all the same.
        try world.io.setPermissions(source / "large", 0o444)
        try write(source / "large", noise(100, seed: 9), at: 100_000)
        let second = FaultyStoreIO()
        _ = try await standBy(2, io: second)
        try write(source / "large", noise(100, seed: 10), at: 100_000)
        second.meanwhile { operation in
            guard operation.hasPrefix("update"), operation.hasSuffix("volume/large") else { return }
            guard try SystemStoreIO().facts(head / "large")?.mode == 0o600 else {
                throw IOFailure(code: EACCES, operation: "open", path: "/", reason: "")
            }
        }
        _ = try await standBy(3, io: second)
        #expect(try describe(head) == describe(source))
    }

    @Test func `What stands by makes room for a copy and for a volume that goes live`() async throws {
        try makeHostileTree(source)
        let point = try await standBy(1)
        try write(source / "large", noise(100, seed: 9), at: 100_000)
        let io = FaultyStoreIO()
        io.meanwhile { operation in
            guard operation.hasPrefix("write"), operation.contains("/west/.dr/copies/"), try SystemStoreIO().facts(head) != nil else {
                return
            }
            throw IOFailure(code: ENOSPC, operation: operation, path: "/", reason: "full")
        }
        try await world.migrate(generation: 2, io: io)
        #expect(try world.io.facts(head) == nil)
        try await world.volumes(world.west).standBy(point)
        let other = FaultyStoreIO()
        let lock = Lock(false)
        other.meanwhile { operation in
            guard operation.contains(".building"), try SystemStoreIO().facts(head) != nil else { return }
            lock.withLock { $0 = true }
            throw IOFailure(code: ENOSPC, operation: operation, path: "/", reason: "full")
        }
        _ = try await world.volumes(world.west, other).materialise(
            point.volumes[0], of: point, as: "data-drill", key: OperationKey("drill"))
        #expect(lock.withLock { $0 })
    }

    @Test func `One volume for which there is no room keeps no other from standing by`() async throws {
        try makeHostileTree(source)
        try makeHostileTree(world.east / "volumes" / "other")
        let io = FaultyStoreIO()
        io.fill(below: "heads/ledger/data/")
        await #expect(throws: DRError.self) { _ = try await standBy(1, io: io, volumes: ["data", "other"]) }
        #expect(try describe(heads / "other" / "volume") == describe(world.east / "volumes" / "other"))
        let full = FaultyStoreIO()
        full.limit(to: ByteCount(1000))
        let error = try await #require(throws: DRError.self) { _ = try await standBy(2, io: full) }
        #expect(error.code == .noSpace)
        #expect(!full.operations.contains { $0.contains("/data/volume/") })
    }

    @Test func `A folder that becomes a link is not looked into`() async throws {
        // Those that look ahead have listed it before it is removed.
        let world = try VolumeWorld(parallel: 2)
        let source = world.east / "volumes" / "data"
        let head = world.west / ".dr/heads/ledger/data/volume"
        for folder in [source, source / "a", source / "a" / "b", source / "z"] { try world.io.makeFolder(folder, permissions: 0o755) }
        try write(source / "a" / "b" / "inside", noise(1000, seed: 1))
        try await world.volumes(world.west).standBy(try await world.migrate(generation: 1).reception.point)
        FaultyStoreIO.removeAll(source / "a", world.io)
        let trap = world.folder.path / "trap"
        for folder in [trap, trap / "b"] { try world.io.makeFolder(folder, permissions: 0o755) }
        #expect(mkfifo("\(trap)/b/pipe", 0o600) == 0)
        try world.io.makeSymlink(source / "a", to: trap.bytes)
        // Read, not believed.
        try await world.clock.sleep(for: .seconds(8 * 86_400))
        usleep(20_000)
        let io = FaultyStoreIO()
        io.meanwhile { if $0.hasPrefix("remove"), $0.hasSuffix("volume/a/b/inside") { usleep(20_000) } }
        try await world.volumes(world.west, io).standBy(try await world.migrate(generation: 2).reception.point)
        #expect(try describe(head) == describe(source))
        // Changed where it stands, not made anew.
        #expect(!io.operations.contains { $0.hasSuffix("volume/z") && $0.hasPrefix("makeFolder") })
    }

    @Test func `G3 a pack that turns out damaged while a volume is made to stand by is doubted`() async throws {
        try makeHostileTree(source)
        let point = try await world.migrate(generation: 1).reception.point
        let packs = world.west / ".dr" / "copies" / "ledger" / "packs"
        for name in try world.io.list(packs) { try write(packs / name, [0xAA, 0x55, 0xAA], at: 3000) }
        let verified = world.west / ".dr" / "copies" / "ledger" / "verified"
        let before = try contents(verified).count
        await #expect(throws: DRError.self) { try await world.volumes(world.west).standBy(point) }
        #expect(try contents(verified).count < before)
    }

    @Test(arguments: [false, true])
    func `I6 it stands on the disk that a volume is being changed before it is, and what it holds after that is on the disk`(
        isRead: Bool
    ) async throws {
        try makeHostileTree(source)
        _ = try await standBy(1)
        try write(source / "large", noise(100, seed: 9), at: 100_000)
        try write(source / "new", noise(100, seed: 1))
        if isRead { try await world.clock.sleep(for: .seconds(8 * 86_400)) }
        let io = FaultyStoreIO()
        let (changes, wrong) = (Lock(0), Lock([String]()))
        let folder = head.folder
        @Sendable func isClean(_ note: String) throws -> Bool {
            String(decoding: try contents(folder / note), as: UTF8.self).contains("verified")
        }
        // It holds itself by what it calls.
        defer { io.meanwhile { _ in } }
        io.meanwhile { [head] operation in
            if operation.contains("\(head)") {
                changes.withLock { $0 += 1 }
                let isDurable = !io.unsynced.contains(folder) && !io.unsynced.contains(folder / "note")
                if try isClean("note") || !isDurable { wrong.withLock { $0.append(operation) } }
            } else if operation == "rename \(folder)/note", try isClean("note.new") {
                let left = io.unsynced.filter { $0.description.hasPrefix("\(head)") || $0 == folder / "note.new" }
                if !left.isEmpty { wrong.withLock { $0.append("\(operation): \(left)") } }
            }
        }
        _ = try await standBy(2, io: io)
        #expect(changes.withLock { $0 } > 4)
        #expect(wrong.withLock { $0 }.isEmpty)
        #expect(try describe(head) == describe(source))
    }
}

/// Version 2; owner rwx, user 1234 rwx, group r-x, mask rwx, others r-x.
private let accessList: [UInt8] = {
    let nobody: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
    return [2, 0, 0, 0] + [1, 0, 7, 0] + nobody + [2, 0, 7, 0, 0xD2, 4, 0, 0] + [4, 0, 5, 0] + nobody + [16, 0, 7, 0] + nobody
        + [32, 0, 5, 0] + nobody
}()
