import DRModel
import DRReplication
import DRSimulation
import DRSupport
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

    @Test func `Leases of a run with a dot in its name are no other run's, whatever its turn`() async throws {
        let again = LockHolder(run: "run", runbook: "shop.lua", host: "ops", process: 41, turn: 1)
        let dotted = LockHolder(run: "run.1", runbook: "other.lua", host: "ops", process: 42)
        let (one, two) = (cluster(), cluster())
        try await one.lock("ledger", for: again)
        try await two.lock("storefront", for: dotted)
        #expect(try fixture.tree(".dr/locks").keys.filter { $0.hasSuffix(".lease") }.count == 2)
        try await one.unlock(run: "run")
        #expect(try await cluster().locks().map(\.expires) == [clock.now() + .seconds(60)])
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

    // MARK: A run that another host takes over

    private let taker = LockHolder(run: "run-1", runbook: "shop.lua", host: "other", process: 41, turn: 1)

    @Test func `G1 whoever takes a run over has its locks when the lease of a sleeper is over, and that one is fenced when it wakes`()
        async throws
    {
        let sleeper = cluster(), other = cluster()
        try await sleeper.lock("ledger", for: first)
        _ = try await sleeper.commit(change("run-1/a", "before"))
        let begun = clock.now()
        try await other.lock("ledger", for: taker)
        #expect(clock.now() - begun >= .seconds(60) && clock.now() - begun < .seconds(61))
        #expect(try await other.locks().map(\.holder) == [taker])

        // Neither its locks nor its lease, nor what it committed already, is its own any more.
        let lease = try await other.locks().first?.expires
        clock.advance(by: .seconds(1))
        #expect(sleeper.renewLeases())
        #expect(try await other.locks().first?.expires == lease)
        for key in ["run-1/b", "run-1/a"] {
            let refused = await expectError(.fenced) { try await sleeper.commit(change(key, "after")) }
            #expect(refused?.message == "run run-1 was taken over by other, which holds the lock of ledger at west")
        }
        #expect(await expectError(.fenced) { try await sleeper.lock("ledger", for: first) } != nil)
        #expect(await expectError(.fenced) { try await sleeper.commit(change("run-1/c", "after")) } != nil)
        try await sleeper.park(run: "run-1")
        try await sleeper.unlock(run: "run-1")
        #expect(try await other.locks().first?.expires == lease)
        #expect(try await other.locks().map(\.holder) == [taker])
        #expect(try await other.document(DocumentPath("notes", "n")) == "before")
        _ = try await other.commit(change("run-1/b", "taken over"))
        #expect(await expectError(.locked) { try await cluster().lock("ledger", for: second) } != nil)
        try await other.unlock(run: "run-1")
        try await cluster().lock("ledger", for: second)
    }

    /// Waits as a host does, and meanwhile the other one wakes.
    private final class Waking: WallClock {
        let base: VirtualClock
        let wake: @Sendable () async throws -> Void
        private let waits = Lock(0)
        init(_ base: VirtualClock, wake: @escaping @Sendable () async throws -> Void) { (self.base, self.wake) = (base, wake) }

        func now() -> Instant { base.now() }
        func sleep(for duration: Duration) async throws {
            base.advance(by: duration)
            let number = waits.withLock { waits in
                waits += 1
                return waits
            }
            if number == 12 { try await wake() }
        }
    }

    @Test func `G1 a holder that works is fenced at its next commit, and whoever took its run over waits for it and no longer`()
        async throws
    {
        let working = cluster()
        try await working.lock("ledger", for: first)
        try await working.lock("storefront", for: first)
        let change = change("run-1/a", "late")
        let waiting = Waking(clock) {
            #expect(await expectError(.fenced) { try await working.commit(change) } != nil)
            try await working.unlock(run: "run-1")
        }
        let begun = clock.now(), other = fixture.cluster(clock: waiting)
        try await other.lock("ledger", for: taker)
        #expect(clock.now() - begun < .seconds(1))
        // What it let go was its own, and nothing else.
        #expect(try await other.locks().map(\.application) == ["ledger"])
        #expect(try await other.locks().first?.counts == true)
        #expect(try await other.document(DocumentPath("notes", "n")) == nil)
    }

    @Test func `G1 of two hosts that take the same run over, the later one has it`() async throws {
        let sleeper = cluster(), late = cluster()
        try await sleeper.lock("ledger", for: first)
        let last = LockHolder(run: "run-1", runbook: "shop.lua", host: "third", process: 41, turn: 1)
        let early = fixture.cluster(clock: Waking(clock) { try await late.lock("ledger", for: last) })
        #expect(await expectError(.fenced) { try await early.lock("ledger", for: taker) } != nil)
        #expect(try await late.locks().map(\.holder) == [last])
        _ = try await late.commit(change("run-1/a", "third"))
    }

    @Test func `Whoever takes a run over waits for its sleeper once and not for each lock`() async throws {
        let sleeper = cluster(), other = cluster()
        for name: ApplicationName in ["ledger", "storefront", "billing"] { try await sleeper.lock(name, for: first) }
        let begun = clock.now()
        for name: ApplicationName in ["ledger", "storefront", "billing"] { try await other.lock(name, for: taker) }
        #expect(clock.now() - begun >= .seconds(60) && clock.now() - begun < .seconds(61))
        try await other.unlock(run: "run-1")
        #expect(try fixture.tree(".dr/locks").keys.filter { $0.hasSuffix(".lease") }.isEmpty)
    }

    @Test func `G1 a process that wakes takes no lock back from whoever took its run over since`() async throws {
        let sleeper = cluster(), other = cluster()
        try await sleeper.lock("storefront", for: first)
        try await other.lock("ledger", for: taker)
        // It had looked whether the run is its own, and was paused before it asked for the lock.
        let refused = await expectError(.fenced) { try await sleeper.lock("ledger", for: first) }
        #expect(refused?.message.contains("taken over by other") == true)
        #expect(try await other.locks().first { $0.application == "ledger" }?.holder == taker)
        _ = try await other.commit(change("run-1/a", "taken over"))
    }

    @Test func `G1 a run that has not heard that its lock was taken keeps the other runs of its process out`() async throws {
        let process = cluster(), other = cluster()
        try await process.lock("ledger", for: first)
        clock.advance(by: .seconds(61))
        let third = LockHolder(run: "run-3", runbook: "third.lua", host: "elsewhere", process: 43)
        try await other.lock("ledger", for: third)
        try await other.unlock(run: "run-3")
        #expect(await expectError(.locked) { try await process.lock("ledger", for: second) } != nil)
        #expect(await expectError(.fenced) { try await process.commit(change("run-1/a", "late")) } != nil)
        try await process.unlock(run: "run-1")
        try await process.lock("ledger", for: second)
    }

    @Test func `A lease that is far ahead is not waited for, and one process of a run does not wait for itself`() async throws {
        let wrong = fixture.cluster(clock: VirtualClock(clock.now() + .seconds(86_400)))
        try await wrong.lock("ledger", for: first)
        let begun = clock.now(), other = cluster()
        try await other.lock("storefront", for: taker)
        try await other.lock("ledger", for: taker)
        #expect(clock.now() - begun < .seconds(61))
        let between = clock.now()
        try await other.lock("ledger", for: taker)
        #expect(clock.now() == between)
    }

    @Test func `G1 a process that is stopped in the middle of a commit is overtaken by nobody, and whoever waits is told so`() async throws
    {
        let sleeper = cluster(), other = cluster()
        try await sleeper.lock("ledger", for: first)
        // Somebody else's descriptor of the file: as of another process.
        let commit = try #require(try fixture.real.lock(fixture.root / ".dr/lock", wait: false))
        let begun = clock.now()
        let refused = await expectError(.locked) { try await other.lock("ledger", for: taker) }
        #expect(refused?.message == "cluster west has been in the middle of another commit for 30 seconds")
        #expect(clock.now() - begun >= .seconds(30) && clock.now() - begun < .seconds(31))
        #expect(try await other.locks().map(\.holder) == [first])
        commit.release()
        try await other.lock("ledger", for: taker)
        #expect(try await other.locks().map(\.holder) == [taker])
    }
}
