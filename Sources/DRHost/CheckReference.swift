internal import DRReplication

/// The checks that the verb `checks` and the command `ready` ask, for `explain checks` and docs/checks.md.
public enum CheckReference {
    /// In the order in which they are asked.
    public static var all: [(id: String, summary: String)] { ReplicationEngine.checkSummaries }

    public static func text() -> String {
        let width = all.map { $0.id.count }.max() ?? 0
        return "CHECKS, as `only` and `skip` name them\n"
            + all.map { "  \($0.id.padding(to: width))  \($0.summary)\n" }.joined()
    }

    /// docs/checks.md.
    public static func markdown() -> String {
        """
        # Checks

        Made by `make record`. `dr.checks`, `dr.failover` and `dr.failback` ask them in this order; `only`, `skip = { ID = reason }` and `warn_only` name them by id.
        A check reads both clusters and changes nothing. What cannot be asked is `skipped` with its reason; in disaster mode nothing asks the source, and manifests
        are those of the newest recovery point. Each answer is `{ id, state, message, fix, next }`: `state` is `ok`, `warning`, `failed` or `skipped`; where it is `warning` or
        `failed`, `fix` says what mends it and `next` is the command to type.

        | id | what must hold |
        |---|---|

        """ + all.map { "| `\($0.id)` | \($0.summary) |\n" }.joined()
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
