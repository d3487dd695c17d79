import DRModel
import DRSupport

/// The effects that a resumed run still has before it: what its history did not answer.
final class EffectsAhead: Sendable {
    private let list = Lock<[Effect]>([])

    var effects: [Effect] { list.withLock { $0 } }

    var note: @Sendable (RunEvent) -> Void {
        { [self] event in
            guard !event.replayed, case .actionFinished(_, _, _, _, let effects, _) = event.kind else { return }
            list.withLock { $0 += effects }
        }
    }
}
