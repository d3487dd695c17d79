import DRModel
import DRReplication
import Foundation

/// A filesystem that shares blocks, made for the test: an XFS image on a loop mount. Needs root and mkfs.xfs.
final class ReflinkMount: Sendable {
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
