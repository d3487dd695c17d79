import DRHost
import DRModel
import Foundation
import Testing

/// The shop over other stores than a folder.
@Suite(.waitsForProcesses) struct StoreHostTests {
    private let key = String(repeating: "5ea1ed0123456789", count: 4)
    private let secret = "aws-\(UUID().uuidString)"

    @Test func `an encrypted bucket carries the shop there and back, and no file or output holds key, credentials or data`() throws {
        let server = Process()
        let input = Pipe(), output = Pipe()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("DRObjectStoresTests/s3.py").path
        server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        server.arguments = ["python3", script, "AKSHOP", secret, "us-east-1", "bucket"]
        server.standardInput = input
        server.standardOutput = output
        try server.start()
        defer { try? input.fileHandleForWriting.close() }
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        let environment = ["AWS_ACCESS_KEY_ID": "AKSHOP", "AWS_SECRET_ACCESS_KEY": secret, "DR_STORE_KEY": key]

        let shop = try ShopFixture()
        let text = try shop.read("dr.yaml")
        let line = try #require(text.split(separator: "\n").first { $0.contains("vault: {") })
        try shop.replace(
            "dr.yaml", String(line),
            "  vault: { s3: { endpoint: \"http://127.0.0.1:\(port)\", bucket: bucket }, encryption: { keys: [{ env: DR_STORE_KEY }] } }")
        var said = ""
        for runbook in ["protect", "failover", "failback"] {
            let answer = try shop.drrunbook(["run", "runbooks/\(runbook).lua", "--yes", "--json"], environment: environment)
            #expect(answer.status == 0, "\(runbook): \(answer.output)\(answer.error)")
            said += answer.output + answer.error
        }
        #expect(try shop.read("sites/east/volumes/pg-data/ledger/2026-03.csv").contains("sale-4712"))
        let wrong = try shop.drrunbook(
            ["run", "runbooks/failover.lua", "--yes"], environment: environment.merging(["AWS_SECRET_ACCESS_KEY": "no-\(secret)"]) { $1 })
        #expect(wrong.status != 0 && wrong.error.contains("SignatureDoesNotMatch"), "\(wrong.output)\(wrong.error)")
        let missing = try shop.drrunbook(["status"], environment: ["DR_STORE_KEY": "short"])
        #expect(missing.status == 2 && missing.error.contains("DR_STORE_KEY is no key"), "\(missing.error)")
        said += wrong.output + wrong.error + missing.output + missing.error
        for hidden in [secret, key] {
            #expect(!said.contains(hidden))
            for case let name as String in FileManager.default.enumerator(atPath: shop.folder.path) ?? .init() {
                if let bytes = FileManager.default.contents(atPath: shop.file(name)) {
                    #expect(bytes.range(of: Data(hidden.utf8)) == nil, "\(name)")
                }
            }
        }
    }

    @Test func `a folder whose store is encrypted holds nothing readable`() throws {
        let shop = try ShopFixture()
        let line = try #require(try shop.read("dr.yaml").split(separator: "\n").first { $0.contains("vault: {") })
        try shop.write("store.key", key + "\n")
        try shop.replace("dr.yaml", String(line), "  vault: { directory: objects, encryption: { keys: [{ file: store.key }] } }")
        let answer = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
        var objects = 0
        for case let name as String in FileManager.default.enumerator(atPath: shop.file("objects")) ?? .init() {
            guard let bytes = FileManager.default.contents(atPath: shop.file("objects/\(name)")), !bytes.isEmpty else { continue }
            objects += 1
            #expect(bytes.starts(with: Data("DRSEAL1\n".utf8)), "\(name)")
        }
        #expect(objects > 3)
    }
}
