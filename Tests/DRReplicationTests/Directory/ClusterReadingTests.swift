import DRModel
import DRReplication
import Testing

struct ClusterReadingTests {
    private let fixture: ClusterFixture
    init() throws { fixture = try ClusterFixture() }

    private func error<T>(_ body: (DirectoryCluster) async throws -> T) async -> DRError? {
        await #expect(throws: DRError.self) { _ = try await body(fixture.cluster()) }
    }

    @Test func `an application is its namespaces' objects with the volumes they claim`() async throws {
        let all = try await fixture.cluster().objects(of: Application(name: "ledger", namespaces: ["shop-db"]))
        #expect(
            all.map(\.key.description) == [
                "Namespace shop-db", "PersistentVolume pg-data", "ConfigMap shop-db/pg", "PersistentVolumeClaim shop-db/data",
                "StatefulSet shop-db/pg",
            ])
        let labelled = try await fixture.cluster().objects(of: Application(name: "ledger", namespaces: ["shop-db"], labels: ["app": "pg"]))
        #expect(
            labelled.map(\.key.description) == [
                "Namespace shop-db", "PersistentVolume pg-data", "PersistentVolumeClaim shop-db/data", "StatefulSet shop-db/pg",
            ])
        #expect(try await fixture.cluster().objects(of: Application(name: "x", namespaces: ["other"])).isEmpty)
        #expect(all.first?.location?.file == "\(fixture.root)/resources/all.yaml")
    }

    @Test func `facts are those of the file with the room that is left`() async throws {
        let plain = DirectoryCluster(
            name: "west", directory: fixture.root, io: SystemStoreIO(), clock: StillClock(),
            volumes: StagedVolumes(root: fixture.root, io: SystemStoreIO()))
        let facts = try await plain.facts()
        #expect(facts.platform == "kubernetes" && facts.version == "1.31" && facts.objectSize == ByteCount(16 << 20 as Int64))
        #expect(try #require(facts.free).bytes > 0)
        #expect(try await fixture.cluster().facts().free == nil)
    }

    @Test func `reading changes no byte`() async throws {
        let before = try fixture.tree()
        let cluster = fixture.cluster()
        _ = try await cluster.facts()
        _ = try await cluster.objects(of: Application(name: "ledger", namespaces: ["shop-db"]))
        #expect(try await cluster.documents(in: .applications).isEmpty)
        #expect(try await cluster.document(.application("ledger")) == nil)
        #expect(try await cluster.documents(in: .points(of: "ledger")) == [.point("ledger-e1-g1", of: "ledger")])
        #expect(try await cluster.locks().isEmpty)
        #expect(try await cluster.workload(.ready, ManifestObject(key: CommitCrashTests.pg, text: ""), replicas: 1) == .virtual)
        #expect(try fixture.tree() == before)
    }

    @Test func `an edit by hand is seen at once`() async throws {
        let cluster = fixture.cluster()
        #expect(try await cluster.object(CommitCrashTests.pg)?.text.contains("replicas: 3") == true)
        try fixture.write("resources/all.yaml", ClusterFixture.foreign.replacing("replicas: 3", with: "replicas: 4"))
        #expect(try await cluster.object(CommitCrashTests.pg)?.text.contains("replicas: 4") == true)
    }

    @Test func `G12 a cluster that is gone is unreachable and says why`() async throws {
        let hidden = fixture.temporary.path / "hidden"
        try fixture.real.rename(fixture.root, hidden, .keep)
        let missing = await error { try await $0.facts() }
        #expect(missing?.code == .clusterUnreachable)
        #expect(missing?.message == "cluster west cannot be reached: there is no folder \(fixture.root)")
        #expect(await error { try await $0.object(CommitCrashTests.pg) }?.code == .clusterUnreachable)
        #expect(await error { try await $0.commit(Transaction(OperationKey("a"))) }?.code == .clusterUnreachable)
        #expect(await error { try await $0.locks() }?.code == .clusterUnreachable)
        #expect(
            await error { try await $0.workload(.ready, ManifestObject(key: CommitCrashTests.pg, text: ""), replicas: 1) }?.code
                == .clusterUnreachable)
        try fixture.real.rename(hidden, fixture.root, .keep)
        try fixture.real.removeFile(fixture.path("cluster.yaml"))
        #expect(await error { try await $0.facts() }?.message.contains("holds no cluster.yaml") == true)
    }

    @Test func `a network filesystem is refused`() async throws {
        for type in ["nfs", "cifs", "smb2", "fuse.sshfs", "fuse"] {
            let cluster = fixture.cluster(UnsyncedIO(type: type))
            let refused = await #expect(throws: DRError.self) { try await cluster.facts() }
            #expect(refused?.code == .configuration && refused?.message.contains("network filesystem (\(type))") == true)
            await #expect(throws: DRError.self) { try await cluster.commit(Transaction(OperationKey("a"))) }
        }
        #expect(try fixture.read(".dr/lock") == nil)
    }

    @Test(arguments: [
        ("platfrom: kubernetes\nversion: \"1\"\n", 1, "unknown key \"platfrom\" (did you mean \"platform\"?)"),
        ("platform: docker\nversion: \"1\"\n", 1, "platform: expected one of kubernetes, openshift"),
        ("platform: kubernetes\n", 1, "cluster.yaml has no version"),
        ("version: \"1\"\nobjectSize: big\n", 2, "objectSize: expected a size"),
        ("version: [\n", 2, "not valid YAML"),
        ("exec: rm\nversion: \"1\"\n", 1, "unknown key \"exec\""),
    ])
    func `G8 a bad cluster file is named with file and line`(text: String, line: Int, words: String) async throws {
        try fixture.write("cluster.yaml", text)
        let found = await error { try await $0.facts() }
        #expect(found?.code == .configuration)
        #expect(found?.location?.file == "\(fixture.root)/cluster.yaml")
        #expect(found?.location?.line == line)
        #expect(found?.message.contains(words) == true, "\(String(describing: found))")
    }

    @Test func `G8 an object in two files is an error with both places`() async throws {
        try fixture.write("resources/again.yaml", "# x\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: pg, namespace: shop-db }\n")
        let found = await error { try await $0.object(CommitCrashTests.pg) }
        #expect(found?.code == .invalidInput)
        #expect(found?.location == SourceLocation(file: "\(fixture.root)/resources/all.yaml", line: 13, column: 1))
        #expect(
            found?.message == "ConfigMap shop-db/pg stands twice, here and at \(fixture.root)/resources/again.yaml:2")
    }

    @Test func `a symbolic link among the manifests is refused`() async throws {
        try fixture.real.makeSymlink(fixture.path("resources/link.yaml"), to: Array("/etc/passwd".utf8))
        #expect(await error { try await $0.object(CommitCrashTests.pg) }?.message.contains("symbolic link") == true)
    }

    @Test func `a damaged record is named`() async throws {
        try fixture.folder(".dr/state")
        try fixture.folder(".dr/state/applications")
        try fixture.write(".dr/state/applications/ledger.json", "{\"epoch\":")
        let found = await error { try await $0.document(.application("ledger")) }
        #expect(found?.code == .damaged)
        #expect(found?.location?.file.hasSuffix(".dr/state/applications/ledger.json") == true)
    }
}
