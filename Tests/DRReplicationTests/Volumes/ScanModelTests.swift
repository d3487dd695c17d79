import DRModel
import DRObjectStores
import DRReplication
import Glibc
import Testing

/// Trees and images that change at random, sent page by page from what the last scan knew: the same as one that looks at everything.
@Suite struct ScanModelTests {
    /// Numbers from a seed.
    private struct Dice {
        let source: CountingRandom
        init(_ seed: UInt64) { source = CountingRandom(seed) }
        func below(_ count: Int) -> Int { Int(source.next() % UInt64(count)) }
    }

    private func name(_ number: Int) -> String { "d\(number % 7)/file-\(number)" }

    private func makeTree(_ root: StorePath, _ world: VolumeWorld) throws {
        try world.io.makeFolder(root, permissions: 0o755)
        for folder in 0..<7 { try world.io.makeFolder(root / "d\(folder)", permissions: 0o755) }
        for number in 0..<1500 { try write(root / name(number), noise(number % 40, seed: UInt64(number))) }
        // More than one page each: 128 chunks of 16 KiB.
        for number in 0..<3 { try write(root / "d\(number)" / "large", noise((5 + number) << 20, seed: UInt64(number))) }
    }

    private func change(_ root: StorePath, _ world: VolumeWorld, _ dice: Dice) throws {
        for _ in 0..<(1 + dice.below(4)) {
            let path = root / name(dice.below(1500))
            switch dice.below(9) {
            case 0: if try world.io.facts(path) != nil { try world.io.removeFile(path) }
            case 1: try write(root / "d\(dice.below(7))" / "new-\(dice.below(50))", noise(dice.below(3000), seed: dice.source.next()))
            case 2: try write(path, noise(50, seed: dice.source.next()))
            case 3:
                let large = root / "d\(dice.below(3))" / "large"
                if try world.io.facts(large) != nil {
                    try write(large, noise(1 + dice.below(40_000), seed: dice.source.next()), at: Int64(dice.below(5 << 20)))
                }
            case 4:
                let large = try world.io.open(root / "d0" / "large", .update, permissions: 0)
                try large.truncate(to: Int64(dice.below(6 << 20)))
                try large.close()
            case 5: try world.io.setModified(path.folder, Instant(nanosecondsSince1970: Int64(dice.below(1 << 40))))
            case 6:
                let link = root / "d\(dice.below(7))" / "link-\(dice.below(20))"
                if try world.io.facts(path) != nil, try world.io.facts(link) == nil { try world.io.makeHardLink(link, to: path) }
            case 7:
                let to = root / "d\(dice.below(7))" / "moved-\(dice.below(30))"
                if try world.io.facts(path) != nil, try world.io.facts(to) == nil { try world.io.rename(path, to, .keep) }
            default:
                if try world.io.facts(path) != nil { try world.io.setPermissions(path, 0o600 + UInt32(dice.below(64))) }
            }
        }
    }

    @Test(arguments: [0, 3]) func `G3 I11 a tree sent from what the last scan knew is the tree`(_ parallel: Int) async throws {
        let world = try VolumeWorld(parallel: parallel)
        let data = world.east / "volumes" / "data"
        try makeTree(data, world)
        let dice = Dice(UInt64(parallel) + 11)
        try await world.migrate(generation: 1)
        let cache = world.east / ".dr" / "scan" / "data"
        for round in 0..<6 {
            try change(data, world, dice)
            let known = try await world.migrate(generation: Int64(2 * round + 2))
            let kept = try contents(cache)
            try world.io.removeFile(cache)
            let looked = try await world.migrate(generation: Int64(2 * round + 3)).publication
            #expect(known.publication.point.volumes == looked.point.volumes, "round \(round)")
            #expect(known.publication.bytesRead < looked.bytesRead)
            try world.io.removeFile(cache)
            try write(cache, kept)
            if round % 3 == 2 {
                try await world.activate(known.reception.point, at: world.west)
                #expect(try describe(world.west / "volumes" / "data") == describe(data), "round \(round)")
            }
        }
    }

    @Test(arguments: [0, 3]) func `G3 I11 an image sent from what the last scan knew is the image`(_ parallel: Int) async throws {
        let world = try VolumeWorld(parallel: parallel)
        let image = world.east / "volumes" / "disk.img"
        let file = try world.io.open(image, .create, permissions: 0o600)
        try file.truncate(to: 40 << 20)
        for place in [0, 9, 17, 33] {
            try noise(3 << 20, seed: UInt64(place)).withUnsafeBytes { try file.write(at: Int64(place) << 20, $0) }
        }
        let dice = Dice(5)
        try await world.migrate(["disk"], generation: 1)
        for generation in 2..<7 {
            for _ in 0..<3 {
                let bytes =
                    dice.below(3) == 0 ? [UInt8](repeating: 0, count: 200_000) : noise(1 + dice.below(90_000), seed: dice.source.next())
                try bytes.withUnsafeBytes { try file.write(at: Int64(dice.below(39 << 20)), $0) }
            }
            let second = try await world.migrate(["disk"], generation: Int64(generation))
            #expect(second.publication.bytesSent.bytes < 1 << 20)
            try await world.volumes(world.west).verify(second.reception.point)
            if generation % 3 == 0 {
                try await world.activate(second.reception.point, at: world.west)
                #expect(try isSame(contents(world.west / "volumes" / "disk.img"), contents(image)), "generation \(generation)")
            }
        }
    }

    @Test(arguments: [false, true]) func `G2 G3 several threads broken anywhere leave whole points only`(_ fullDisk: Bool) async throws {
        func prepared() async throws -> VolumeWorld {
            let world = try VolumeWorld(parallel: 3)
            let data = world.east / "volumes" / "data"
            try world.io.makeFolder(data, permissions: 0o755)
            try write(data / "large", noise(5 << 20))
            for number in 0..<20 { try write(data / "file-\(number)", noise(900, seed: UInt64(number))) }
            return world
        }
        let counting = FaultyStoreIO()
        let undisturbed = try await prepared()
        let wanted = try await undisturbed.migrate(generation: 1, io: counting).reception.point
        for position in stride(from: 1, through: counting.operations.count, by: 9) {
            let world = try await prepared()
            let faulty = FaultyStoreIO(fault: fullDisk ? .diskFull : .killedAfter, at: position)
            _ = try? await world.migrate(generation: 1, io: faulty)
            let again = try await world.migrate(generation: 1).reception.point
            #expect(again.volumes[0].size == wanted.volumes[0].size)
            try await world.volumes(world.west).verify(again)
            try await world.activate(again, at: world.west)
            #expect(try describe(world.west / "volumes" / "data") == describe(world.east / "volumes" / "data"), "position \(position)")
        }
    }
}
