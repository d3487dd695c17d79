/// What a person says who takes a run up.
public struct TakeUpWord: Sendable, Hashable {
    /// Why its record may be taken from a cluster though nobody signed how it ends.
    public var unsigned: String?

    public init(unsigned: String? = nil) {
        self.unsigned = unsigned
    }
}
