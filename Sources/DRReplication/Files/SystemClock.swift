internal import CStorage
public import DRModel

/// The machine's time of day.
public struct SystemClock: WallClock {
    private static let start = ContinuousClock.now

    public init() {}

    public func now() -> Instant { Instant(nanosecondsSince1970: cstorage_now()) }

    public func uptime() -> Duration { ContinuousClock.now - Self.start }

    // The one place where real time passes.
    public func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}

/// The machine's random numbers.
public struct SystemRandom: RandomSource {
    public init() {}

    public func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
