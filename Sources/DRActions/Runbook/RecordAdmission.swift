public import DRModel

/// The one door by which a run's record comes into a process: from the journal here, from a file, from a cluster.
///
/// Its hashes say that a record is as somebody wrote it, not that a run wrote it. So each passing of a gate is decided again, by `Gate` and from what people said before
/// it, and each signature is verified again.
public struct RecordAdmission: Sendable {
    private let rules: ApprovalRules
    /// The fingerprint of the key that signed an approval, where the signature is this person's; nil where it is not.
    private let fingerprint: @Sendable (Approval) throws -> String?

    public init(rules: ApprovalRules, fingerprint: @escaping @Sendable (Approval) throws -> String?) {
        self.rules = rules
        self.fingerprint = fingerprint
    }

    /// Is the person identified as the approval says? One that names no key says nothing of the kind: whether it counts is the gate's to decide.
    public func isGenuine(_ approval: Approval) throws -> Bool {
        guard let key = approval.key else { return true }
        return try fingerprint(approval) == key
    }

    /// Throws `journal-damaged` and names the first record that was not written by a run under these rules. Costs a verification for each signature.
    public func admit(_ header: RunHeader, _ records: [JournalRecord]) throws {
        var heard: [(approval: Approval, time: Instant)] = []
        var gates: [String: JournalRecord] = [:]
        var end: JournalRecord?
        for record in records {
            if let end {
                throw refusal(header, record, "it was recorded after the end of the run, which is record \(end.index)")
            }
            switch record.entry.kind {
            case .intent where record.entry.verb == Gate.verb: gates[record.entry.key] = record
            case .approval:
                let approval = try Gate.approval(in: record)
                guard try isGenuine(approval) else {
                    throw refusal(
                        header, record, "\(approval.statement.person) is said to have signed it, and the signature does not verify",
                        hint: "the key under approvals.people.\(approval.statement.person) must be the one it was signed with")
                }
                heard.append((approval, record.time))
            case .outcome:
                guard let intent = gates[record.entry.key] else { break }
                try judge(record, of: try Gate(intent, header: header), heard, header)
            case .finished: end = record
            default: break
            }
        }
    }

    private func judge(
        _ record: JournalRecord, of gate: Gate, _ heard: [(approval: Approval, time: Instant)], _ header: RunHeader
    ) throws {
        let said = try ActionOutcome(payload: record.entry.payload).result
        switch (gate.decide(heard, rules, now: record.time), said) {
        case (.passed(let answer), .success(let recorded)) where answer == recorded: return
        case (.refused(let error), .failure(let recorded)) where error.code == recorded.code: return
        case (let decision, _):
            let here =
                switch decision {
                case .passed: "it is passed"
                case .open(let missing): "\(missing) are missing"
                case .refused(let error): error.message
                }
            let there = if case .success = said { "was passed" } else { "was refused" }
            throw refusal(
                header, record, "it says that gate \(gate.name) \(there), and by what people said before it \(here)",
                hint: "who approved must stand under `approvals` in dr.yaml as then; otherwise somebody else wrote this record")
        }
    }

    private func refusal(_ header: RunHeader, _ record: JournalRecord, _ why: String, hint: String? = nil) -> DRError {
        DRError(
            .journalDamaged, "record \(record.index) of run \(header.id) is refused: \(why)", hint: hint,
            details: ["run": .string(header.id.text), "record": .integer(record.index)])
    }
}
