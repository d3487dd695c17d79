internal import DRModel

/// The sleeps of a plan. Its clock jumps to the next end of one when nothing else is under way, so that branches sleep side by side as they do in a run.
struct PlannedSleeps {
    /// The next one to wake last.
    private var waiting: [(end: Instant, launch: ActionLaunch)] = []

    /// False: it does more than let time pass.
    mutating func take(_ launch: ActionLaunch, _ pending: PendingAction) -> Bool {
        guard let rest = pending.action.rest else { return false }
        let end = pending.begun + rest
        // Behind all that wake later, before those that wake at the same time and asked first.
        var (low, high) = (0, waiting.count)
        while low < high {
            let middle = (low + high) / 2
            if waiting[middle].end > end { low = middle + 1 } else { high = middle }
        }
        waiting.insert((end, launch), at: low)
        return true
    }

    /// Who wakes next, if all that is under way sleeps; of those who wake at once, who asked first.
    mutating func next(ifAll underWay: Int) -> ActionLaunch? {
        guard waiting.count == underWay else { return nil }
        return waiting.popLast()?.launch
    }
}
