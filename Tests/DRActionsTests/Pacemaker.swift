import DRActions
import DRModel
import DRSupport

/// Lets calls that are under way come back in an order of its own, and wants the run to end when so many of them have.
final class Pacemaker: RunControl {
    private struct State {
        var numbers: SeededNumbers
        var held: [Int] = []
        var next = 0
        var returned = 0
    }

    private let state: Lock<State>
    private let wishes: Lock<[(after: Int, kind: StopRequest.Kind)]>
    private let clock: SteppedClock

    /// `wishes`: in order, each when so many calls have come back in all. A deadline passes instead of being asked for.
    init(seed: UInt64, wishes: [(after: Int, kind: StopRequest.Kind)] = [], clock: SteppedClock) {
        state = Lock(State(numbers: SeededNumbers(seed)))
        self.wishes = Lock(wishes)
        self.clock = clock
    }

    /// A call is under way until it is let go.
    func hold() async {
        let number = state.withLock { state in
            state.held.append(state.next)
            state.next += 1
            return state.next - 1
        }
        while !Task.isCancelled, state.withLock({ $0.held.contains(number) }) { await Task.yield() }
    }

    func begun(_ run: RunID) throws {}

    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest? {
        while !Task.isCancelled {
            // All that was launched is under way by then.
            for _ in 0..<4 { await Task.yield() }
            let returned = state.withLock { $0.returned }
            let wish: StopRequest.Kind? = wishes.withLock { wishes in
                guard let first = wishes.first, first.after <= returned else { return nil }
                return wishes.removeFirst().kind
            }
            if wish == .deadline {
                try? await clock.sleep(for: .seconds(9 * 3600))
                return nil
            }
            if let wish { return StopRequest(wish, who: "alice") }
            state.withLock { state in
                // Now and then two come back together.
                for _ in 0..<1 + state.numbers.below(2) where !state.held.isEmpty {
                    state.held.remove(at: state.numbers.below(state.held.count))
                    state.returned += 1
                }
            }
        }
        return nil
    }
}
