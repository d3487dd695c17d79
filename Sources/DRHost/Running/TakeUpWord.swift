/// What a person says who takes a run up.
public struct TakeUpWord: Sendable, Hashable {
    /// Why its record may be taken from a cluster though nobody signed how it ends.
    public var unsigned: String?
    /// It may go on under other `approvals` or another `allow` than it was started with: its open gates are asked anew.
    public var acceptsConfiguration: Bool

    /// It may be taken from a process that carries it on elsewhere.
    public var takesOver: Bool

    public init(unsigned: String? = nil, acceptsConfiguration: Bool = false, takesOver: Bool = false) {
        self.takesOver = takesOver
        self.unsigned = unsigned
        self.acceptsConfiguration = acceptsConfiguration
    }
}
