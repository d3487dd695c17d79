import DRManifest
import DRModel
import DRReplication
import DRSimulation
import Testing

/// What every cluster promises, whatever it is made of: the embedded one on disk, and the one in memory that simulations run on.
struct ClusterContractTests {
    enum Kind: CaseIterable { case embedded, memory }

    private let fixture: ClusterFixture
    private let clock = SimulatedClock(Instant(nanosecondsSince1970: 1_772_330_400_000_000_000))
    private let memory: MemoryCluster

    init() throws {
        fixture = try ClusterFixture()
        memory = MemoryCluster("west", clock: clock)
        try memory.add(ClusterFixture.foreign)
        memory.memory.write("old", to: "pg-data")
    }

    private func cluster(_ kind: Kind) -> any Cluster { kind == .embedded ? fixture.cluster() : memory }

    private func error(_ kind: Kind, _ transaction: Transaction) async -> ErrorCode? {
        do {
            _ = try await cluster(kind).commit(transaction)
            return nil
        } catch { return (error as? DRError)?.code }
    }

    @Test(arguments: Kind.allCases)
    func `G1 a guard that does not hold refuses the whole commit`(kind: Kind) async throws {
        let cluster = cluster(kind)
        _ = try await cluster.commit(
            Transaction(
                OperationKey("a"), guards: [.epoch("ledger", .first)],
                changes: [.write(.application("ledger"), ["epoch": 2, "active": "east"])]))
        let write = Change.write(.pair("p"), ["x": 1])
        #expect(await error(kind, Transaction(OperationKey("b"), guards: [.epoch("ledger", .first)], changes: [write])) == .fenced)
        #expect(await error(kind, Transaction(OperationKey("c"), guards: [.document(.pair("p"), ["x": 2])], changes: [write])) == .conflict)
        #expect(
            await error(kind, Transaction(OperationKey("d"), guards: [.object(CommitCrashTests.pg, text: nil)], changes: [write]))
                == .conflict)
        #expect(try await cluster.document(.pair("p")) == nil)
        #expect(await error(kind, Transaction(OperationKey("e"), guards: [.epoch("ledger", Epoch(2))], changes: [write])) == nil)
        #expect(try await cluster.document(.pair("p")) == ["x": 1])
    }

    @Test(arguments: Kind.allCases)
    func `G2 the same key changes things once and answers the same`(kind: Kind) async throws {
        let cluster = cluster(kind)
        let effect = Effect(.suspend, kind: "Schedule", name: "shop", at: "west")
        func transaction(_ value: Value) -> Transaction {
            Transaction(OperationKey("k"), changes: [.write(.schedule("shop"), value)], effects: [effect], answer: ["n": 1])
        }
        #expect(try await cluster.committed(OperationKey("k")) == nil)
        let first = try await cluster.commit(transaction(["n": 1])), second = try await cluster.commit(transaction(["n": 2]))
        #expect(!first.repeated && second.repeated)
        #expect(second.effects == [effect] && second.answer == ["n": 1])
        #expect(try await cluster.document(.schedule("shop")) == ["n": 1])
    }

    @Test(arguments: Kind.allCases)
    func `An application is its namespaces' objects with the volumes they claim`(kind: Kind) async throws {
        let found = try await cluster(kind).objects(of: Application(name: "ledger", namespaces: ["shop-db"]))
        #expect(
            found.map(\.key.description) == [
                "Namespace shop-db", "PersistentVolume pg-data", "ConfigMap shop-db/pg", "PersistentVolumeClaim shop-db/data",
                "StatefulSet shop-db/pg",
            ])
    }

    @Test(arguments: Kind.allCases)
    func `Objects are put, replaced and removed together`(kind: Kind) async throws {
        let cluster = cluster(kind)
        let pg = try #require(try await cluster.object(CommitCrashTests.pg))
        let scaled = try Manifest(pg).scaled(to: 0).object
        _ = try await cluster.commit(Transaction(OperationKey("a"), changes: [.put(scaled), .delete(CommitCrashTests.settings)]))
        #expect(try await cluster.object(CommitCrashTests.pg)?.text == scaled.text)
        #expect(try await cluster.object(CommitCrashTests.settings) == nil)
    }

    @Test(arguments: Kind.allCases)
    func `A lock is one run's until it lets go`(kind: Kind) async throws {
        let cluster = cluster(kind)
        func holder(_ run: RunID) -> LockHolder { LockHolder(run: run, runbook: "r.lua", host: "here", process: 1) }
        try await cluster.lock("ledger", for: holder("one"))
        try await cluster.lock("ledger", for: holder("one"))
        await #expect(throws: DRError.self) { try await cluster.lock("ledger", for: holder("two")) }
        #expect(try await cluster.locks().map(\.holder.run) == ["one"])
        try await cluster.unlock(run: "one")
        try await cluster.lock("ledger", for: holder("two"))
        try await cluster.unlock(run: "two")
    }

    @Test func `A copy of a cluster in memory goes its own way`() async throws {
        let copy = memory.copy(clock: clock)
        _ = try await copy.commit(Transaction(OperationKey("a"), changes: [.delete(CommitCrashTests.pg)]))
        copy.memory.write("new", to: "pg-data")
        #expect(try await memory.object(CommitCrashTests.pg) != nil)
        #expect(memory.memory.read("pg-data") == "old")
    }
}
