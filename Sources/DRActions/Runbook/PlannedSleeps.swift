internal import DRModel

/// The sleeps of a plan. Its clock jumps to the next end of one when nothing else is under way, so that branches sleep side by side as they do in a run.
struct PlannedSleeps {
    private var waiting: [(end: Instant, launch: ActionLaunch)] = []

    /// False: it does more than let time pass.
    mutating func take(_ launch: ActionLaunch, _ pending: PendingAction) -> Bool {
        guard let rest = pending.action.rest else { return false }
        waiting.append((pending.begun + rest, launch))
        return true
    }

    /// Who wakes next, if all that is under way sleeps; of those who wake at once, who asked first.
    mutating func next(ifAll underWay: Int) -> ActionLaunch? {
        guard !waiting.isEmpty, waiting.count == underWay else { return nil }
        let first = waiting.indices.min { waiting[$0].end < waiting[$1].end }
        return first.map { waiting.remove(at: $0).launch }
    }
}
