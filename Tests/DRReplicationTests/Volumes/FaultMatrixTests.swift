import DRModel
import DRObjectStores
import DRReplication
import Foundation
import Testing

/// Every operation that changes something, in every phase of the data plane, broken in every way. The table of what was broken stands in docs/guarantees.md.
///
/// A run breaks some places of each row, another one in each way; `make matrix` breaks all.
@Suite struct FaultMatrixTests {
    enum Phase: String, CaseIterable {
        case captureStopped = "capture, stopped"
        case captureRunning = "capture, running"
        case publish
        case receive
        case materialise
        case rollHead = "roll the head"
        case readHead = "read the head"
        case takeHead = "take the head"
        case sweepCopy = "sweep of the own copy"
        case sweepStore = "sweep of the store"
        case scrub
    }

    enum Way: String, CaseIterable {
        case killedBefore = "killed before, writes torn"
        case killedAfter = "killed after"
        case powerCut = "power cut before"
        case lostName = "power cut after"
        case ioError = "EIO, writes short"
        case diskFull = "ENOSPC"
        case lostReply = "lost reply"

        var fault: FaultyStoreIO.Fault {
            switch self {
            case .killedBefore: .killedBefore
            case .killedAfter: .killedAfter
            case .powerCut: .powerCut
            case .lostName: .powerCutAfter
            case .ioError: .fails(EIO)
            case .diskFull: .diskFull
            case .lostReply: .answerLost(EIO)
            }
        }
    }

    static let takesAll = ProcessInfo.processInfo.environment["DRRUNBOOK_ALL_CRASHES"] != nil

    /// Two points at west, the second one's source as it is now, and what a phase needs.
    private struct Stage {
        let world: VolumeWorld
        /// Every object before something was damaged on purpose.
        let sound: [String: [UInt8]]
        let first: RecoveryPoint
        let second: RecoveryPoint
        /// Of the second point.
        let content: [String]
        let capture: Capture?

        func run(_ phase: Phase, _ io: any StoreIO) async throws {
            let application = VolumeWorld.application
            let west = world.volumes(world.west, io)
            let key = OperationKey("phase")
            switch phase {
            case .captureStopped, .captureRunning:
                let stopped = phase == .captureStopped
                _ = try await world.volumes(world.east, io).capture(["data"], of: application, stopped: stopped, key: key)
            case .publish:
                guard let capture else { return }
                _ = try await world.volumes(world.east, io).publish(
                    capture, as: try VolumeWorld.draft(3), manifests: VolumeWorld.manifests, to: world.store(io))
            case .receive: _ = try await west.receive("ledger-e1-g3", of: application, from: world.store(io))
            case .materialise, .takeHead: _ = try await west.materialise(second.volumes[0], of: second, key: key)
            case .rollHead, .readHead: try await west.standBy(second)
            case .sweepCopy: _ = try await west.sweep(application, keeping: [second.id])
            case .sweepStore: _ = try await west.sweep(world.store(io), of: application, keeping: [second.id], asked: ["east", "west"])
            case .scrub: _ = try await west.scrub(application, with: world.store(io))
            }
        }
    }

    private func stage(_ phase: Phase, parallel: Int = 0) async throws -> Stage {
        let world = try VolumeWorld(parallel: parallel)
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        try write(data / "small", Array("hello".utf8))
        try write(data / "large", noise(200_000))
        try world.io.makeSymlink(data / "link", to: Array("small".utf8))
        let first = try await world.migrate(generation: 1).reception.point
        try write(data / "large", noise(100, seed: 5), at: 70_000)
        let second = try await world.migrate(generation: 2).reception.point
        let content = try describe(data)
        try write(data / "new", noise(3000, seed: 6))
        for path in [data / "small", data / "large", data / "link", data / "new", data] {
            try world.io.setModified(path, Instant(nanosecondsSince1970: 1_700_000_000_123_456_789))
        }
        var capture: Capture?
        var sound: [String: [UInt8]] = [:]
        for object in try await world.objects() { sound[object.name] = try contents(world.vault / object.name) }
        let east = world.volumes(world.east)
        switch phase {
        case .publish, .receive:
            let made = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: OperationKey("third"))
            capture = made
            if phase == .receive {
                _ = try await east.publish(made, as: try VolumeWorld.draft(3), manifests: VolumeWorld.manifests, to: world.store())
            }
        case .sweepStore:
            for generation: Int64 in 3...4 {
                try write(data / "large", noise(100, seed: UInt64(generation)), at: 20_000)
                try await world.migrate(generation: generation)
            }
            // One tomb is due, and something new is to be buried.
            try await world.clock.sleep(for: .seconds(90_000))
            _ = try await world.volumes(world.west).sweep(
                world.store(), of: VolumeWorld.application, keeping: [first.id, second.id], asked: ["east", "west"])
            try await world.clock.sleep(for: .seconds(90_000))
            _ = try await world.volumes(world.west).sweep(
                world.store(), of: VolumeWorld.application, keeping: [second.id], asked: ["east", "west"])
            try await world.clock.sleep(for: .seconds(90_000))
        case .rollHead: try await world.volumes(world.west).standBy(first)
        case .readHead:
            // Somebody was at it.
            try await world.volumes(world.west).standBy(first)
            try write(world.west / ".dr/heads/ledger/data/volume/large", noise(100, seed: 9), at: 130_000)
        case .takeHead: try await world.volumes(world.west).standBy(second)
        case .sweepCopy: try await world.clock.sleep(for: .seconds(3601))
        case .scrub:
            for (number, object) in try await world.store().list(prefix: "ledger/packs/").enumerated() {
                let path = number % 2 == 0 ? world.vault / object.name : world.west / ".dr" / "copies" / object.name
                try write(path, [0xAA, 0x55], at: 70)
            }
        default: break
        }
        // A change in the same tick of the filesystem's clock counts as somebody else's.
        if phase == .rollHead || phase == .readHead { usleep(20_000) }
        return Stage(world: world, sound: sound, first: first, second: second, content: content, capture: capture)
    }

    /// What must hold whatever broke.
    private func check(_ phase: Phase, _ stage: Stage, _ source: [String], _ live: String) async throws {
        let world = stage.world
        #expect(try describe(world.east / "volumes" / "data") == source, "I10 \(live)")
        let west = world.volumes(world.west)
        if phase == .scrub {
            // What was sound on one side is so still, or again.
            for (name, bytes) in stage.sound {
                let isSound = try [world.vault, world.west / ".dr" / "copies"].contains { root in
                    try world.io.facts(root / name) != nil && contents(root / name) == bytes
                }
                #expect(isSound, "\(name) \(live)")
            }
        } else {
            try await west.verify(stage.second)
        }
        if phase != .sweepCopy, phase != .scrub { try await west.verify(stage.first) }
        // What the store shows as a point is whole: a site that has nothing can receive it.
        var visible = Set(
            try await world.store().list(prefix: "ledger/points/").compactMap { $0.name.split(separator: "/").dropFirst(2).first })
        if phase == .scrub { visible = [] }
        for id in visible {
            let fresh = world.folder.path / "fresh-\(world.random.next())"
            try world.io.makeFolder(fresh, permissions: 0o755)
            _ = try await world.volumes(fresh).receive(try PointID(String(id)), of: VolumeWorld.application, from: world.store())
        }
        // Whatever is left of a head, it gives nothing but the point.
        if phase == .rollHead || phase == .readHead || phase == .takeHead {
            _ = try await west.materialise(stage.second.volumes[0], of: stage.second, key: OperationKey("elsewhere"))
            let staged = StagingLayout(cluster: world.west).staged("data", .filesystem, key: OperationKey("elsewhere"))
            #expect(try describe(staged) == stage.content, "\(live)")
        }
        // And the phase can be done again, to its end.
        try await stage.run(phase, FaultyStoreIO())
        try await west.verify(stage.second)
        switch phase {
        case .publish, .receive:
            let reception = try await west.receive("ledger-e1-g3", of: VolumeWorld.application, from: world.store())
            try await west.verify(reception.point)
        case .rollHead, .readHead: #expect(try describe(world.west / ".dr/heads/ledger/data/volume") == stage.content, "\(live)")
        case .materialise, .takeHead:
            let staged = StagingLayout(cluster: world.west).staged("data", .filesystem, key: OperationKey("phase"))
            #expect(try contents(staged / "large").count == 200_000)
        case .scrub: #expect(try await west.scrub(VolumeWorld.application, with: world.store()).healed.isEmpty)
        default: break
        }
    }

    private func operations(_ phase: Phase) async throws -> Int {
        let counting = FaultyStoreIO()
        try await stage(phase).run(phase, counting)
        return counting.operations.count
    }

    @Test(arguments: Phase.allCases) func `G2 G3 I1 I3 I9 I10 I14 a phase broken at any change`(_ phase: Phase) async throws {
        let count = try await operations(phase)
        for (number, way) in Way.allCases.enumerated() {
            let step = Self.takesAll ? 1 : 14
            for position in stride(from: Self.takesAll ? 1 : 1 + number % step, through: count, by: step) {
                let stage = try await stage(phase)
                let source = try describe(stage.world.east / "volumes" / "data")
                let faulty = FaultyStoreIO(fault: way.fault, at: position)
                do { try await stage.run(phase, faulty) } catch let error as DRError {
                    #expect([.io, .noSpace, .damaged, .conflict].contains(error.code), "\(phase) \(way) at \(position): \(error)")
                } catch { #expect(error is Killed, "\(phase) \(way) at \(position): \(error)") }
                // A running capture takes as many steps as the files need to grow older than the clock that stamps them.
                if !faulty.hasStruck, phase == .captureRunning { continue }
                #expect(faulty.hasStruck)
                try await check(phase, stage, source, "\(phase.rawValue), \(way.rawValue) at \(position): \(faulty.operations.last ?? "")")
            }
        }
    }

    @Test(arguments: [Phase.publish, .receive, .materialise, .rollHead, .readHead])
    func `G2 G3 I1 I3 I9 I10 a phase of several threads broken at any change`(_ phase: Phase) async throws {
        let count = try await operations(phase)
        for (number, way) in Way.allCases.enumerated() {
            let step = Self.takesAll ? 1 : 30
            for position in stride(from: 1 + number % step, through: count, by: step) {
                let stage = try await stage(phase, parallel: 2)
                let source = try describe(stage.world.east / "volumes" / "data")
                let faulty = FaultyStoreIO(fault: way.fault, at: position)
                do { try await stage.run(phase, faulty) } catch let error as DRError {
                    #expect([.io, .noSpace, .damaged, .conflict].contains(error.code), "\(phase) \(way) at \(position): \(error)")
                } catch { #expect(error is Killed, "\(phase) \(way) at \(position): \(error)") }
                // How much is written at once depends on who was first.
                if !faulty.hasStruck { continue }
                try await check(phase, stage, source, "\(phase.rawValue), \(way.rawValue) at \(position): \(faulty.operations.last ?? "")")
            }
        }
    }

    @Test func `The table of what is broken is the one in the guarantees`() async throws {
        var rows = ["| phase | changes | " + Way.allCases.map(\.rawValue).joined(separator: " | ") + " |"]
        rows.append("|" + String(repeating: "---|", count: Way.allCases.count + 2))
        var all = 0
        for phase in Phase.allCases {
            if phase == .captureRunning {
                rows.append("| \(phase.rawValue) | as many as it waits for |" + String(repeating: " all |", count: Way.allCases.count))
                continue
            }
            let count = try await operations(phase)
            all += count * Way.allCases.count
            rows.append("| \(phase.rawValue) | \(count) | " + Way.allCases.map { _ in "\(count)" }.joined(separator: " | ") + " |")
        }
        rows.append("")
        rows.append(
            "\(all) places and those of the running capture; each leaves the earlier points usable, shows no half point, changes no source, and can be done again to its end."
        )
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/guarantees.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        let begin = "<!-- matrix: made by FaultMatrixTests, RECORD=1 writes it -->\n"
        let end = "<!-- end of matrix -->"
        let parts = text.components(separatedBy: begin)
        try #require(parts.count == 2)
        let table = rows.joined(separator: "\n") + "\n"
        let rest = try #require(parts[1].range(of: end))
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            try (parts[0] + begin + table + String(parts[1][rest.lowerBound...])).write(to: page, atomically: true, encoding: .utf8)
        } else {
            #expect(String(parts[1][..<rest.lowerBound]) == table, "RECORD=1 writes it")
        }
    }
}
