import DRModel
import DRObjectStores
import DRSimulation
import Testing

@testable import DRReplication

struct ManifestPagesTests {
    private let world: VolumeWorld
    private let application: ApplicationName = "ledger"

    init() throws { world = try VolumeWorld() }

    private func objects(_ count: Int, _ text: (Int) -> String = { "value: \($0)\n" }) -> [ManifestObject] {
        (0..<count).map { number in
            ManifestObject(
                key: ObjectKey(group: "apps", kind: "Deployment", namespace: "n\(number / 25)", name: "web-\(number)"),
                labels: ["app": "web"], annotations: ["number": "\(number)"], text: text(number))
        }
    }

    private func publish(_ manifests: [ManifestObject], _ generation: Int64, to store: any ObjectStore) async throws -> Publication {
        let east = world.volumes(world.east)
        let capture = try await east.capture([], of: application, stopped: true, key: OperationKey("run/\(generation)"))
        return try await east.publish(capture, as: try VolumeWorld.draft(generation), manifests: manifests, to: store)
    }

    @Test func `Manifests come back as they were, in the order of their keys`() async throws {
        let given = objects(300)
        let point = try await publish(given.shuffled(), 1, to: world.store()).point
        let west = world.volumes(world.west)
        let received = try await west.receive(point.id, of: application, from: world.store()).point
        #expect(try await west.manifests(of: received) == given.sorted { $0.key < $1.key })
        try await west.verify(received)
    }

    @Test func `A point of no object is a point`() async throws {
        let point = try await publish([], 1, to: world.store()).point
        let west = world.volumes(world.west)
        #expect(try await west.manifests(of: west.receive(point.id, of: application, from: world.store()).point).isEmpty)
    }

    @Test func `What is written for a changed, a new and a removed object does not grow with the others`() async throws {
        var sent: [Int: [ByteCount]] = [:]
        for count in [500, 5000] {
            let store = MemoryObjectStore("vault")
            // Nothing that compresses.
            func text(_ number: Int) -> String { noise(400, seed: UInt64(number)).map { String($0, radix: 16) }.joined() }
            var given = objects(count, text)
            _ = try await publish(given, 1, to: store)
            given[77] = objects(78) { _ in "other" }[77]
            let changed = try await publish(given, 2, to: store)
            given.remove(at: 170)
            let removed = try await publish(given, 3, to: store)
            given.append(objects(count + 1, text)[count])
            let added = try await publish(given, 4, to: store)
            let same = try await publish(given, 5, to: store)
            sent[count] = [changed, removed, added, same].map(\.bytesSent)
        }
        let small = try #require(sent[500])
        let large = try #require(sent[5000])
        for (before, after) in zip(small, large) {
            // An index of 85 bytes a page, and pages of sixteen objects as chance has it.
            #expect(after.bytes < 150_000, "\(before) of 500 objects, \(after) of 5,000")
        }
        // No index, no page: the record alone.
        #expect(large[3].bytes < 2000)
    }

    @Test func `An object more leaves all pages but its own as they are`() {
        let given = objects(2000)
        let before = Set(ManifestPages.pages(given).map(\.contentHash))
        let more = ManifestPages.pages(given + objects(2001).suffix(1))
        #expect(before.count > 60)
        #expect(more.filter { !before.contains($0.contentHash) }.count <= 2)
    }

    @Test func `Pages out of order and an object that stands twice are refused`() throws {
        let pages = ManifestPages.pages(objects(200))
        try #require(pages.count > 2)
        #expect(try ManifestPages.manifests(pages).count == 200)
        #expect(throws: Malformed.self) { try ManifestPages.manifests(pages.reversed()) }
        #expect(throws: Malformed.self) { try ManifestPages.manifests([pages[0], pages[0]]) }
    }

    /// Whether or not somebody has noticed it before: then the pack counts as read lately.
    @Test(arguments: [true, false])
    func `G3 I15 manifests that rotted here are fetched once more, and what rotted in the store as well is named`(_ isNoticed: Bool)
        async throws
    {
        let point = try await publish(objects(300), 1, to: world.store()).point
        let west = world.volumes(world.west)
        let received = try await west.receive(point.id, of: application, from: world.store()).point
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").first?.name)
        let here = world.west / ".dr/copies" / pack
        let bytes = try contents(here)
        func flip(_ place: StorePath) throws { try write(place, [bytes[bytes.count / 3] ^ 4], at: Int64(bytes.count / 3)) }
        try flip(here)
        if isNoticed { await #expect(throws: DRError.self) { try await west.verify(received) } }
        _ = try await west.receive(point.id, of: application, from: world.store())
        try await west.verify(received)
        for place in [here, world.vault / pack] { try flip(place) }
        let error = await #expect(throws: DRError.self) { try await west.verify(received) }
        #expect(error?.code == .damaged && "\(error.map(String.init(describing:)) ?? "")".contains(pack))
    }

    @Test func `I7 a page that a kept point names is not swept, whoever wrote it`() async throws {
        let store = world.store()
        var given = objects(200)
        let first = try await publish(given, 1, to: store).point
        given[3] = objects(4) { _ in "other" }[3]
        let second = try await publish(given, 2, to: store).point
        let east = world.volumes(world.east)
        for _ in 0..<3 {
            _ = try await east.sweep(store, of: application, keeping: [second.id], asked: ["east", "west"])
            try await world.clock.sleep(for: .seconds(25 * 3600))
        }
        let west = world.volumes(world.west)
        let received = try await west.receive(second.id, of: application, from: store).point
        #expect(try await west.manifests(of: received).count == 200)
        _ = first
    }

    @Test func `Manifests that stay the same keep no chunks of the volumes from being swept`() async throws {
        let store = world.store()
        let data = world.east / "volumes" / "data"
        try world.io.makeFolder(data, permissions: 0o755)
        for generation: Int64 in 1...5 {
            try write(data / "file", noise(1 << 20, seed: UInt64(generation)))
            try await world.migrate(generation: generation)
        }
        let west = world.volumes(world.west)
        for _ in 0..<3 {
            try await world.clock.sleep(for: .seconds(25 * 3600))
            _ = try await west.sweep(store, of: application, keeping: [], asked: ["east", "west"])
        }
        let left = try await store.list(prefix: "ledger/packs/").reduce(0) { $0 + $1.size.bytes }
        // The newest two stay whatever was kept.
        #expect((2 << 20..<5 << 19).contains(left), "\(left)")
    }
}

extension PageIndex {
    /// One without pages, unlike any other number's.
    static func unlike(_ number: Int) -> PageIndex {
        PageIndex(
            kind: .manifests, entries: [], packs: [PackID(session: Session(OperationKey("unlike")), random: UInt64(number))])
    }
}
