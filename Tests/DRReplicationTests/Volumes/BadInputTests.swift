@testable import DRReplication
import DRModel
import DRObjectStores
import Glibc
import Testing

/// What cannot be read, and what a later program wrote: one error that names it, and the points that were stay usable.
@Suite struct BadInputTests {
    let world: VolumeWorld
    private let application = VolumeWorld.application
    private var data: StorePath { world.east / "volumes" / "data" }

    init() throws {
        world = try VolumeWorld()
        try world.io.makeFolder(world.east / "volumes" / "data", permissions: 0o755)
        try write(world.east / "volumes" / "data" / "large", noise(200_000))
        try write(world.east / "volumes" / "data" / "small", noise(100))
    }

    private func expectUsable(_ point: RecoveryPoint) async throws {
        try await world.volumes(world.west).verify(point)
        let fresh = world.folder.path / "fresh-\(world.random.next())"
        try world.io.makeFolder(fresh, permissions: 0o755)
        _ = try await world.volumes(fresh).receive(point.id, of: application, from: world.store())
    }

    private func expectNewer(_ object: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: DRError.self) { try await body() }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains(object) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("cannot be read: its format is newer than this program") == true, "\(error?.message ?? "")")
        #expect(error?.hint == "use the program that wrote it, or a later one")
    }

    private func receive(_ id: PointID) async throws {
        _ = try await world.volumes(world.west).receive(id, of: application, from: world.store())
    }

    // MARK: A file

    @Test(arguments: [("large", true), ("small", true), ("large", false), ("small", false)], [EACCES, EIO])
    func `G3 G8 a file that cannot be read is named, and the points that were stay`(_ file: (name: String, stopped: Bool), _ code: Int32)
        async throws
    {
        let point = try await world.migrate(generation: 1).reception.point
        for name in ["large", "small"] { try write(data / name, noise(50, seed: 2)) }
        let path = data / file.name
        let io = FaultyStoreIO()
        io.meanwhile { operation in
            guard operation == "read \(path)" else { return }
            throw IOFailure(code: code, operation: "open", path: path, reason: String(cString: strerror(code)))
        }
        let key = OperationKey("run/2")
        let east = world.volumes(world.east, io)
        let error = await #expect(throws: DRError.self) {
            let capture = try await east.capture(["data"], of: application, stopped: file.stopped, key: key)
            _ = try await east.publish(capture, as: try VolumeWorld.draft(2), manifests: [], to: world.store(io))
        }
        #expect(error?.code == .io && error?.message.contains("\(path)") == true, "\(error?.message ?? "")")
        if code == EACCES { #expect(error?.hint?.hasPrefix("run it as root") == true) }
        #expect(try await world.store().list(prefix: "ledger/points/").count == 1)
        try await expectUsable(point)
        try await world.migrate(generation: 2, key: "run/2")
    }

    // MARK: A later program's objects

    private func point(_ generation: Int64) async throws -> (name: String, record: PointRecord) {
        let name = try #require(try await world.store().list(prefix: "ledger/points/ledger-e1-g\(generation)/").first).name
        return (name, try PointRecord(parsing: try await world.store().get(name)))
    }

    private func replace(_ name: String, _ bytes: [UInt8]) async throws {
        try await world.store().delete(name)
        try await world.store().put(name, bytes)
    }

    /// A second point, published and not received.
    private func publish() async throws -> (first: RecoveryPoint, name: String, record: PointRecord) {
        let first = try await world.migrate(generation: 1).reception.point
        try write(data / "large", noise(100, seed: 3), at: 5000)
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: application, stopped: true, key: OperationKey("run/2"))
        _ = try await east.publish(capture, as: try VolumeWorld.draft(2), manifests: VolumeWorld.manifests, to: world.store())
        let (name, record) = try await point(2)
        return (first, name, record)
    }

    @Test func `G3 G8 a record of a later format is named, not called damaged, and lets nothing go`() async throws {
        let (first, name, record) = try await publish()
        let text = String(decoding: try await world.store().get(name), as: UTF8.self)
        let body = try Value(json: text.replacing("\"format\":2", with: "\"format\":4"))["body"]
        let sealed: Value = ["body": body, "sha256": .string(ContentHash(of: Array(body.json().utf8)).hex)]
        try await replace(name, Array((sealed.json() + "\n").utf8))
        await expectNewer(name) { try await receive("ledger-e1-g2") }
        try await expectUsable(first)
        try await world.clock.sleep(for: .seconds(90_000))
        await expectNewer(name) {
            _ = try await world.volumes(world.west).sweep(world.store(), of: application, keeping: [], asked: ["east", "west"])
        }
        // In the own copy as well.
        let copy = world.west / ".dr/copies" / name
        try world.io.makeFolder(copy.folder, permissions: 0o755)
        try write(copy, contents(world.vault / name))
        await expectNewer(name) { try await world.volumes(world.west).verify(record.point) }
        let before = try contents(copy)
        await expectNewer(name) { _ = try await world.volumes(world.west).scrub(application, with: world.store()) }
        #expect(try contents(copy) == before && contents(world.vault / name) == before)
        try await world.migrate(generation: 3)
    }

    @Test func `G3 G8 a pack of a later version is named, not called damaged, and replaced on neither side`() async throws {
        let (first, _, record) = try await publish()
        let name = ObjectNames(application: application).pack(try #require(record.packs.first).id)
        let sound = try await world.store().get(name)
        var later = sound
        later[8] = 3
        // What changed by accident does not count as later.
        try await replace(name, later)
        let error = await #expect(throws: DRError.self) { try await receive("ledger-e1-g2") }
        #expect(error?.message.contains("\(name) in store vault is damaged: its checksum is wrong") == true)
        var footer = ByteReader(later, from: later.count - PackBuilder.trailerSize + 4)
        var seal: [UInt8] = []
        ContentHash(of: Array(later[..<PackBuilder.headerSize]) + later[Int(try footer.number(UInt64.self))..<later.count - 40]).append(
            to: &seal)
        later.replaceSubrange(later.count - 40..<later.count - 8, with: seal)
        try await replace(name, later)
        await expectNewer(name) { try await receive("ledger-e1-g2") }
        try await expectUsable(first)
        try await replace(name, sound)
        try await receive("ledger-e1-g2")
        try await replace(name, later)
        await expectNewer(name) { _ = try await world.volumes(world.west).scrub(application, with: world.store()) }
        #expect(try await world.store().get(name) == later)
        try await world.volumes(world.west).verify(record.point)
    }

    /// A point whose only page holds an entry or an item of that kind.
    private func publishMap(_ content: [UInt8]) async throws -> (name: String, pack: String) {
        let (name, record) = try await point(1)
        let page = StoredPage(content: content, places: MapPage(items: [], locations: []).places())
        let id = PackID(session: record.session, random: 99)
        var builder = PackBuilder(id: id, ordinal: 9, capacity: 1 << 20)
        let bytes = page.bytes
        let place = bytes.withUnsafeBytes { builder.add(page.name, length: bytes.count, codec: .raw, stored: $0) }
        let entry = PageIndex.Entry(
            content: page.contentHash, page: page.name, location: place, contentLength: UInt32(page.content.count),
            placesLength: UInt32(page.places.count))
        let index = PageIndex(kind: .filesystem, entries: [entry], packs: [])
        let names = ObjectNames(application: application)
        let pack = builder.finish()
        try await world.store().put(names.pack(id), pack)
        try await world.store().put(names.map(ContentHash(of: index.object())), index.object())
        let later = PointRecord(
            draft: try VolumeWorld.draft(2), application: application, session: record.session, instant: record.instant,
            consistency: record.consistency,
            volumes: [
                .init(
                    volume: PointVolume(name: "data", kind: .filesystem, content: index.token, size: ByteCount(0)),
                    index: ContentHash(of: index.object()))
            ], manifests: record.manifests, parent: nil, packs: [(id, Int64(pack.count))])
        try await world.store().put(name.replacing("-g1/", with: "-g2/"), later.object())
        return (name, names.pack(id))
    }

    @Test(arguments: [true, false])
    func `G3 G8 a map page with an entry or an item of a later kind is named, not called damaged`(_ isEntry: Bool) async throws {
        let first = try await world.migrate(generation: 1).reception.point
        let root = TreeNode(
            path: [], content: .folder, mode: 0o755, owner: 0, group: 0, modified: Instant(nanosecondsSince1970: 0), attributes: [])
        var content = MapPage(items: [.node(root)], locations: []).content()
        if isEntry {
            let next = TreeNode(
                path: Array("a".utf8), content: .symlink(target: [97]), mode: 0o755, owner: 0, group: 0,
                modified: Instant(nanosecondsSince1970: 0), attributes: [])
            var item = MapPage(items: [.node(next)], locations: []).content()
            item[1] = 6
            content += item
        } else {
            content += [9]
        }
        let (_, pack) = try await publishMap(content)
        await expectNewer(pack) { try await receive("ledger-e1-g2") }
        try await expectUsable(first)
    }

    // MARK: This program's own

    @Test func `G8 a point has the later format only while a symbolic link in it has more names`() async throws {
        try world.io.makeSymlink(data / "link", to: Array("small".utf8))
        func format(_ generation: Int64) async throws -> Int64? {
            try await world.migrate(generation: generation)
            let (name, record) = try await point(generation)
            let format = try Value(json: String(decoding: try await world.store().get(name), as: UTF8.self))["body"]["format"].integer
            #expect(record.hasLinkedSymlinks == (format == 3))
            return format
        }
        #expect(try await format(1) == 2)
        try world.io.makeHardLink(data / "other", to: data / "link")
        #expect(try await format(2) == 3)
        // Also where nothing has changed since, and where something else has.
        #expect(try await format(3) == 3)
        try write(data / "small", noise(100, seed: 4))
        #expect(try await format(4) == 3)
        try world.io.removeFile(data / "other")
        #expect(try await format(5) == 2)
    }
}
