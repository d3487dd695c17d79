public import DRModel

/// What the record says of how a run was taken up, besides who did.
public struct TakeUp: Sendable, Hashable {
    public var unsigned: UnsignedTaking?

    public init() {}

    func payload() throws -> [String: Value] {
        var words: [String: Value] = [:]
        if let unsigned { words["unsigned"] = try Value(encoding: unsigned) }
        return words
    }
}
