#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A thread that does one short thing again and again, whatever the others wait for, until it is stopped.
package final class Heartbeat: Sendable {
    private let isOver = Lock(false)

    /// `beat` is first called after `every`; it answers false when it is to be tried again at once.
    package init(name: String, every: Duration, beat: @escaping @Sendable () -> Bool) {
        let isOver = isOver
        Thread.start(name: name) {
            let slice = Duration.milliseconds(200)
            var left = every
            while !isOver.withLock({ $0 }) {
                usleep(200_000)
                left -= slice
                guard left <= .zero, !isOver.withLock({ $0 }) else { continue }
                left = beat() ? every : slice
            }
        }
    }

    deinit { stop() }

    /// Nothing begins after it; what is under way ends by itself.
    package func stop() { isOver.withLock { $0 = true } }
}
