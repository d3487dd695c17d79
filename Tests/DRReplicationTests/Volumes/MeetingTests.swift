@testable import DRReplication
import DRModel
import DRObjectStores
import DRSupport
import Testing

/// A sweep and a publication that meet: each comes as a whole between any two calls of the other.
@Suite struct MeetingTests {
    let world: VolumeWorld
    private let day = Duration.seconds(86_401)
    private let application = VolumeWorld.application
    private var data: StorePath { world.east / "volumes" / "data" }

    init() throws { world = try VolumeWorld() }

    /// A session died that had put everything but its record: packs, index and manifests are garbage that it would use again.
    private func abandoned(_ world: VolumeWorld) async throws -> Capture {
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        for generation: Int64 in 1...3 {
            try write(data / "changing", noise(3000, seed: UInt64(generation)))
            try await world.migrate(generation: generation)
        }
        try write(data / "new", noise(30_000, seed: 9))
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: application, stopped: true, key: OperationKey("again"))
        let dying = InterruptedStore(world.store(), puts: { name in if name.contains("/points/") { throw Killed() } })
        await #expect(throws: Killed.self) { try await publish(capture, world, dying) }
        try await world.clock.sleep(for: day)
        return capture
    }

    /// None: the index of nothing is called the same whichever session sends it, so that what goes there and what comes have a name in common.
    private static let others: [ManifestObject] = []

    @discardableResult
    private func publish(_ capture: Capture, _ world: VolumeWorld, _ store: any ObjectStore) async throws -> RecoveryPoint {
        try await world.volumes(world.east).publish(capture, as: try VolumeWorld.draft(9), manifests: Self.others, to: store).point
    }

    private func sweep(_ world: VolumeWorld, _ store: any ObjectStore) async throws {
        _ = try await world.volumes(world.west).sweep(store, of: VolumeWorld.application, keeping: [], asked: ["east", "west"])
    }

    private func everyPointIsWhole(_ world: VolumeWorld, _ story: String) async throws {
        let ids = Set(
            try await world.store().list(prefix: "ledger/points/").compactMap { $0.name.split(separator: "/").dropFirst(2).first })
        for id in ids {
            let fresh = world.folder.path / "fresh-\(world.random.next())"
            try world.io.makeFolder(fresh, permissions: 0o755)
            do { _ = try await world.volumes(fresh).receive(try PointID(String(id)), of: application, from: world.store()) } catch {
                Issue.record("\(story): \(id): \(error)")
            }
        }
    }

    /// The publication, which may have been refused, and then once more, which may not.
    private func publishes(_ capture: Capture, _ world: VolumeWorld, _ store: any ObjectStore, _ story: String) async throws {
        do { try await publish(capture, world, store) } catch let error as DRError {
            #expect(error.code == .conflict, "\(story): \(error)")
        }
        try await everyPointIsWhole(world, story)
        let point = try await publish(capture, world, world.store())
        try await everyPointIsWhole(world, story)
        // And a sweep that comes later finds nothing wrong either.
        try await world.clock.sleep(for: day)
        try await sweep(world, world.store())
        try await everyPointIsWhole(world, story)
        _ = try await world.volumes(world.west).receive(point.id, of: application, from: world.store())
    }

    @Test(arguments: [false, true])
    func `I7 a sweep between any two calls of a publication costs no point`(_ isBuried: Bool) async throws {
        var position = 0
        while true {
            position += 1
            let world = try VolumeWorld()
            let capture = try await abandoned(world)
            if isBuried {
                try await sweep(world, world.store())
                try await world.clock.sleep(for: day)
            }
            let (place, calls) = (position, Lock(0))
            let store = InterruptedStore(
                world.store(),
                before: { _ in
                    guard
                        calls.withLock({ number in
                            number += 1; return number
                        }) == place
                    else { return }
                    try await self.sweep(world, world.store())
                    if isBuried { return }
                    // Longer than any publication counts as going on.
                    try await world.clock.sleep(for: .seconds(3 * 86_400))
                    try await self.sweep(world, world.store())
                })
            try await publishes(capture, world, store, "sweep before call \(position)")
            if calls.withLock({ $0 }) < position { break }
            try #require(position < 200)
        }
        #expect(position > 6)
    }

    @Test func `I7 a publication between any two calls of a sweep costs no point`() async throws {
        var position = 0
        while true {
            position += 1
            let world = try VolumeWorld()
            let capture = try await abandoned(world)
            try await sweep(world, world.store())
            try await world.clock.sleep(for: day)
            let (place, calls, story) = (position, Lock(0), "publication before call \(position)")
            let store = InterruptedStore(
                world.store(),
                before: { call in
                    guard
                        calls.withLock({ number in
                            number += 1; return number
                        }) == place
                    else { return }
                    do { try await self.publish(capture, world, world.store()) } catch let error as DRError {
                        #expect(error.code == .conflict, "\(story), \(call): \(error)")
                    }
                })
            try await sweep(world, store)
            try await everyPointIsWhole(world, story)
            try await publishes(capture, world, world.store(), story)
            if calls.withLock({ $0 }) < position { break }
            try #require(position < 200)
        }
        #expect(position > 6)
    }

    @Test func `I7 a sweep looks for new records again after every hundred objects`() async throws {
        let store = world.store()
        var names: [String] = []
        for number in 0..<250 {
            let object = PageIndex.unlike(number).object()
            names.append("ledger/maps/\(ContentHash(of: object))")
            try await store.put(names[number], object)
        }
        names.sort()
        try await sweep(world, store)
        try await world.clock.sleep(for: day)
        let record = PointRecord(
            draft: try VolumeWorld.draft(4), application: application, session: Session(OperationKey("x")), instant: world.clock.now(),
            consistency: .application, volumes: [],
            manifests: .init(content: ContentToken("m"), index: try #require(ContentHash(hex: String(names[240].suffix(64))))), parent: nil,
            packs: [])
        let name = ObjectNames(application: application).record(record.draft.id, attempt: 1, session: record.session)
        let deletes = Lock(0)
        let meeting = InterruptedStore(
            store,
            before: { call in
                guard case .delete = call,
                    deletes.withLock({ number in
                        number += 1; return number
                    }) == 150
                else { return }
                try await store.put(name, record.object())
            })
        try await sweep(world, meeting)
        #expect(try await store.list(prefix: "ledger/maps/").map(\.name) == [names[240]])
    }

    @Test func `A tomb that cannot be fetched ends a publication; one that is gone does not`() async throws {
        let capture = try await abandoned(world)
        try await sweep(world, world.store())
        let away = InterruptedStore(
            world.store(),
            before: { call in
                if case .get(let name) = call, name.contains("/tombs/") { throw DRError(.storeUnreachable, "away") }
            })
        let error = await #expect(throws: DRError.self) { try await publish(capture, world, away) }
        #expect(error?.code == .storeUnreachable)
        try await publish(capture, world, world.store())
    }

    @Test func `A tomb of a later format is neither removed nor passed over`() async throws {
        let capture = try await abandoned(world)
        let body: Value = ["created": 0, "format": 2, "graves": []]
        let sealed: Value = ["body": body, "sha256": .string(ContentHash(of: Array(body.json().utf8)).hex)]
        try await world.store().put("ledger/tombs/later", Array((sealed.json() + "\n").utf8))
        for call in [
            { try await self.sweep(self.world, self.world.store()) }, { try await self.publish(capture, self.world, self.world.store()) },
        ] {
            let error = await #expect(throws: DRError.self) { _ = try await call() }
            #expect(error?.code == .damaged && error?.message.contains("ledger/tombs/later") == true)
            #expect(error?.message.contains("newer") == true)
        }
        #expect(try await world.store().exists("ledger/tombs/later"))
    }

    @Test func `I7 a sweep that died holds up nobody for more than an hour`() async throws {
        let capture = try await abandoned(world)
        try await sweep(world, world.store())
        try await world.clock.sleep(for: day)
        // Killed before it deletes anything: what it was about to remove stays announced.
        let dying = Lock(false)
        let killed = InterruptedStore(
            world.store(),
            before: { call in
                if case .delete = call { dying.withLock { $0 = true } }
                if dying.withLock({ $0 }) { throw Killed() }
            })
        await #expect(throws: Killed.self) { try await sweep(world, killed) }
        #expect(try await world.store().list(prefix: "ledger/sweeps/").count == 1)
        let error = await #expect(throws: DRError.self) { try await publish(capture, world, world.store()) }
        #expect(error?.code == .conflict)
        try await world.clock.sleep(for: .seconds(3601))
        try await publish(capture, world, world.store())
        try await sweep(world, world.store())
        #expect(try await world.store().list(prefix: "ledger/sweeps/").isEmpty)
        try await everyPointIsWhole(world, "after an hour")
    }

    @Test func `A record that another process wrote under the same name with other content is no success`() async throws {
        let capture = try await abandoned(world)
        let world = self.world
        let store = InterruptedStore(
            world.store(),
            puts: { name in
                if name.contains("/points/") { try await world.store().put(name, Array("something else".utf8)) }
            })
        let error = await #expect(throws: DRError.self) { try await publish(capture, world, store) }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("another process") == true)
    }
}
