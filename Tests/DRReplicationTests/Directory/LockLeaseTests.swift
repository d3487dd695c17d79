import DRModel
import DRReplication
import DRSimulation
import Testing

struct LockLeaseTests {
    private let fixture: ClusterFixture
    private let clock = VirtualClock(Instant(nanosecondsSince1970: 1_700_000_000_000_000_000))
    private let first = LockHolder(run: "run-1", runbook: "shop.lua", host: "ops", process: 41)
    private let second = LockHolder(run: "run-2", runbook: "other.lua", host: "ops", process: 42)

    init() throws { fixture = try ClusterFixture() }

    private func cluster() -> DirectoryCluster { fixture.cluster(clock: clock) }

    private func change(_ key: String, _ value: Value) -> Transaction {
        Transaction(OperationKey(key), guards: [.epoch("ledger", .first)], changes: [.write(DocumentPath("notes", "n"), value)])
    }

    @Test func `A lease says until when, and each sign of life of the run puts that off`() async throws {
        let holding = cluster()
        try await holding.lock("ledger", for: first)
        let until = try #require(try await cluster().locks().first?.expires)
        #expect(until == clock.now() + .seconds(60))
        clock.advance(by: .seconds(50))
        try await holding.lock("ledger", for: first)
        #expect(try await cluster().locks().first?.expires == clock.now() + .seconds(60))
        clock.advance(by: .seconds(59))
        #expect(holding.renewLeases())
        clock.advance(by: .seconds(59))
        #expect(await expectError(.locked) { try await cluster().lock("ledger", for: second) } != nil)
        try await holding.unlock(run: "run-1")
        #expect(try fixture.tree(".dr/locks").keys.filter { $0.hasSuffix(".lease") }.isEmpty)
    }

    @Test func `G1 a holder that sleeps beyond its lease loses its lock, and is fenced at its commit when it wakes`() async throws {
        let sleeper = cluster(), other = cluster()
        try await sleeper.lock("ledger", for: first)
        _ = try await sleeper.commit(change("run-1/a", "before"))
        clock.advance(by: .seconds(59))
        #expect(await expectError(.locked) { try await other.lock("ledger", for: second) } != nil)
        clock.advance(by: .seconds(1))
        // Its process lives all the time.
        let overdue = try #require(try await other.locks().first)
        #expect(overdue.alive && !overdue.counts)
        try await other.lock("ledger", for: second)

        #expect(sleeper.renewLeases())
        let refused = await expectError(.fenced) { try await sleeper.commit(change("run-1/b", "after")) }
        #expect(refused?.message.contains("was taken by run run-2") == true)
        #expect(try await other.document(DocumentPath("notes", "n")) == "before")
        #expect(try await other.locks().map(\.holder.run) == ["run-2"])
        #expect(await expectError(.locked) { try await sleeper.lock("ledger", for: first) } != nil)
        // Also when the other one is done.
        _ = try await other.commit(change("run-2/a", "theirs"))
        try await other.unlock(run: "run-2")
        #expect(try await other.document(DocumentPath("notes", "n")) == "theirs")
    }

    @Test func `G1 a sleeper is fenced though whoever took its lock is done already`() async throws {
        let sleeper = cluster(), other = cluster()
        try await sleeper.lock("ledger", for: first)
        clock.advance(by: .seconds(61))
        try await other.lock("ledger", for: second)
        try await other.unlock(run: "run-2")
        #expect(await expectError(.fenced) { try await sleeper.commit(change("run-1/a", "late")) } != nil)
        #expect(try await other.document(DocumentPath("notes", "n")) == nil)
    }

    @Test func `A lease that ran out harms nobody while no one else wants the lock`() async throws {
        let slow = cluster()
        try await slow.lock("ledger", for: first)
        clock.advance(by: .seconds(3600))
        _ = try await slow.commit(change("run-1/a", "late"))
        try await slow.lock("ledger", for: first)
        #expect(try await slow.locks().first?.counts == true)
    }

    @Test func `The locks of a run that was put down stand for a while, and its own resume takes them up`() async throws {
        do {
            let gone = cluster()
            try await gone.lock("ledger", for: first)
            try await gone.park(run: "run-1")
        }
        let next = cluster()
        let parked = try #require(try await next.locks().first)
        #expect(!parked.alive && parked.counts)
        let refused = await expectError(.locked) { try await next.lock("ledger", for: second) }
        #expect(refused?.hint?.contains("drrunbook resume run-1") == true)
        // Another process of the same run, and after it the lease is one of a run at work again.
        let resumed = cluster()
        try await resumed.lock("ledger", for: LockHolder(run: "run-1", runbook: "shop.lua", host: "ops", process: 77))
        #expect(try await next.locks().first?.expires == clock.now() + .seconds(60))
        try await resumed.park(run: "run-1")
        clock.advance(by: .seconds(901))
        try await next.lock("ledger", for: second)
        #expect(try await next.locks().map(\.holder.run) == ["run-2"])
    }

    @Test func `A lock that was put down can be broken`() async throws {
        let gone = cluster()
        try await gone.lock("ledger", for: first)
        try await gone.park(run: "run-1")
        #expect(try await cluster().breakLock("ledger"))
        try await cluster().lock("ledger", for: second)
    }
}
