internal import DRModel

/// What a run's record says of its gates: where they were opened, and what people said.
struct RecordedGates {
    private var intents: [String: JournalRecord] = [:]
    private var gates: [String: Gate] = [:]
    /// In the order of the record.
    private(set) var approvals: [(approval: Approval, time: Instant)] = []

    init(_ history: [JournalRecord]) throws { try add(history) }

    /// Throws `journal-damaged`.
    mutating func add(_ records: [JournalRecord]) throws {
        for record in records {
            switch record.entry.kind {
            case .intent where record.entry.verb == Gate.verb: intents[record.entry.key] = record
            case .approval: approvals.append((try Gate.approval(in: record), record.time))
            default: break
            }
        }
    }

    /// The gate's record is written.
    func knows(_ key: String) -> Bool { intents[key] != nil }

    /// `header`: of the run.
    mutating func gate(at key: String, header: () throws -> RunHeader) throws -> Gate {
        if let gate = gates[key] { return gate }
        guard let intent = intents[key] else { throw DRError(.internal, "a gate has no record") }
        let gate = try Gate(intent, header: try header())
        gates[key] = gate
        return gate
    }
}
