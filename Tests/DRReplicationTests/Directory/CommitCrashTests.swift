import DRManifest
import DRModel
import DRReplication
import Testing

struct CommitCrashTests {
    enum Crash: String, CaseIterable, Sendable {
        case killedBefore, killedAfter, powerCut, inputOutputError, diskFull

        var fault: FaultyStoreIO.Fault {
            switch self {
            case .killedBefore: .killedBefore
            case .killedAfter: .killedAfter
            case .powerCut: .powerCut
            case .inputOutputError: .fails(5)
            case .diskFull: .diskFull
            }
        }
    }

    static let pg = ObjectKey(group: "apps", kind: "StatefulSet", namespace: "shop-db", name: "pg")
    static let settings = ObjectKey(kind: "ConfigMap", namespace: "shop-db", name: "pg")
    static let web = ObjectKey(group: "apps", kind: "Deployment", namespace: "shop-web", name: "web")

    /// One of everything, guarded by what must not have happened yet.
    static func everything(_ cluster: DirectoryCluster) async throws -> Transaction {
        let before = try Manifest.parse(ClusterFixture.foreign, file: "f")[1]
        let web = try Manifest.parse(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop-web }\n", file: "f")[0]
        return Transaction(
            OperationKey("run/1/activate"),
            guards: [
                .epoch("ledger", .first), .document(.application("ledger"), nil), .object(Self.pg, text: before.text),
                .object(Self.web, text: nil),
            ],
            changes: [
                .put(try before.scaled(to: 0).object), .put(web.object), .delete(Self.settings),
                .write(.application("ledger"), ["epoch": 2, "active": "west", "running": true]),
                .write(.point("ledger-e2-g1", of: "ledger"), ["n": 1]), .remove(.point("ledger-e1-g1", of: "ledger")),
                .swap(StagedVolume(volume: "pg-data", key: ClusterFixture.stagingKey, content: ContentToken("c"), size: .zero)),
            ],
            effects: [
                Effect(.scale, Self.pg, from: "3", to: "0", at: "west"),
                Effect(.activate, kind: "Application", name: "ledger", at: "west"),
            ], answer: ["epoch": 2])
    }

    /// The live volume is set aside, where its name is taken already.
    static func keeping(_ cluster: DirectoryCluster) async throws -> Transaction {
        var transaction = try await everything(cluster)
        transaction.changes.insert(.keep("pg-data", of: "ledger", .first), at: 0)
        return transaction
    }

    @Test(arguments: Crash.allCases)
    func `G1 G2 a volume that is set aside is whole and there once, wherever the commit is broken off`(crash: Crash) async throws {
        func fixture() throws -> ClusterFixture {
            let fixture = try ClusterFixture()
            for folder in ["", "/ledger-e1", "/ledger-e1/pg-data"] { try fixture.folder(".dr/divergent" + folder) }
            try fixture.write(".dr/divergent/ledger-e1/pg-data/f", "earlier")
            return fixture
        }
        let undisturbed = try fixture()
        let counting = FaultyStoreIO(UnsyncedIO())
        _ = try await undisturbed.cluster(counting).commit(Self.keeping(undisturbed.cluster()))
        let wanted = try undisturbed.tree()
        #expect(wanted["volumes/pg-data/f"] == "new")
        #expect(wanted[".dr/divergent/ledger-e1/pg-data/f"] == "earlier")
        #expect(wanted[".dr/divergent/ledger-e1-2/pg-data/f"] == "old")
        for position in 1...counting.operations.count {
            let fixture = try fixture()
            let faulty = FaultyStoreIO(UnsyncedIO(), fault: crash.fault, at: position)
            _ = try? await fixture.cluster(faulty).commit(Self.keeping(fixture.cluster()))
            let again = FaultyStoreIO(UnsyncedIO(), fault: crash.fault, at: 3 + position % 7)
            _ = try? await fixture.cluster(again).commit(Self.keeping(fixture.cluster()))
            _ = try await fixture.cluster().commit(Self.keeping(fixture.cluster()))
            let end = try fixture.tree().filter { !$0.key.hasSuffix(".dr-unfinished") || !$0.key.hasPrefix(".dr/") }
            #expect(end == wanted, "\(crash) at \(position): \(counting.operations[position - 1])")
        }
    }

    /// So many files that they are synced together.
    private static func many(_ cluster: DirectoryCluster) async throws -> Transaction {
        var transaction = try await everything(cluster)
        for number in 0..<28 {
            let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c\(number), namespace: shop-web }\ndata: { n: \"\(number)\" }\n"
            transaction.changes.insert(.put(try Manifest.parse(text, file: "f")[0].object), at: 0)
        }
        return transaction
    }

    @Test(arguments: Crash.allCases)
    func `G2 G3 a commit of many files is made whole or not at all, wherever it is broken off`(crash: Crash) async throws {
        let undisturbed = try ClusterFixture()
        let counting = FaultyStoreIO(UnsyncedIO())
        let old = try await view(undisturbed.cluster())
        _ = try await undisturbed.cluster(counting).commit(Self.many(undisturbed.cluster()))
        let new = try await view(undisturbed.cluster())
        let wanted = try undisturbed.tree()
        #expect(new.count > old.count + 20)
        #expect(counting.operations.filter { $0.hasPrefix("sync ") }.count < 10)
        let all = counting.operations.count
        // Before, around and after the sync of all; the single file's test tries every place.
        let sync = (counting.operations.firstIndex { $0.hasPrefix("syncFilesystem") } ?? 0) + 1
        for position in [3, sync / 2, sync - 1, sync, sync + 1, (sync + all) / 2, all - 2, all] {
            let place: Comment = "\(crash) at \(position): \(counting.operations[position - 1])"
            let fixture = try ClusterFixture()
            _ = try? await fixture.cluster(FaultyStoreIO(UnsyncedIO(), fault: crash.fault, at: position)).commit(
                Self.many(fixture.cluster()))
            let seen = try await view(fixture.cluster())
            #expect(seen == old || seen == new, place)
            // The repair is broken off, too.
            let second = FaultyStoreIO(UnsyncedIO(), fault: crash.fault, at: 5 + position % 40)
            _ = try? await fixture.cluster(second).commit(Self.many(fixture.cluster()))
            _ = try await fixture.cluster().commit(Self.many(fixture.cluster()))
            #expect(try await view(fixture.cluster()) == new, place)
            let end = try fixture.tree().filter { !$0.key.hasSuffix(".dr-unfinished") || !$0.key.hasPrefix(".dr/") }
            #expect(end == wanted, place)
        }
    }

    /// What a reader sees through the cluster.
    private func view(_ cluster: DirectoryCluster) async throws -> [String] {
        let objects = try await cluster.objects(of: Application(name: "ledger", namespaces: ["shop-db", "shop-web"]))
        let points = try await cluster.documents(in: .points(of: "ledger"))
        let record = try await cluster.document(.application("ledger"))?.json() ?? "none"
        let key = try await cluster.committed(OperationKey("run/1/activate"))?.answer.json() ?? "none"
        return objects.map(\.text) + points.map(\.text) + [record, key]
    }

    @Test(arguments: Crash.allCases)
    func `G2 G3 a commit that is broken off anywhere is made whole or not at all and once`(crash: Crash) async throws {
        let undisturbed = try ClusterFixture()
        let counting = FaultyStoreIO(UnsyncedIO())
        let old = try await view(undisturbed.cluster())
        let first = try await undisturbed.cluster(counting).commit(Self.everything(undisturbed.cluster()))
        #expect(!first.repeated)
        let new = try await view(undisturbed.cluster())
        let wanted = try undisturbed.tree()
        #expect(old != new)
        #expect(counting.operations.count > 20)

        for position in 1...counting.operations.count {
            let fixture = try ClusterFixture()
            let faulty = FaultyStoreIO(UnsyncedIO(), fault: crash.fault, at: position)
            _ = try? await fixture.cluster(faulty).commit(Self.everything(fixture.cluster()))
            let place: Comment = "\(crash) at \(position): \(counting.operations[position - 1])"

            let found = try fixture.tree()
            let seen = try await view(fixture.cluster())
            #expect(seen == old || seen == new, place)
            #expect(try fixture.tree() == found, "reading changes nothing, \(place)")

            let again = try await fixture.cluster().commit(Self.everything(fixture.cluster()))
            #expect(again.repeated == (seen == new), place)
            #expect(again.effects == first.effects && again.answer == first.answer, place)
            #expect(try await view(fixture.cluster()) == new, place)
            // What the crash left half written in our own folder is the next writer's to remove.
            let end = try fixture.tree().filter { !$0.key.hasSuffix(".dr-unfinished") || !$0.key.hasPrefix(".dr/") }
            #expect(end == wanted, place)
        }
    }

    /// The position, counted from 1, of the operation that makes the intent durable.
    private static func intended(_ counting: FaultyStoreIO) -> Int? {
        counting.operations.firstIndex { $0.hasPrefix("syncFolder") && $0.hasSuffix("/.dr") }.map { $0 + 1 }
    }

    private static func intended() async throws -> Int {
        let fixture = try ClusterFixture()
        let counting = FaultyStoreIO(UnsyncedIO())
        _ = try await fixture.cluster(counting).commit(everything(fixture.cluster()))
        return try #require(intended(counting))
    }

    @Test(arguments: [Crash.killedBefore, .powerCut])
    func `G2 a second crash while the first is repaired changes nothing about the end`(crash: Crash) async throws {
        let undisturbed = try ClusterFixture()
        let counting = FaultyStoreIO(UnsyncedIO())
        _ = try await undisturbed.cluster(counting).commit(Self.everything(undisturbed.cluster()))
        let wanted = try undisturbed.tree()
        let intended = try #require(Self.intended(counting))
        for position in stride(from: intended + 1, through: counting.operations.count, by: 7) {
            for second in [1, 2, 3, 5, 8, 12] {
                let fixture = try ClusterFixture()
                _ = try? await fixture.cluster(FaultyStoreIO(UnsyncedIO(), fault: crash.fault, at: position)).commit(
                    Self.everything(fixture.cluster()))
                try? await fixture.cluster(FaultyStoreIO(UnsyncedIO(), fault: crash.fault, at: second)).unlock(run: "r1")
                try await fixture.cluster().unlock(run: "r1")
                let end = try fixture.tree().filter { !$0.key.contains("/staging/") && !$0.key.hasSuffix(".dr-unfinished") }
                #expect(end == wanted.filter { !$0.key.contains("/staging/") }, "\(crash) at \(position), then at \(second)")
            }
        }
    }

    @Test func `G2 a run that takes its lock finishes what a dead one left`() async throws {
        let fixture = try ClusterFixture()
        let intended = try await Self.intended()
        let faulty = FaultyStoreIO(UnsyncedIO(), fault: .killedAfter, at: intended)
        await #expect(throws: Killed.self) { try await fixture.cluster(faulty).commit(Self.everything(fixture.cluster())) }
        #expect(try fixture.read("resources/all.yaml") == ClusterFixture.foreign)
        let cluster = fixture.cluster()
        try await cluster.lock("ledger", for: LockHolder(run: "r2", runbook: "b.lua", host: "h", process: 1))
        #expect(try fixture.read("volumes/pg-data/f") == "new")
        #expect(try fixture.read("resources/all.yaml")?.contains("replicas: 0   # never less") == true)
        #expect(try fixture.read(".dr/intent") == nil)
    }

    @Test func `G3 somebody's edit between a crash and the repair is kept`() async throws {
        let fixture = try ClusterFixture()
        let intended = try await Self.intended()
        _ = try? await fixture.cluster(FaultyStoreIO(UnsyncedIO(), fault: .killedAfter, at: intended)).commit(
            Self.everything(fixture.cluster()))
        try fixture.write("resources/all.yaml", ClusterFixture.foreign.replacing("# kept by hand", with: "# kept by Ann's hand"))
        try await fixture.cluster().unlock(run: "r1")
        let text = try #require(try fixture.read("resources/all.yaml"))
        #expect(text.hasPrefix("# kept by Ann's hand") && text.contains("replicas: 0") && !text.contains("ConfigMap"))
    }

    @Test func `G3 a flipped bit in an unfinished commit is found`() async throws {
        let fixture = try ClusterFixture()
        let intended = try await Self.intended()
        _ = try? await fixture.cluster(FaultyStoreIO(UnsyncedIO(), fault: .killedAfter, at: intended)).commit(
            Self.everything(fixture.cluster()))
        let intent = try #require(try fixture.read(".dr/intent"))
        try fixture.write(".dr/intent", intent.replacing("never less", with: "never lesS"))
        let error = await #expect(throws: DRError.self) { try await fixture.cluster().unlock(run: "r1") }
        #expect(error?.code == .damaged)
        #expect(try fixture.read("resources/all.yaml") == ClusterFixture.foreign)
    }
}
