public import DRModel
internal import DRSupport

/// A time of day that only waiting moves: a plan takes no time, whatever it predicts.
public final class VirtualClock: WallClock {
    private let time: Lock<Instant>

    public init(_ start: Instant) { time = Lock(start) }

    public func now() -> Instant { time.withLock { $0 } }

    public func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        advance(by: duration)
    }

    public func advance(by duration: Duration) { time.withLock { $0 = $0 + max(.zero, duration) } }
}
