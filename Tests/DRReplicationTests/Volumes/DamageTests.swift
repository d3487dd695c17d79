import DRModel
import DRObjectStores
import DRReplication
import Testing

/// One flipped bit, anywhere.
@Suite struct DamageTests {
    let world: VolumeWorld

    init() throws {
        world = try VolumeWorld()
        try makeHostileTree(world.east / "volumes" / "data")
    }

    private func positions(_ size: Int) -> [Int] {
        Array(Set(Array(0..<min(size, 90)) + stride(from: 0, to: size, by: max(1, size / 60)) + (max(0, size - 60)..<size))).sorted()
    }

    private func flip(_ path: StorePath, _ position: Int) throws {
        let byte = try contents(path)[position]
        try write(path, [byte ^ 1 << (position % 8)], at: Int64(position))
    }

    @Test func `G3 I1 a flipped bit in any object of the store is found and named before the point counts`() async throws {
        let key = OperationKey("run/1")
        let east = world.volumes(world.east)
        let capture = try await east.capture(["data"], of: VolumeWorld.application, stopped: true, key: key)
        let point = try await east.publish(capture, as: try VolumeWorld.draft(1), manifests: VolumeWorld.manifests, to: world.store()).point
        var kinds: Set<String> = []
        for object in try await world.objects() {
            let path = world.vault / object.name
            kinds.insert(String(object.name.split(separator: "/")[1]))
            for position in positions(Int(object.size.bytes)) {
                try flip(path, position)
                let west = world.volumes(world.west)
                let error = await #expect(throws: DRError.self, "bit \(position) of \(object.name)") {
                    try await west.receive(point.id, of: VolumeWorld.application, from: world.store())
                }
                #expect(error?.code == .damaged, "bit \(position) of \(object.name): \(error.map(String.init(describing:)) ?? "")")
                #expect(error?.message.contains(object.name) == true, "bit \(position) of \(object.name)")
                #expect(try world.io.facts(world.west / ".dr" / "copies" / "ledger" / "points") == nil)
                try flip(path, position)
                FaultyStoreIO.removeAll(world.west / ".dr", world.io)
            }
        }
        #expect(kinds == ["packs", "maps", "points"])
        _ = try await world.volumes(world.west).receive(point.id, of: VolumeWorld.application, from: world.store())
    }

    @Test func `G3 a flipped bit in the own copy is found by verify and by materialise, and healed by receiving again`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let west = world.volumes(world.west)
        for object in try await world.objects() {
            let path = world.west / ".dr" / "copies" / object.name
            for position in positions(Int(object.size.bytes)).filter({ $0 % 3 == 0 }) {
                try flip(path, position)
                let error = await #expect(throws: DRError.self, "bit \(position) of \(object.name)") { try await west.verify(point) }
                #expect(error?.code == .damaged)
                #expect(error?.message.contains(object.name) == true, "\(error?.message ?? "") is not about \(object.name)")
                try flip(path, position)
            }
            try flip(path, Int(object.size.bytes) / 2)
            _ = try await west.receive(point.id, of: VolumeWorld.application, from: world.store())
            try await west.verify(point)
        }
        // That of the chunks; manifests have one of their own.
        let pack = try #require(try await world.store().list(prefix: "ledger/packs/").max { $0.size < $1.size })
        try flip(world.west / ".dr" / "copies" / pack.name, 1000)
        let key = OperationKey("activate")
        let error = await #expect(throws: DRError.self) { try await west.materialise(point.volumes[0], of: point, key: key) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("chunk") == true)
    }

    @Test func `G3 I1 a lost object is found and named`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let west = world.volumes(world.west)
        for object in try await world.objects() {
            let path = world.west / ".dr" / "copies" / object.name
            let bytes = try contents(path)
            try world.io.removeFile(path)
            let error = await #expect(throws: DRError.self) { try await west.verify(point) }
            #expect(error?.code == .damaged)
            try write(path, bytes)
            // A truncated one, too.
            try write(path, [])
            let file = try world.io.open(path, .update, permissions: 0)
            try file.truncate(to: Int64(bytes.count / 2))
            await #expect(throws: DRError.self) { try await west.verify(point) }
            try write(path, bytes)
            try await west.verify(point)
        }
    }

    @Test func `A point of which nothing is here says so`() async throws {
        let point = try await world.migrate(generation: 1).reception.point
        let error = await #expect(throws: DRError.self) { try await world.volumes(world.east).verify(point) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("ledger-e1-g1 is not in the own copy") == true)
        let missing = await #expect(throws: DRError.self) {
            try await world.volumes(world.west).receive("ledger-e1-g9", of: VolumeWorld.application, from: world.store())
        }
        #expect(missing?.code == .notFound)
    }
}
