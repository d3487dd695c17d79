import DRModel
import DRObjectStores
import DRReplication
import Foundation
import Testing

/// Histories of a volume, its points, crashes and sweeps, made from a seed, against a model that is a list of descriptions.
@Suite struct SequenceTests {
    private struct Model {
        /// What each point that is listed must give back.
        var points: [(point: RecoveryPoint, tree: [String], manifests: [ManifestObject])] = []
        var generation: Int64 = 0
        var files = 0
    }

    private static let count = Int(ProcessInfo.processInfo.environment["SEQUENCES"] ?? "") ?? 150

    @Test func `G3 I1 I3 I4 I7 I8 I11 every point gives back what it was made of, whatever happened since`() async throws {
        for seed in 0..<Self.count { try await run(UInt64(seed)) }
    }

    private func run(_ seed: UInt64) async throws {
        let dice = CountingRandom(seed &* 7919 &+ 3)
        func below(_ count: Int) -> Int { Int(dice.next() % UInt64(count)) }
        let world = try VolumeWorld(parallel: seed % 5 == 4 ? 2 : 0)
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        try write(data / "large", noise(150_000, seed: seed))
        var model = Model()
        var story: [String] = []
        for _ in 0..<(4 + below(6)) {
            switch below(8) {
            case 0, 1:
                let path = data / "file-\(below(4))"
                if below(3) == 0, try world.io.facts(path) != nil {
                    try world.io.removeFile(path)
                } else {
                    try write(path, noise(1 + below(2000), seed: dice.next()))
                }
                story.append("write")
            case 2:
                try write(data / "large", noise(1 + below(500), seed: dice.next()), at: Int64(below(149_000)))
                story.append("write large")
            case 3, 4:
                story.append("replicate")
                try await replicate(&model, world, stopped: below(2) == 0, FaultyStoreIO())
            case 5:
                let position = 1 + below(60)
                let faults: [FaultyStoreIO.Fault] = [.killedBefore, .killedAfter, .powerCut, .powerCutAfter, .diskFull]
                story.append("crash at \(position)")
                try await replicate(&model, world, stopped: true, FaultyStoreIO(fault: faults[below(faults.count)], at: position))
            case 6:
                story.append("expire and collect")
                if model.points.count > 1 { model.points.removeFirst(1 + below(model.points.count - 1)) }
                let keeping = Set(model.points.map(\.point.id))
                let west = world.volumes(world.west)
                _ = try await west.sweep(VolumeWorld.application, keeping: keeping)
                for _ in 0..<(1 + below(2)) {
                    _ = try await west.sweep(world.store(), of: VolumeWorld.application, keeping: keeping, asked: ["east", "west"])
                    try await world.clock.sleep(for: .seconds(90_000))
                }
            default:
                story.append("forget the scan")
                if try world.io.facts(world.east / ".dr" / "scan") != nil { FaultyStoreIO.removeAll(world.east / ".dr" / "scan", world.io) }
            }
            try await check(model, world, "seed \(seed): \(story.joined(separator: ", "))")
        }
        // Each of them, not only the last.
        for (point, tree, manifests) in model.points {
            let told = "seed \(seed): \(point.id): \(story.joined(separator: ", "))"
            try await world.activate(point, at: world.west)
            #expect(try describe(world.west / "volumes" / "data") == tree, "\(told)")
            #expect(try await world.volumes(world.west).manifests(of: point) == manifests, "\(told)")
        }
    }

    private func replicate(_ model: inout Model, _ world: VolumeWorld, stopped: Bool, _ io: FaultyStoreIO) async throws {
        model.generation += 1
        let tree = try describe(world.east / "volumes" / "data")
        let key = OperationKey("run/\(model.generation)")
        let manifests = [
            ManifestObject(
                key: ObjectKey(group: "", kind: "ConfigMap", namespace: "shop", name: "a"), text: "generation: \(model.generation)\n")
        ]
        func move(_ io: FaultyStoreIO) async throws -> RecoveryPoint {
            let east = world.volumes(world.east, io)
            let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: stopped, key: key)
            #expect(capture.consistency != .fuzzy)
            let point = try await east.publish(
                capture, as: try VolumeWorld.draft(model.generation), manifests: manifests, to: world.store(io)
            )
            .point
            _ = try await world.volumes(world.west, io).receive(point.id, of: VolumeWorld.application, from: world.store(io))
            try await east.discard(key)
            return point
        }
        var point: RecoveryPoint?
        do { point = try await move(io) } catch {
            // Only what was broken on purpose may fail.
            if !io.hasStruck { Issue.record("migration \(model.generation): \(error)") }
        }
        // Carried on, sometimes; else given up.
        if point == nil, io.operations.count % 2 == 0 { point = try await move(FaultyStoreIO()) }
        if let point { model.points.append((point, tree, manifests)) }
    }

    private func check(_ model: Model, _ world: VolumeWorld, _ story: String) async throws {
        for (point, _, _) in model.points {
            do { try await world.volumes(world.west).verify(point) } catch { Issue.record("\(story): \(point.id): \(error)") }
        }
        #expect(zip(model.points, model.points.dropFirst()).allSatisfy { $0.point.generation < $1.point.generation })
    }
}
