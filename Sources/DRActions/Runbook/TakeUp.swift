public import DRModel

/// What the record says of how a run was taken up, besides who did.
public struct TakeUp: Sendable, Hashable {
    public var unsigned: UnsignedTaking?
    /// SHA-256 of dr.yaml as it was then.
    public var configuration: String?
    /// Other people may approve than before, and a person accepted that: from here on gates go by these, and those that were open are asked anew.
    public var approvals: ApprovalRules?
    /// SHA-256 of what it may reach outside, where that is something else than before and a person accepted it.
    public var allow: String?

    public init() {}

    /// The rules that a run was taken up under; nil where it goes on under those of before. Throws `journal-damaged`.
    static func approvals(in record: JournalRecord) throws(DRError) -> ApprovalRules? {
        let rules = record.entry.payload["approvals"]
        guard !rules.isNull else { return nil }
        do { return try rules.decoded(as: ApprovalRules.self) } catch {
            throw DRError(
                .journalDamaged, "record \(record.index) does not say who may approve: \(error)",
                details: ["record": .integer(record.index)])
        }
    }

    func payload() throws -> [String: Value] {
        var words: [String: Value] = [:]
        if let unsigned { words["unsigned"] = try Value(encoding: unsigned) }
        if let configuration { words["configuration"] = .string(configuration) }
        if let approvals { words["approvals"] = try Value(encoding: approvals) }
        if let allow { words["allow"] = .string(allow) }
        return words
    }
}
