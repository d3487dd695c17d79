import DRHTTP
import DRModel
import DRObjectStores
import Foundation
import Testing

/// `s3.py`, as long as this lives.
final class S3Server {
    let port: Int
    private let process = Process()
    private let input = Pipe()
    let clock = SteppedClock()
    static let secret = "a/very+secret/key"

    init() throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("s3.py").path
        process.arguments = ["python3", script, "AKTEST", Self.secret, "eu-test-1", "bucket"]
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw CocoaError(.fileReadUnknown) }
        self.port = port
    }

    deinit { try? input.fileHandleForWriting.close() }

    func store(pathStyle: Bool = true, bucket: String = "bucket", secret: String = S3Server.secret) throws -> S3ObjectStore {
        var limits = S3Limits()
        limits.partSize = 64 << 10
        // Names below localhost are loopback to libcurl.
        let location = try S3Location(
            endpoint: "http://\(pathStyle ? "127.0.0.1" : "localhost"):\(port)", bucket: bucket, region: "eu-test-1", pathStyle: pathStyle)
        return S3ObjectStore(
            name: "vault", location: location, limits: limits, credentials: { S3Credentials(accessKey: "AKTEST", secretKey: secret) },
            clock: clock, random: SeededRandom())
    }

    func breakNext(_ times: Int, _ kind: String) throws {
        _ = try HTTPClient().perform(
            HTTPOrder(method: "POST", address: WebAddress("http://127.0.0.1:\(port)/-/fault?kind=\(kind)&times=\(times)")))
    }

    func log() throws -> [String] {
        let answer = try HTTPClient().perform(HTTPOrder(address: WebAddress("http://127.0.0.1:\(port)/-/log")))
        return try Value(json: String(decoding: answer.body, as: UTF8.self)).list?.compactMap(\.string) ?? []
    }
}

@Suite struct S3Tests {
    @Test(arguments: ["503", "before", "after"])
    func `what fails for a moment is asked again, after pauses that grow`(kind: String) async throws {
        let server = try S3Server()
        let store = try server.store()
        try server.breakNext(3, kind)
        // Its own write whose answers were lost counts as its own.
        #expect(try await store.put("a", [1, 2, 3]))
        #expect(server.clock.slept.count == 3)
        #expect(zip(server.clock.slept, [200, 400, 800]).allSatisfy { $0 >= .zero && $0 <= .milliseconds($1) })
        try server.breakNext(2, kind)
        #expect(try await store.get("a") == [1, 2, 3])
        try server.breakNext(2, kind)
        #expect(try await store.list(prefix: "").map(\.name) == ["a"])
        try server.breakNext(2, kind)
        try await store.delete("a")
        #expect(try await !store.exists("a"))
    }

    @Test func `a lost answer to somebody else's object is not taken for one's own`() async throws {
        let server = try S3Server()
        let store = try server.store()
        #expect(try await store.put("a", [1]))
        try server.breakNext(1, "after")
        #expect(try await !store.put("a", [2]))
        #expect(try await store.get("a") == [1])
    }

    @Test func `a large object is whole or absent, whichever answer is lost`() async throws {
        let server = try S3Server()
        let store = try server.store()
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await store.put("first", [1]))
        // Asked in turn: is it there, begin, four parts, complete.
        for position in 1...7 {
            for place in 1...7 { try server.breakNext(1, place == position ? "after" : "none") }
            #expect(try await store.put("large/\(position)", bytes))
            #expect(try await store.get("large/\(position)") == bytes)
        }
    }

    @Test(arguments: ["truncate", "damage"]) func `a body that is short or changed is read again`(kind: String) async throws {
        let server = try S3Server()
        let store = try server.store()
        let bytes = Array(repeating: UInt8(5), count: 1000)
        #expect(try await store.put("a", bytes))
        try server.breakNext(1, kind)
        #expect(try await store.get("a") == bytes)
        if kind == "damage" {
            try server.breakNext(3, kind)
            await #expect { try await store.get("a") } throws: { ($0 as? DRError)?.code == .damaged && "\($0)".contains("checksum") }
        }
    }

    @Test func `a list that says it is cut and not where it goes on is not taken for the whole`() async throws {
        let server = try S3Server()
        let store = try server.store()
        for name in ["a", "b", "c", "d"] { try await store.put(name, [1]) }
        #expect(try await store.list(prefix: "").count == 4)
        try server.breakNext(1, "no-token")
        await #expect { try await store.list(prefix: "") } throws: { ($0 as? DRError)?.code == .io && "\($0)".contains("does not end") }
    }

    @Test func `a store that stays away, refuses or lacks the bucket says so, without credentials`() async throws {
        let server = try S3Server()
        try server.breakNext(7, "503")
        for (store, words) in [
            (try server.store(), "after 7 attempts"), (try server.store(secret: "wrong-secret"), "SignatureDoesNotMatch"),
            (try server.store(bucket: "other"), "NoSuchBucket"),
        ] {
            await #expect { try await store.get("a") } throws: { error in
                guard let error = error as? DRError else { return false }
                let text = "\(error) \(String(reflecting: error))"
                return error.code == .storeUnreachable && text.contains(words) && !text.contains("secret") && !text.contains("AKTEST")
            }
        }
    }
}
