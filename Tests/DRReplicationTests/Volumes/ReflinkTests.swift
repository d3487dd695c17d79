import DRModel
import DRReplication
import Foundation
import Testing

/// A filesystem that shares blocks, made for the test: an XFS image on a loop mount. Needs root and mkfs.xfs.
private final class ReflinkMount: Sendable {
    let folder: TemporaryFolder
    var path: StorePath { folder.path / "mount" }

    static let isPossible = geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/mkfs.xfs")

    init() throws {
        folder = try TemporaryFolder()
        let io = SystemStoreIO()
        try io.makeFolder(folder.path / "mount", permissions: 0o755)
        let image = try io.open(folder.path / "image", .create, permissions: 0o600)
        try image.truncate(to: 400 << 20)
        try image.close()
        try Self.run("/usr/sbin/mkfs.xfs", ["-q", "-m", "reflink=1", "\(folder.path)/image"])
        try Self.run("/usr/bin/mount", ["-o", "loop", "\(folder.path)/image", "\(path)"])
    }

    deinit { try? Self.run("/usr/bin/umount", ["-l", "\(path)"]) }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    }
}

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
}
