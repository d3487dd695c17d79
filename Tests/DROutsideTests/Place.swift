import DRModel
import DROutside
import DRSupport
import Foundation

/// A folder with programs of a test's own, and what may be reached from it.
final class Place {
    let folder: URL
    var allowances = Allowances()
    var environment: [String: String] = [:]
    var authorities: String?
    private let memory = MemoryOfMessages()

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("outside-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func file(_ name: String) -> String { folder.appendingPathComponent(name).path }
    func read(_ name: String) -> String? { try? String(contentsOfFile: file(name), encoding: .utf8) }

    /// Writes a shell script and allows it.
    func program(_ name: String, _ script: String, arguments: [String] = ["*"], environment: [String] = [], line: Int = 7) throws {
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: folder.appendingPathComponent(name))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file(name))
        allowances.programs.append(
            Allowances.Program(
                name: name, path: file(name), arguments: arguments, environment: environment,
                location: SourceLocation(file: "dr.yaml", line: line)))
    }

    func secret(_ name: String, _ value: String?) throws {
        allowances.secrets.append(Allowances.Secret(name: try SecretName(name), location: SourceLocation(file: "dr.yaml", line: 9)))
        environment[name] = value
    }

    func outside(predicts: Bool = false) -> AllowedOutside {
        let environment = environment
        return AllowedOutside(
            allowances: allowances, predicts: predicts, folder: folder.path, fingerprintKey: { Array("key".utf8) },
            memory: memory, authorities: authorities, environment: { environment[$0] })
    }

    static func call(as runningAs: RunningAs = .live, effects: EffectLog = EffectLog(), hasChanged: Bool = true) -> OutsideCall {
        OutsideCall(key: OperationKey("run-1/0/3/1/do"), run: "run-1", runningAs: runningAs, effects: effects, hasChanged: hasChanged)
    }
}

func code(_ error: any Error) -> ErrorCode? { (error as? DRError)?.code }

final class MemoryOfMessages: NotificationMemory {
    private let told = Lock<[String: String]>([:])
    func last(_ channel: String) -> String? { told.withLock { $0[channel] } }
    func remember(_ digest: String, _ channel: String) throws { told.withLock { $0[channel] = digest } }
}
