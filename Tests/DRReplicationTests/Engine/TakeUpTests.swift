import DRModel
import DRReplication
import DRSimulation
import Testing

/// Locks that former processes of a run left, and who takes them up.
@Suite struct TakeUpTests {
    private func holder(_ run: RunID, turn: Int, process: Int32 = 41) -> LockHolder {
        LockHolder(run: run, runbook: "shop.lua", host: "ops", process: process, turn: turn)
    }

    @Test func `G1 whoever takes a run up has its locks, renewed, at each place, and nobody else's`() async throws {
        let world = try EngineWorld()
        for cluster in [world.east, world.west] { try await cluster.lock("ledger", for: holder("run-1", turn: 0)) }
        try await world.east.lock("storefront", for: holder("run-2", turn: 0, process: 7))
        for cluster in [world.east, world.west] { try await cluster.park(run: "run-1", until: nil) }
        try await world.engine().takeUp(holder("run-1", turn: 1, process: 42), at: ["east", "west"])
        for cluster in [world.east, world.west] {
            let lock = try #require(try await cluster.locks().first { $0.application == "ledger" })
            #expect(lock.holder == holder("run-1", turn: 1, process: 42))
            // It does not run out where it was parked until.
            #expect(lock.alive && lock.expires == nil)
        }
        #expect(try await world.east.locks().first { $0.application == "storefront" }?.holder == holder("run-2", turn: 0, process: 7))
    }

    @Test func `G1 a lock that ran out and that somebody took since is not taken back, and one at a place that is not named stays`()
        async throws
    {
        let world = try EngineWorld()
        try await world.east.lock("ledger", for: holder("run-1", turn: 0))
        try await world.west.lock("ledger", for: holder("run-1", turn: 0))
        for cluster in [world.east, world.west] { try await cluster.park(run: "run-1", until: nil) }
        world.clock.advance(by: .seconds(3600))
        try await world.east.lock("ledger", for: holder("run-2", turn: 0, process: 7))
        try await world.engine().takeUp(holder("run-1", turn: 1, process: 42), at: ["east"])
        #expect(try await world.east.locks().map(\.holder) == [holder("run-2", turn: 0, process: 7)])
        #expect(try await world.west.locks().map(\.holder) == [holder("run-1", turn: 0)])
        // Where nobody took it, it is the run's still.
        try await world.engine().takeUp(holder("run-1", turn: 1, process: 42), at: ["west"])
        #expect(try await world.west.locks().map(\.holder) == [holder("run-1", turn: 1, process: 42)])
    }

    @Test func `A place that does not answer keeps nobody from the locks at the others`() async throws {
        let world = try EngineWorld()
        for cluster in [world.east, world.west] { try await cluster.lock("ledger", for: holder("run-1", turn: 0)) }
        world.east.goAway()
        try await world.engine().takeUp(holder("run-1", turn: 1, process: 42), at: ["east", "west"])
        #expect(try await world.west.locks().map(\.holder) == [holder("run-1", turn: 1, process: 42)])
    }
}
