import DRModel
import DRSupport

/// The time of a generated case: as long as nobody sleeps it passes a little with each look, and sleeping takes none.
///
/// Short sleeps are those of the host itself, which looks again and again for requests to stop; they move nothing.
final class CaseClock: WallClock {
    private let time: Lock<Instant>
    /// What a thread does every few seconds: leases of locks that are held do not run out in a jump.
    let beats = Lock<[@Sendable () -> Void]>([])

    init(_ start: Instant) { time = Lock(start) }

    func now() -> Instant {
        time.withLock { time in
            time = time + .microseconds(700)
            return time
        }
    }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        if duration <= .milliseconds(200) {
            try await Task.sleep(for: .milliseconds(1))
        } else {
            advance(by: duration)
        }
    }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + max(.zero, duration) }
        for beat in beats.withLock({ $0 }) { beat() }
    }
}

/// Numbers of one seed, and what generators ask of them.
struct CaseRandom {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
        // Neighbours must not share a sequence.
        for _ in 0..<2 { state = next() ^ (seed << 32) }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<Item>(_ items: [Item]) -> Item { items[below(items.count)] }

    mutating func some<Item>(of items: [Item], atLeast least: Int = 1) -> [Item] {
        let chosen = items.filter { _ in chance(50) }
        return chosen.count >= least ? chosen : Array(items.prefix(least))
    }
}
