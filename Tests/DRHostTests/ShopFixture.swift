import DRHost
import DRModel
import DRSupport
import Foundation

/// The shop that `init` writes, in a folder of its own, and the command line in it.
final class ShopFixture {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("shop-\(UUID().uuidString)")
        _ = try Starter.write(to: folder.path)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func host() throws -> DRHost.Host { try Host.open(configurationFile: file("dr.yaml")) }
    func file(_ path: String) -> String { folder.appendingPathComponent(path).path }
    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: file(path)) }
    func read(_ path: String) throws -> String { try String(contentsOfFile: file(path), encoding: .utf8) }

    func write(_ path: String, _ text: String) throws {
        let url = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func replace(_ path: String, _ old: String, _ new: String) throws {
        let text = try read(path)
        precondition(text.contains(old), "\(path) does not contain \(old)")
        try write(path, text.replacingOccurrences(of: old, with: new))
    }

    /// Every name and byte below the folders, the whole shop when none is named.
    func fingerprint(_ paths: String...) throws -> String {
        var lines: [String] = []
        for path in paths.isEmpty ? ["."] : paths {
            let root = folder.appendingPathComponent(path)
            for case let name as String in FileManager.default.enumerator(atPath: root.path) ?? .init() {
                let file = root.appendingPathComponent(name)
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
                lines.append("\(path)/\(name) \(isFolder.boolValue ? "folder" : Digest.hex(of: try Data(contentsOf: file)))")
            }
        }
        return lines.sorted().joined(separator: "\n")
    }

    struct Answer {
        let status: Int32
        let output: String
        let error: String

        var lines: [Value] { output.split(separator: "\n").compactMap { try? Value(json: String($0)) } }
    }

    /// Runs `drrunbook` in the shop's folder, without a terminal.
    @discardableResult func drrunbook(_ arguments: String..., environment: [String: String] = [:]) throws -> Answer {
        try drrunbook(arguments, environment: environment)
    }

    @discardableResult func drrunbook(_ arguments: [String], environment: [String: String] = [:]) throws -> Answer {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: no reader has to keep up, and a process left behind cannot hold them open.
        let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let files = ["out", "err"].map { place.appendingPathComponent($0) }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        process.standardInput = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
        let status = process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
        return Answer(status: status, output: texts[0], error: texts[1])
    }

    /// The executable that was built with these tests.
    static let executable: URL = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }.map { URL(fileURLWithPath: $0).deletingLastPathComponent() }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return (bundle ?? package.appendingPathComponent(".build/debug")).appendingPathComponent("drrunbook")
    }()
}
