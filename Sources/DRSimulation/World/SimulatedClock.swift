package import DRModel
internal import DRSupport

/// A time of day that passes only when nothing is left to do: whoever wakes next sets it.
///
/// Everything of a simulation runs on one executor, which calls `wakeNext` when its queue is empty. So six hours of waiting take as long as what is done in them,
/// and who is woken when depends on nothing but the times asked for.
package final class SimulatedClock: WallClock {
    private struct Sleeper {
        let id: Int
        /// On the clock that never jumps; nil = not now.
        let due: @Sendable () -> Instant?
        let wake: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var time: Instant
        /// How far the time of day was set off by jumps.
        var offset: Duration = .zero
        var sleepers: [Sleeper] = []
        var next = 0
        var cancelled: Set<Int> = []
    }

    private let state: Lock<State>

    package init(_ start: Instant) { state = Lock(State(time: start)) }

    package func now() -> Instant { state.withLock { $0.time + $0.offset } }

    package func sleep(for duration: Duration) async throws {
        let end = state.withLock { $0.time } + max(.zero, duration)
        try await wait { end }
    }

    /// Returns when the time of day is what `due` says by then; nil = it goes on waiting. Throws CancellationError.
    package func sleep(until due: @escaping @Sendable () -> Instant?) async throws {
        try await wait { [self] in due().map { $0 - state.withLock { $0.offset } } }
    }

    // Without its isolation the operation would run on the shared pool, and nobody could say what is left to do.
    private func wait(_ due: @escaping @Sendable () -> Instant?, isolation: isolated (any Actor)? = #isolation) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            _ = isolation
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.sleepers.append(
                        Sleeper(id: id, due: due) { error in
                            if let error { continuation.resume(throwing: error) } else { continuation.resume() }
                        })
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.wake(CancellationError())
        }
    }

    /// `body` is called when the time of day is `time`, if something else is waited for by then.
    package func at(_ time: Instant, _ body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.next += 1
            let due = time - state.offset
            state.sleepers.append(Sleeper(id: state.next, due: { due }) { _ in body() })
        }
    }

    /// Moves the time to whoever wakes next, and wakes them. False: nobody waits for a time.
    package func wakeNext() -> Bool {
        let sleepers = state.withLock { $0.sleepers }
        // Of those due at once, who asked first.
        let times = sleepers.compactMap { sleeper in sleeper.due().map { (sleeper.id, $0) } }
        guard let (id, time) = times.min(by: { ($0.1, $0.0) < ($1.1, $1.0) }) else { return false }
        let sleeper = state.withLock { state -> Sleeper? in
            guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else { return nil }
            state.time = max(state.time, time)
            return state.sleepers.remove(at: index)
        }
        sleeper?.wake(nil)
        return true
    }

    /// Time passes while nobody does anything.
    package func advance(by duration: Duration) { state.withLock { $0.time = $0.time + max(.zero, duration) } }

    /// The time of day is set: waiting is not shortened by it.
    package func jump(by duration: Duration) { state.withLock { $0.offset += duration } }
}
