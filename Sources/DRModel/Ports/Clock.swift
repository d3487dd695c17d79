/// The time of day, and waiting. Real, or virtual in plans and tests: nothing in the engine or the runner asks the system.
public protocol WallClock: Sendable {
    func now() -> Instant
    /// What passed since some moment, however the time of day is set meanwhile.
    func uptime() -> Duration
    /// Returns after `duration`; throws CancellationError when the task is cancelled first.
    func sleep(for duration: Duration) async throws
}

extension WallClock {
    /// Of a clock that nobody sets.
    public func uptime() -> Duration { now() - Instant(nanosecondsSince1970: 0) }
}

/// Where random numbers come from. Journaled seeds make them repeatable.
public protocol RandomSource: Sendable {
    func next() -> UInt64
}

extension RandomSource {
    /// 32 hex digits.
    public func identifier() -> String {
        [next(), next()].map { number in
            let hex = String(number, radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }.joined()
    }
}
