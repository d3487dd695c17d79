/// What is run at the source around the snapshot of a running application: the first quiets it, the second lets it go on.
public struct SnapshotRules: Hashable, Sendable, Codable {
    public var pre: RuleName?
    /// Run whenever `pre` was begun, whatever came of it and of the snapshot; it must stand being run twice.
    public var post: RuleName?

    public init(pre: RuleName? = nil, post: RuleName? = nil) {
        self.pre = pre
        self.post = post
    }

    public var isEmpty: Bool { pre == nil && post == nil }

    /// These, and where one of them is not said that of `other`.
    public func or(_ other: SnapshotRules) -> SnapshotRules { SnapshotRules(pre: pre ?? other.pre, post: post ?? other.post) }
}
