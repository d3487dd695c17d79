import DRModel
import DRReplication
import DRSimulation
import Testing

/// What becomes of the locks of a run that is put down: the same on embedded clusters and in simulations.
struct ParkingContract {
    enum Kind: String, CaseIterable, Sendable { case directory, memory }

    private let clock = VirtualClock(Instant(nanosecondsSince1970: 1_700_000_000_000_000_000))
    private let fixture: ClusterFixture
    private let memory: MemoryCluster
    private let first = LockHolder(run: "run-1", runbook: "shop.lua", host: "ops", process: 41)
    private let again = LockHolder(run: "run-1", runbook: "shop.lua", host: "ops", process: 43, turn: 1)
    private let second = LockHolder(run: "run-2", runbook: "shop.lua", host: "ops", process: 42)

    init() throws {
        fixture = try ClusterFixture()
        memory = MemoryCluster("west", clock: clock)
    }

    /// As a process of its own reaches it.
    private func cluster(_ kind: Kind) -> any Cluster { kind == .memory ? memory : fixture.cluster(clock: clock) }

    /// A process locks two applications, puts its run down, and is gone.
    private func putDown(_ kind: Kind, until: Instant? = nil) async throws {
        let cluster = cluster(kind)
        for name in ["ledger", "storefront"] as [ApplicationName] { try await cluster.lock(name, for: first) }
        try await cluster.park(run: "run-1", until: until)
        memory.set { $0.dead.insert(41) }
    }

    private func refuses(_ kind: Kind, _ holder: LockHolder) async -> Bool {
        await expectError(.locked) { try await cluster(kind).lock("ledger", for: holder) } != nil
    }

    @Test(arguments: Kind.allCases)
    func `Locks of a run that was put down count for a while though its process is gone`(_ kind: Kind) async throws {
        try await putDown(kind)
        let locks = try await cluster(kind).locks()
        #expect(locks.map(\.alive) == [false, false] && locks.map(\.counts) == [true, true])
        #expect(locks.map(\.expires) == [clock.now() + .seconds(900), clock.now() + .seconds(900)])
        #expect(await refuses(kind, second))
        clock.advance(by: .seconds(901))
        #expect(try await cluster(kind).locks().map(\.counts) == [false, false])
        try await cluster(kind).lock("ledger", for: second)
    }

    @Test(arguments: Kind.allCases)
    func `They count until a gate's end where that is said`(_ kind: Kind) async throws {
        try await putDown(kind, until: clock.now() + .seconds(7200))
        clock.advance(by: .seconds(7199))
        #expect(await refuses(kind, second))
        clock.advance(by: .seconds(2))
        #expect(await !refuses(kind, second))
    }

    @Test(arguments: Kind.allCases)
    func `Their own run takes them up, and lets them go`(_ kind: Kind) async throws {
        try await putDown(kind)
        let resumed = cluster(kind)
        for name in ["ledger", "storefront"] as [ApplicationName] { try await resumed.lock(name, for: again) }
        #expect(try await resumed.locks().map(\.holder) == [again, again])
        #expect(await refuses(kind, second))
        try await resumed.unlock(run: "run-1")
        #expect(await !refuses(kind, second))
        #expect(try await cluster(kind).locks().map(\.application) == ["ledger"])
    }

    @Test(arguments: Kind.allCases)
    func `A run that ends without asking for them again lets them go, and a person may break one`(_ kind: Kind) async throws {
        try await putDown(kind)
        #expect(try await cluster(kind).breakLock("storefront"))
        try await cluster(kind).lock("storefront", for: second)
        try await cluster(kind).unlock(run: "run-1")
        #expect(await !refuses(kind, second))
        // What was put down holds nothing that it did not hold before.
        try await cluster(kind).park(run: "run-1", until: nil)
        #expect(try await cluster(kind).locks().map(\.holder.run) == ["run-2", "run-2"])
    }
}
