public import DRModel

/// What a run's record says of its gates: where they were opened, by whose word they are passed, and what people said.
struct RecordedGates {
    private var intents: [String: JournalRecord] = [:]
    private var closed: Set<String> = []
    /// Records by which gates that were open are asked anew, under other rules: what was said before counts no more.
    private var anew: [String: String] = [:]
    private var gates: [String: Gate] = [:]
    private var taken: ApprovalRules?
    /// In the order of the record.
    private(set) var approvals: [(approval: Approval, time: Instant)] = []

    init(_ history: [JournalRecord]) throws { try add(history) }

    /// Throws `journal-damaged`.
    mutating func add(_ records: [JournalRecord]) throws {
        for record in records {
            switch record.entry.kind {
            case .intent where record.entry.verb == Gate.verb: intents[record.entry.key] = record
            case .outcome: closed.insert(record.entry.key)
            case .approval: approvals.append((try Gate.approval(in: record), record.time))
            case .resumed:
                guard let rules = try TakeUp.approvals(in: record) else { continue }
                taken = rules
                for key in intents.keys where !closed.contains(key) { anew[key] = record.hash }
                gates = [:]
            default: break
            }
        }
    }

    /// Who may approve in the run: as it was started, or as somebody took it up since. `now`: dr.yaml, for records of versions that did not say.
    func rules(_ header: RunHeader, now: ApprovalRules) -> ApprovalRules { taken ?? header.approvals ?? now }

    func opened(at key: String) -> JournalRecord? { intents[key] }

    /// The gate's record is written.
    func knows(_ key: String) -> Bool { intents[key] != nil }

    /// `header`: of the run.
    mutating func gate(at key: String, _ header: RunHeader) throws -> Gate {
        if let gate = gates[key] { return gate }
        guard let intent = intents[key] else { throw DRError(.internal, "a gate has no record") }
        let gate = try Gate(intent, header: header, asked: anew[key])
        gates[key] = gate
        return gate
    }
}

/// The part of dr.yaml that a run goes by, as its record holds it: what its start says, or whoever took it up under another since.
public struct RecordedConfiguration: Sendable, Hashable {
    /// SHA-256 of dr.yaml.
    public private(set) var file: String
    /// Nil: a version before did not record it.
    public var approvals: ApprovalRules? { asked.last }
    /// Nil: a version before did not record it.
    public private(set) var allow: String?
    /// All by which gates of the run were asked, in their order.
    let asked: [ApprovalRules]

    /// Throws `journal-damaged`.
    public init(_ header: RunHeader, _ records: [JournalRecord]) throws {
        (file, allow) = (header.configuration, header.allow)
        var asked = [header.approvals].compactMap(\.self)
        for record in records where record.entry.kind == .resumed {
            file = record.entry.payload["configuration"].string ?? file
            if let rules = try TakeUp.approvals(in: record) { asked.append(rules) }
            allow = record.entry.payload["allow"].string ?? allow
        }
        self.asked = asked
    }
}
