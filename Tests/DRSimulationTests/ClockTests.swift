import DRModel
import DRSimulation
import DRSupport
import Testing

/// One thread, whose idle moments move the clock.
private actor Stage {
    let clock = SimulatedClock(Instant(nanosecondsSince1970: 0))
    private nonisolated let executor = ThreadExecutor(name: "clock-tests")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }
    private var order: [String] = []

    func sleepers(_ durations: [(String, Int64)]) async throws -> ([String], Instant) {
        let clock = clock
        executor.whenIdle { clock.wakeNext() }
        try await withTaskExecutorPreference(executor) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (name, seconds) in durations {
                    group.addTask {
                        try await clock.sleep(for: .seconds(seconds))
                        await self.note(name)
                    }
                }
                try await group.waitForAll()
            }
        }
        executor.whenIdle(nil)
        return (order, clock.now())
    }

    func cancelled() async -> Bool {
        let clock = clock
        return await withTaskExecutorPreference(executor) {
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do {
                        try await clock.sleep(until: { nil })
                        return false
                    } catch { return error is CancellationError }
                }
                group.cancelAll()
                return await group.next() ?? false
            }
        }
    }

    private func note(_ name: String) { order.append(name) }
}

struct ClockTests {
    @Test func `Who waits shortest is woken first, and all waiting together takes as long as the longest`() async throws {
        let (order, end) = try await Stage().sleepers([("six hours", 21600), ("a second", 1), ("an hour", 3600), ("another second", 1)])
        #expect(order == ["a second", "another second", "an hour", "six hours"])
        #expect(end == Instant(nanosecondsSince1970: 21_600_000_000_000))
    }

    @Test func `A sleep that waits for no time ends when its task is cancelled`() async {
        #expect(await Stage().cancelled())
    }

    @Test func `A jump sets the time of day and shortens no sleep`() {
        let clock = SimulatedClock(Instant(nanosecondsSince1970: 0))
        clock.jump(by: .seconds(-60))
        #expect(clock.now() == Instant(nanosecondsSince1970: -60_000_000_000))
        clock.advance(by: .seconds(10))
        #expect(clock.now() == Instant(nanosecondsSince1970: -50_000_000_000))
    }

    @Test func `What is to happen at a time happens when others wait that long`() async throws {
        let stage = Stage()
        let times = Lock<[Int64]>([])
        let clock = stage.clock
        clock.at(Instant(nanosecondsSince1970: 5_000_000_000)) { times.withLock { $0.append(clock.now().nanosecondsSince1970) } }
        _ = try await stage.sleepers([("ten", 10)])
        #expect(times.withLock { $0 } == [5_000_000_000])
    }
}
