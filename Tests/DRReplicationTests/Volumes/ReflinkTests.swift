import DRModel
import DRReplication
import Foundation
import Testing

@Suite(.enabled(if: ReflinkMount.isPossible, "needs root and mkfs.xfs")) struct ReflinkTests {
    @Test func `An image is cloned in one instant and shares its blocks`() async throws {
        let mount: ReflinkMount
        do { mount = try ReflinkMount() } catch {
            // Containers may forbid loop mounts even to root.
            return
        }
        let io = SystemStoreIO()
        let site = mount.path / "east"
        for folder in [site, site / "volumes"] { try io.makeFolder(folder, permissions: 0o755) }
        try write(site / "volumes" / "disk.img", noise(3 << 20))
        let file = try io.open(site / "volumes" / "disk.img", .read, permissions: 0)
        try file.sync()
        let store = DirectoryVolumeStore(cluster: "east", directory: site, io: io, clock: SteadyClock(), random: CountingRandom())
        let key = OperationKey("k")
        let capture = try await store.capture(["disk"], of: "ledger", stopped: false, key: key)
        #expect(capture.consistency == .crash)
        let copy = try io.open(
            StagingLayout(cluster: site).captured("disk", key: key, attempt: capture.attempt) / "0", .read, permissions: 0)
        #expect(try contents(StagingLayout(cluster: site).captured("disk", key: key, attempt: capture.attempt) / "0") == noise(3 << 20))
        let target = try io.open(site / "again", .create, permissions: 0o600)
        #expect(try target.clone(from: copy))
        // The live image may change: the clone does not.
        try write(site / "volumes" / "disk.img", noise(1000, seed: 2))
        #expect(try contents(StagingLayout(cluster: site).captured("disk", key: key, attempt: capture.attempt) / "0") == noise(3 << 20))
        try file.close()
        try copy.close()
        try target.close()
    }

    /// A site on the mount with a point and its volumes standing by, or nil where there are no loop mounts.
    private func standingBy(_ volume: VolumeName, _ make: (StorePath) throws -> Void) async throws
        -> (mount: ReflinkMount, world: VolumeWorld, site: StorePath, point: RecoveryPoint)?
    {
        let mount: ReflinkMount
        do { mount = try ReflinkMount() } catch { return nil }
        let world = try VolumeWorld()
        let site = mount.path / "west"
        for folder in [site, site / "volumes"] { try world.io.makeFolder(folder, permissions: 0o755) }
        try make(world.east / "volumes")
        let point = try await world.migrate([volume], generation: 1, to: site).reception.point
        try await world.volumes(site).standBy(point)
        return (mount, world, site, point)
    }

    @Test func `An image that stands by goes live as a clone: the head stays, nothing is written`() async throws {
        let made = try await standingBy("disk") { try write($0 / "disk.img", noise(3 << 20)) }
        guard let (_, world, site, point) = made else { return }
        let head = site / ".dr" / "heads" / "ledger" / "disk" / "volume"
        let io = FaultyStoreIO()
        try await world.activate(point, at: site, io: io)
        #expect(!io.operations.contains { $0.hasPrefix("write") })
        #expect(io.bytesRead < 100_000)
        // I6: what is live shares nothing that a write could reach.
        try write(site / "volumes" / "disk.img", noise(5000, seed: 3), at: 1 << 20)
        #expect(try contents(head) == noise(3 << 20))
        let again = FaultyStoreIO()
        try await world.activate(point, at: site, io: again)
        #expect(try contents(site / "volumes" / "disk.img") == noise(3 << 20))
        #expect(again.bytesRead < 100_000)
        try await world.volumes(site).verify(point)
    }

    @Test func `I13 a clone for a drill is shared with what stands by, down to links, holes and attributes, and leaves it as it is`()
        async throws
    {
        let made = try await standingBy("data") { try makeHostileTree($0 / "data") }
        guard let (_, world, site, point) = made else { return }
        let before = try describe(site / ".dr" / "heads")
        let io = FaultyStoreIO()
        let key = OperationKey("drill")
        _ = try await world.volumes(site, io).materialise(point.volumes[0], of: point, as: "data-drill", key: key)
        let staged = StagingLayout(cluster: site).staged("data-drill", .filesystem, key: key)
        #expect(try describe(staged) == describe(world.east / "volumes" / "data"))
        #expect(!io.operations.contains { $0.hasPrefix("write") })
        #expect(try #require(try world.io.facts(staged / "sparse")).allocated <= 64 << 10)
        #expect(try describe(site / ".dr" / "heads") == before)
        // Still believed: a tree is taken without being read.
        let live = FaultyStoreIO()
        try await world.activate(point, at: site, io: live)
        #expect(live.bytesRead < 100_000)
    }
}
