import DRManifest
import DRModel
import DRReplication
import DRSupport
import Testing

struct CommitTests {
    private let fixture: ClusterFixture
    private var cluster: DirectoryCluster { fixture.cluster() }

    init() throws { fixture = try ClusterFixture() }

    private func error(_ transaction: Transaction) async -> DRError? {
        await #expect(throws: DRError.self) { try await cluster.commit(transaction) }
    }

    private func manifest(_ text: String) throws -> Manifest { try Manifest.parse(text, file: "t")[0] }

    @Test func `G2 what a run's commits answered is kept until the run is forgotten, and that of other runs stays`() async throws {
        let cluster = fixture.cluster()
        func commit(_ key: String) async throws -> Committed {
            try await cluster.commit(Transaction(OperationKey(key), changes: [.write(DocumentPath("notes", "n"), .string(key))]))
        }
        for key in ["run-1/a", "run-1/b", "run-1.2/a", "serve"] { #expect(try await !commit(key).repeated) }
        #expect(try await commit("run-1/a").repeated)
        #expect(try await cluster.picture().committed(OperationKey("run-1/b")) != nil)
        try await cluster.forget(run: "run-1")
        try await cluster.forget(run: "nobody")
        #expect(try await cluster.committed(OperationKey("run-1/a")) == nil)
        #expect(try await cluster.picture().committed(OperationKey("run-1/b")) == nil)
        for key in ["run-1.2/a", "serve"] { #expect(try await commit(key).repeated) }
        #expect(
            Set(try fixture.tree(".dr/keys").keys.filter { $0.hasSuffix(".json") }.map { $0.split(separator: "/")[2] }) == [
                "run-1.2", "serve",
            ])
    }

    @Test func `G1 who holds an older epoch is fenced and changes nothing`() async throws {
        let record: Value = ["epoch": 2, "active": "east"]
        _ = try await cluster.commit(
            Transaction(OperationKey("a"), guards: [.epoch("ledger", .first)], changes: [.write(.application("ledger"), record)]))
        let before = try fixture.tree()
        let refused = await error(
            Transaction(OperationKey("b"), guards: [.epoch("ledger", .first)], changes: [.delete(CommitCrashTests.pg)]))
        #expect(refused?.code == .fenced)
        #expect(refused?.details == ["application": "ledger", "active": "east", "epoch": 2, "expected": 1])
        #expect(
            refused?.message == "ledger holds epoch 2 at west, where it is known to be active at east; a change made for epoch 1 is refused"
        )
        #expect(await error(Transaction(OperationKey("b"), guards: [.epoch("ledger", Epoch(3))]))?.code == .fenced)
        #expect(try fixture.tree() == before)
        _ = try await cluster.commit(Transaction(OperationKey("c"), guards: [.epoch("ledger", Epoch(2))]))
    }

    @Test func `G1 two writers of the same epoch end with one of them`() async throws {
        let fixture = fixture
        let outcomes = await withTaskGroup(of: String?.self) { group in
            for site in ["east", "west"] {
                group.addTask {
                    let transaction = Transaction(
                        OperationKey("activate/\(site)"), guards: [.epoch("ledger", .first)],
                        changes: [.write(.application("ledger"), ["epoch": 2, "active": .string(site)])])
                    do {
                        _ = try await fixture.cluster().commit(transaction)
                        return site
                    } catch let error as DRError where error.code == .fenced {
                        return nil
                    } catch {
                        return "\(error)"
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let winners = outcomes.compactMap(\.self)
        #expect(winners.count == 1)
        #expect(try await cluster.document(.application("ledger"))?["active"].string == winners.first)
    }

    @Test func `G2 the same key changes things once and answers the same`() async throws {
        let effect = Effect(.suspend, kind: "Schedule", name: "shop", at: "west")
        let path = DocumentPath.schedule("shop")
        func transaction(_ value: Value) -> Transaction {
            Transaction(
                OperationKey("k"), guards: [.document(path, nil)], changes: [.write(path, value)], effects: [effect], answer: ["n": 1])
        }
        #expect(try await cluster.committed(OperationKey("k")) == nil)
        let first = try await cluster.commit(transaction(["n": 1]))
        let second = try await cluster.commit(transaction(["n": 2]))
        #expect(!first.repeated && second.repeated)
        #expect(second.effects == [effect] && second.answer == ["n": 1])
        #expect(try await cluster.document(path) == ["n": 1])
        #expect(try await cluster.committed(OperationKey("k"))?.effects == [effect])
        #expect(try fixture.read(".dr/state/schedules/shop.json") == "{\"n\":1}\n")
    }

    @Test func `a guard that does not hold is a conflict`() async throws {
        let path = DocumentPath.pair("p")
        #expect(await error(Transaction(OperationKey("a"), guards: [.document(path, ["x": 1])]))?.code == .conflict)
        #expect(await error(Transaction(OperationKey("b"), guards: [.object(CommitCrashTests.pg, text: nil)]))?.code == .conflict)
        #expect(await error(Transaction(OperationKey("c"), guards: [.object(CommitCrashTests.web, text: "x")]))?.code == .conflict)
    }

    @Test func `in a file of somebody else only the document's bytes change`() async throws {
        let pg = try #require(try await cluster.object(CommitCrashTests.pg))
        _ = try await cluster.commit(Transaction(OperationKey("a"), changes: [.put(try Manifest(pg).scaled(to: 0).object)]))
        let text = ClusterFixture.foreign
        #expect(try fixture.read("resources/all.yaml") == text.replacing("replicas: 3   #", with: "replicas: 0   #"))
        _ = try await cluster.commit(Transaction(OperationKey("b"), changes: [.put(pg)]))
        #expect(try fixture.read("resources/all.yaml") == text)
    }

    @Test func `mode and owner of a foreign file stay`() async throws {
        try fixture.real.setPermissions(fixture.path("resources/all.yaml"), 0o640)
        _ = try await cluster.commit(Transaction(OperationKey("a"), changes: [.delete(CommitCrashTests.settings)]))
        #expect(try fixture.real.facts(fixture.path("resources/all.yaml"))?.mode == 0o640)
    }

    @Test func `our own objects stand one to a file and go with it`() async throws {
        let web = try manifest("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop-web}\n")
        let same = try manifest("apiVersion: example.com/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop-web}\n")
        let volume = try manifest("apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: other}")
        _ = try await cluster.commit(Transaction(OperationKey("a"), changes: [.put(web.object), .put(same.object), .put(volume.object)]))
        #expect(try fixture.read("resources/shop-web/deployment-web.yaml") == web.text)
        #expect(try fixture.read("resources/_cluster/persistentvolume-other.yaml") == volume.text)
        #expect(try await cluster.object(same.key)?.text == same.text)
        #expect(try fixture.tree("resources/shop-web").count == 2)
        _ = try await cluster.commit(Transaction(OperationKey("b"), changes: [.delete(web.key), .delete(same.key), .delete(volume.key)]))
        #expect(try fixture.tree("resources/shop-web").isEmpty)
        #expect(try await cluster.object(web.key) == nil)
    }

    @Test func `a swap takes what is staged and clears the old one away`() async throws {
        let staged = StagedVolume(volume: "pg-data", key: ClusterFixture.stagingKey, content: ContentToken("c"), size: .zero)
        let old = try fixture.real.facts(fixture.path("volumes/pg-data"))?.inode
        _ = try await cluster.commit(Transaction(OperationKey("a"), changes: [.swap(staged)]))
        #expect(try fixture.read("volumes/pg-data/f") == "new")
        #expect(try fixture.real.facts(fixture.path("volumes/pg-data"))?.inode != old)
        #expect(try fixture.tree(".dr/staging").isEmpty)
        #expect(await error(Transaction(OperationKey("b"), changes: [.swap(staged)]))?.code == .volumeMissing)
    }

    @Test func `a swap makes a volume that was not there and replaces one of the other kind`() async throws {
        let folder = ".dr/staging/\(Digest.hex(of: "k").prefix(16))"
        try fixture.folder(folder)
        try fixture.write(folder + "/pg-data.img", "image")
        try fixture.folder(folder + "/fresh")
        try fixture.write(folder + "/fresh/f", "fresh")
        func staged(_ name: VolumeName) -> Change {
            .swap(StagedVolume(volume: name, key: OperationKey("k"), content: ContentToken("c"), size: .zero))
        }
        _ = try await cluster.commit(Transaction(OperationKey("a"), changes: [staged("pg-data"), staged("fresh")]))
        #expect(try fixture.tree("volumes") == ["volumes/pg-data.img": "image", "volumes/fresh": "/", "volumes/fresh/f": "fresh"])
        #expect(try fixture.real.facts(fixture.path(folder)) == nil)
    }

    @Test func `staged volumes of another commit stay`() async throws {
        let folder = ".dr/staging/\(Digest.hex(of: ClusterFixture.stagingKey.text).prefix(16))"
        try fixture.folder(folder + "/other")
        let staged = StagedVolume(volume: "pg-data", key: ClusterFixture.stagingKey, content: ContentToken("c"), size: .zero)
        _ = try await cluster.commit(Transaction(OperationKey("a"), changes: [.swap(staged)]))
        #expect(try fixture.real.facts(fixture.path(folder + "/other"))?.kind == .folder)
    }

    @Test func `a manifest that says something else than its key is refused`() async throws {
        let web = try manifest("apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop-web}\n").object
        let lying = ManifestObject(key: CommitCrashTests.web, text: web.text)
        let before = try fixture.tree("resources")
        #expect(await error(Transaction(OperationKey("a"), changes: [.put(lying)]))?.code == .invalidInput)
        #expect(await error(Transaction(OperationKey("b"), changes: [.write(DocumentPath("state", "..", "x"), 1)]))?.code == .invalidInput)
        #expect(await error(Transaction(OperationKey("c"), changes: [.write(DocumentPath("keys", "x"), 1)]))?.code == .invalidInput)
        #expect(try fixture.tree("resources") == before)
    }

    @Test func `a hanging commit of somebody else ends in an error that says so`() async throws {
        let lock = try #require(try fixture.real.lock(fixture.path(".dr/lock"), wait: false))
        #expect(await error(Transaction(OperationKey("a")))?.code == .locked)
        lock.release()
        _ = try await cluster.commit(Transaction(OperationKey("a")))
    }
}
