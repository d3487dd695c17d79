internal import DRModel

/// Whether the agent of a cluster that was lost can be relied on to have stopped an application there.
///
/// An agent stops what it watches `lease` after it last reached this cluster, if it still lives then. Nobody here can see that it does. What can be seen is that
/// it lived about when its cluster was lost: its last mark is as old as the silence. Its mark is much older, or nobody knows since when the cluster is
/// silent: then it may have been gone long before, and promises nothing.
enum AgentPromise {
    /// Until when the application is stopped there at the latest; nil = nobody can say so. `newest`: the instant of the newest point, which proves that the
    /// cluster answered then.
    static func end(
        _ mark: AgentMark?, _ contact: SiteContact?, newest: Instant?, of application: ApplicationName, now: Instant
    ) -> Instant? {
        guard let mark, let lease = mark.lease, mark.applications.contains(application) else { return nil }
        func isNear(_ instant: Instant) -> Bool { instant <= mark.at + mark.patience && mark.at <= instant + mark.patience }
        if isRefuted(mark, contact) || newest.map({ $0 > mark.at + mark.patience }) ?? false { return nil }
        let silent = contact.flatMap { contact in contact.silent.flatMap { $0 >= contact.reached ? $0 : nil } }
        guard isNear(now) || silent.map(isNear) ?? false else { return nil }
        return mark.at + lease + AgentMark.grace
    }

    /// The cluster answered when the agent no longer did.
    static func isRefuted(_ mark: AgentMark, _ contact: SiteContact?) -> Bool {
        contact.map { $0.reached > mark.at + mark.patience } ?? false
    }
}

extension AgentMark? {
    /// Why no agent can be said to work, by the mark that it left at its own cluster; nil = one does.
    func absence(now: Instant) -> String? {
        guard let mark = self else { return "no agent of it was ever seen" }
        guard mark.lease != nil else { return "its agent ended at \(mark.at)" }
        return now - mark.at > mark.patience ? "its agent was last seen at \(mark.at)" : nil
    }
}
