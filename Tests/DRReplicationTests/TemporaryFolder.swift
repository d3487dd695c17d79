import DRModel
import DRReplication
import Foundation

/// A folder of a test's own, removed with it.
final class TemporaryFolder: Sendable {
    let path: StorePath

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("drrunbook-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = StorePath(url.path)
    }

    deinit { FaultyStoreIO.removeAll(path, SystemStoreIO()) }
}
