import Foundation

/// `server.py`, as long as this lives.
final class WebServer {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static func certificate(_ name: String) -> String { folder.appendingPathComponent("Certificates/\(name).pem").path }

    let port: Int
    private let isSecure: Bool
    private let process = Process()
    private let input = Pipe()

    init(certificate: String? = nil) throws {
        isSecure = certificate != nil
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["python3", Self.folder.appendingPathComponent("server.py").path] + (certificate.map { [Self.certificate($0)] } ?? [])
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw CocoaError(.fileReadUnknown) }
        self.port = port
    }

    deinit { try? input.fileHandleForWriting.close() }

    func url(_ path: String, host: String = "127.0.0.1") -> String { "\(isSecure ? "https" : "http")://\(host):\(port)\(path)" }
}
