/// What a person says who takes a run up.
public struct TakeUpWord: Sendable, Hashable {
    /// Why its record may be taken from a cluster though nobody signed how it ends.
    public var unsigned: String?
    /// It may go on under other `approvals` or another `allow` than it was started with: its open gates are asked anew.
    public var acceptsConfiguration: Bool

    public init(unsigned: String? = nil, acceptsConfiguration: Bool = false) {
        self.unsigned = unsigned
        self.acceptsConfiguration = acceptsConfiguration
    }
}
