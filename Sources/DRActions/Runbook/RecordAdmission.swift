public import DRModel

/// The one door by which a run's record comes into a process: from the journal here, from a file, from a cluster.
///
/// Its hashes say that a record is as somebody wrote it, not that a run wrote it. So each passing of a gate is decided again, by `Gate` and from what people said before
/// it, and each signature is verified again: under the rules that the record says it was asked under. That these were dr.yaml's is another question (`doubt`).
public struct RecordAdmission: Sendable {
    /// Of dr.yaml as it is now.
    private let rules: ApprovalRules
    /// The fingerprint of the key that signed an approval, where that is `key`; nil where it is not. `key`: of the person, who may have none.
    private let fingerprint: @Sendable (_ approval: Approval, _ key: String?) throws -> String?

    public init(rules: ApprovalRules, fingerprint: @escaping @Sendable (_ approval: Approval, _ key: String?) throws -> String?) {
        self.rules = rules
        self.fingerprint = fingerprint
    }

    /// Is the person identified as the approval says? One that names no key says nothing of the kind: whether it counts is the gate's to decide.
    public func isGenuine(_ approval: Approval, _ rules: ApprovalRules) throws -> Bool {
        guard let key = approval.key else { return true }
        return try fingerprint(approval, rules.person(approval.statement.person)?.key) == key
    }

    /// Throws and names the first record that was not written by a run: `journal-damaged`, or `not-allowed` where the record does not hold whom its gates asked, and dr.yaml
    /// may be another since. Costs a verification for each signature.
    public func admit(_ header: RunHeader, _ records: [JournalRecord]) throws { try admit(header, records, under: nil) }

    /// Why the record cannot be vouched for; nil where it can. `journal-damaged`: it contradicts itself. `not-allowed`: its gates were passed by a word that would not pass
    /// them by dr.yaml as it is now, and whether dr.yaml was another then nobody can tell from a record that whoever wrote it may have written.
    public func doubt(_ header: RunHeader, _ records: [JournalRecord]) throws -> DRError? {
        do { try admit(header, records) } catch let error as DRError where Self.isDoubt(error) { return error }
        guard header.approvals != nil else { return nil }
        do { try admit(header, records, under: rules) } catch let error as DRError where Self.isDoubt(error) {
            let then = [header.approvals, try RecordedConfiguration(header, records).approvals].compactMap(\.self)
            let change = Set(then.flatMap { rules.changes(since: $0) }).sorted()
            return DRError(
                .notAllowed,
                "gates of run \(header.id) were passed by approvals that dr.yaml, as it is now, does not know or count"
                    + (change.isEmpty ? "" : " (\(change.joined(separator: "; ")))"),
                hint: "see that dr.yaml was changed since; where heads are signed (`signing`), the host that signed vouches for it",
                details: ["run": .string(header.id.text)])
        }
        return nil
    }

    static func isDoubt(_ error: DRError) -> Bool { [.journalDamaged, .notAllowed].contains(error.code) }

    // `under`: these rules in place of the record's own.
    private func admit(_ header: RunHeader, _ records: [JournalRecord], under others: ApprovalRules?) throws {
        var book = try RecordedGates([])
        var end: JournalRecord?
        for record in records {
            if let end {
                throw refusal(header, record, "it was recorded after the end of the run, which is record \(end.index)")
            }
            let rules = others ?? book.rules(header, now: rules)
            switch record.entry.kind {
            case .approval:
                let approval = try Gate.approval(in: record)
                guard try isGenuine(approval, rules) else {
                    // By other rules it is not heard; whether that makes a difference its gate says.
                    if others != nil { continue }
                    throw refusal(
                        header, record, "\(approval.statement.person) is said to have signed it, and the signature does not verify",
                        hint: "the key under approvals.people.\(approval.statement.person) must be the one it was signed with",
                        isOwn: header.approvals != nil)
                }
            case .outcome:
                guard book.opened(at: record.entry.key) != nil else { break }
                try judge(record, of: try book.gate(at: record.entry.key, header), book.approvals, rules, header)
            case .finished: end = record
            default: break
            }
            try book.add([record])
        }
    }

    private func judge(
        _ record: JournalRecord, of gate: Gate, _ heard: [(approval: Approval, time: Instant)], _ rules: ApprovalRules, _ header: RunHeader
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
                hint: header.approvals == nil
                    ? "who approved must stand under `approvals` in dr.yaml as then; otherwise somebody else wrote this record"
                    : "somebody else wrote this record",
                isOwn: header.approvals != nil)
        }
    }

    // `isOwn`: it is refused by what the record says itself.
    private func refusal(_ header: RunHeader, _ record: JournalRecord, _ why: String, hint: String? = nil, isOwn: Bool = true) -> DRError {
        DRError(
            isOwn ? .journalDamaged : .notAllowed, "record \(record.index) of run \(header.id) is refused: \(why)", hint: hint,
            details: ["run": .string(header.id.text), "record": .integer(record.index)])
    }
}
