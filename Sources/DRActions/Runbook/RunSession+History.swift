internal import DRModel

extension RunSession {
    /// Goes on by one record of history, or by the requests that follow from what came before it. False: history is over, and nobody listened to what came last.
    ///
    /// The rule: the script hears an answer when the record goes on with something it asks for, or with its being left; answers that stand together are heard one after
    /// the other. The end of the runbook is begun when the record holds a request of it, so whoever is at the end of the record may still decide. `told`: what came.
    /// Throws `replay-mismatch`.
    func follow(_ told: (PendingAction, ActionOutcome, Instant) -> Void = { _, _, _ in }) throws -> Bool {
        guard end == nil, let next = record.pending else { return false }
        if record.isHeardBefore {
            try hear()
            if record.pending?.index != next.index { return true }
        }
        switch try record.recordedAnswer() {
        case .outcome(let key, let outcome, let time):
            guard waiting[key] != nil else { throw record.mismatch(next, now: "nobody waits for that answer") }
            told(try deliver(outcome, for: key), outcome, time)
        case .cancelled(let request, let underWay): cancel(request.error, underWay: underWay)
        case nil:
            if try close() { try hear() }
            guard record.pending?.index == next.index else { return true }
            _ = try failure()
            throw record.mismatch(next, now: end == nil ? "nothing of the kind" : "the end of the runbook")
        }
        return true
    }

    /// The runbook has ended or was left, and what is done at its end has not begun.
    var isLeft: Bool { ending != nil && closer == nil }

    /// A person ended it, and its end is not behind it yet.
    var isCancelled: Bool { ending?.cancellation != nil }

    /// False once its undos are under way or behind it.
    var canBeCancelled: Bool { ending?.hasFailed != true }
}
