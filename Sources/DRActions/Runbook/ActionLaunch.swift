internal import DRModel
internal import DRSupport

/// An action on its way: all it needs, apart from the session.
struct ActionLaunch: Sendable {
    let key: String
    let action: PreparedAction
    let place: CallPlace?
    let context: ActionContext

    func perform() async -> Completion {
        let result: Result<Value, DRError>
        do {
            result = .success(try await CallPlace.$current.withValue(place) { try await action.perform(context) })
        } catch {
            result = .failure(DRError(any: error))
        }
        let outcome = ActionOutcome(
            result: result, effects: context.call.effects.effects, duration: context.clock.now() - context.begun,
            points: context.call.points.unrecorded)
        return Completion(key: key, outcome: outcome)
    }
}

struct Completion: Sendable {
    let key: String
    let outcome: ActionOutcome
}

/// What a conductor waits for.
enum Signal: Sendable {
    case done(Completion)
    case control(StopRequest?)
}

/// What arrived and was not taken yet, in the order it came. All of it is taken before anything new begins, so that what comes together shares a commit.
final class Arrivals: Sendable {
    private let signals = Lock<[Signal]>([])

    var isEmpty: Bool { signals.withLock { $0.isEmpty } }

    func add(_ signal: Signal) { signals.withLock { $0.append(signal) } }
    func next() -> Signal? { signals.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}
