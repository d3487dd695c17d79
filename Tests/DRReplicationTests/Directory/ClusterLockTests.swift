import DRModel
import DRReplication
import Foundation
import Testing

struct ClusterLockTests {
    private let fixture: ClusterFixture
    private let holder = LockHolder(run: "run-1", runbook: "shop.lua", host: "ops", process: 41)
    private let other = LockHolder(run: "run-2", runbook: "other.lua", host: "ops", process: 42)

    init() throws { fixture = try ClusterFixture() }

    @Test func `a second run is told who holds the application`() async throws {
        let first = fixture.cluster(), second = fixture.cluster()
        try await first.lock("ledger", for: holder)
        for cluster in [first, second] {
            let refused = await #expect(throws: DRError.self) { try await cluster.lock("ledger", for: other) }
            #expect(refused?.code == .locked)
            #expect(
                refused?.message
                    == "ledger is locked at west by run run-1 of shop.lua on ops, process 41, since 2023-11-14T22:13:20.000Z")
            #expect(refused?.details?["process"] == 41)
            #expect(refused?.retryable == true)
        }
        try await second.lock("storefront", for: other)
        #expect(try await first.locks().map(\.alive) == [true, true])
        #expect(try await second.locks().first?.holder == holder)
    }

    @Test func `the same run renews its lock and others of it stay`() async throws {
        let cluster = fixture.cluster()
        try await cluster.lock("ledger", for: holder)
        let since = try await cluster.locks()[0].since
        try await cluster.lock("ledger", for: LockHolder(run: "run-1", runbook: "shop.lua", host: "ops", process: 43))
        let lock = try await cluster.locks()[0]
        #expect(lock.since == since && lock.holder.process == 43)
        try await cluster.unlock(run: "run-1")
        try await cluster.unlock(run: "run-1")
        #expect(try await cluster.locks().isEmpty)
        try await fixture.cluster().lock("ledger", for: other)
    }

    @Test func `a dead holder is known at once and its lock is taken over`() async throws {
        do {
            let dead = fixture.cluster()
            try await dead.lock("ledger", for: holder)
        }
        let second = fixture.cluster()
        let lock = try #require(try await second.locks().first)
        #expect(lock.holder == holder && !lock.alive)
        try await second.lock("ledger", for: other)
        #expect(try await second.locks().map(\.holder) == [other])
        try await second.unlock(run: "run-1")
        #expect(try await second.locks().map(\.holder) == [other], "another run's lock is not released")
    }

    @Test func `a dead run's locks are released by its own resume`() async throws {
        do {
            let dead = fixture.cluster()
            try await dead.lock("ledger", for: holder)
            try await dead.lock("storefront", for: holder)
        }
        try await fixture.cluster().unlock(run: "run-1")
        #expect(try await fixture.cluster().locks().isEmpty)
    }

    @Test func `another process that holds the kernel's lock is alive and one that was killed is not`() async throws {
        do {
            let cluster = fixture.cluster()
            try await cluster.lock("ledger", for: holder)
        }
        let process = Process()
        let said = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        process.arguments = ["--no-fork", "\(fixture.root)/.dr/locks/ledger.lock", "sh", "-c", "echo held; exec sleep 60"]
        process.standardOutput = said
        try process.run()
        #expect(said.fileHandleForReading.availableData == Data("held\n".utf8))
        #expect(try await fixture.cluster().locks().first?.alive == true)
        await #expect(throws: DRError.self) { try await fixture.cluster().lock("ledger", for: other) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(try await fixture.cluster().locks().first?.alive == false)
        try await fixture.cluster().lock("ledger", for: other)
    }

    @Test func `G1 a holder whose lock was broken while it was paused is refused, and another holds it`() async throws {
        let here = fixture
        let old = here.cluster(), new = here.cluster()
        let first = LockHolder(run: "run-1", runbook: "a.lua", host: "here", process: 1)
        let second = LockHolder(run: "run-2", runbook: "b.lua", host: "there", process: 2)
        try await old.lock("ledger", for: first)
        #expect(await expectError(.locked) { try await new.lock("ledger", for: second) } != nil)
        #expect(try await new.breakLock("ledger"))
        try await new.lock("ledger", for: second)
        #expect(await expectError(.locked) { try await old.lock("ledger", for: first) } != nil)
        #expect(try await old.locks().map(\.holder.run) == ["run-2"])
        #expect(try await new.breakLock("ledger"))
        #expect(try await !new.breakLock("ledger"))
    }
}
