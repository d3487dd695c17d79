import DRModel
import DRObjectStores
import DRReplication
import Foundation
import Testing

@Suite struct StoreTests {
    @Test func `a store in memory keeps the contract`() async throws { try await StoreContract(store: MemoryStore(), root: "app").check() }

    @Test func `a folder keeps the contract`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = DirectoryObjectStore(name: "vault", directory: StorePath(folder.path), io: SystemStoreIO(), random: SeededRandom())
        try await StoreContract(store: store, root: "app").check()
    }

    @Test func `what stands in a folder is its owner's alone, and what cannot be an object is refused before it is read`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let io = SystemStoreIO()
        let root = StorePath(folder.path)
        let store = DirectoryObjectStore(name: "vault", directory: root, io: io, random: SeededRandom())
        try await store.put("app/packs/a", [1])
        #expect(try io.facts(root / "app/packs/a")?.mode == 0o600)
        for path in ["app", "app/packs", ".tmp"] { #expect(try io.facts(root / path)?.mode == 0o700) }
        let large = try io.open(root / "app/packs/large", .create, permissions: 0o600)
        try large.truncate(to: 8 << 40)
        try large.close()
        await #expect { try await store.get("app/packs/large") } throws: { ($0 as? DRError)?.code == .damaged && "\($0)".contains("8 TiB") }
        try io.makeFolder(root / "elsewhere", permissions: 0o700)
        try io.makeSymlink(root / "app" / "indexes", to: Array("../elsewhere".utf8))
        await #expect { try await store.put("app/indexes/b", [1]) } throws: { ($0 as? DRError)?.code == .storeUnreachable }
        #expect(try io.list(root / "elsewhere").isEmpty)
    }

    @Test(arguments: [true, false]) func `S3 keeps the contract, every signature checked`(pathStyle: Bool) async throws {
        let server = try S3Server()
        try await StoreContract(store: try server.store(pathStyle: pathStyle), root: "app").check()
        #expect(try server.log().contains { $0.contains("partNumber=5") })
    }

    @Test func `decorators keep the contract, one upon the other`() async throws {
        let key = try SealingKey(String(repeating: "0123456789abcdef", count: 4), source: "test")
        let store = try SealedObjectStore(
            ThrottledObjectStore(RecordingObjectStore(MemoryStore()), bandwidth: ByteCount(1 << 20), clock: SteppedClock()), keys: [key])
        try await StoreContract(store: store, root: "app").check()
    }

    /// `make test-s3`: the same against moto, which somebody else wrote.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["DRRUNBOOK_S3_ENDPOINT"] != nil))
    func `S3 as moto speaks it keeps the contract`() async throws {
        let endpoint = try #require(ProcessInfo.processInfo.environment["DRRUNBOOK_S3_ENDPOINT"])
        var limits = S3Limits()
        // Moto holds to AWS's least size of a part.
        limits.partSize = 5 << 20
        let location = try S3Location(endpoint: endpoint, bucket: "drrunbook", region: "us-east-1", pathStyle: true)
        let store = S3ObjectStore(
            name: "vault", location: location, limits: limits,
            credentials: { S3Credentials(accessKey: "testing", secretKey: "testing-secret") }, clock: SystemClock(), random: SeededRandom())
        let root = UUID().uuidString
        try await StoreContract(store: store, root: root).check()
        let large = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 9) }
        #expect(try await store.put("\(root)/large", large))
        #expect(try await store.get("\(root)/large") == large)
        #expect(try await !store.put("\(root)/large", large))
    }

    @Test func `a bandwidth is kept to over all callers`() async throws {
        let clock = SteppedClock()
        let store = ThrottledObjectStore(MemoryStore(), bandwidth: ByteCount(1000), clock: clock)
        try await store.put("a", [UInt8](repeating: 0, count: 2500))
        _ = try await store.get("a")
        #expect(clock.slept == [.milliseconds(2500), .milliseconds(2500)])
    }

    @Test func `a recording store names operations and breaks the one it is told to`() async throws {
        let error = DRError(.io, "broken")
        let store = RecordingObjectStore(MemoryStore(), faults: [2: .fails(error), 3: .losesReply(error), 4: .damages])
        #expect(try await store.put("a", [1, 2]))
        await #expect(throws: error) { try await store.put("b", [1]) }
        await #expect(throws: error) { try await store.put("c", [1]) }
        #expect(try await store.get("a") == [1, 3])
        #expect(try await store.list(prefix: "").map(\.name) == ["a", "c"])
        #expect(store.operations == ["put a", "put b", "put c", "get a", "list "])
    }
}
