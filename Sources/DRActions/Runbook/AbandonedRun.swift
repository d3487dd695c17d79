internal import DRModel

/// How a run ends that a person gives up as it stands: told from its record alone, for nothing of its script is run. It serves where a run can never be taken up again.
struct AbandonedRun {
    let who: String
    let reason: String
    private let history: [JournalRecord]
    /// Calls that change something, with their records, of which no answer is recorded.
    private let open: [JournalRecord]

    init(_ history: [JournalRecord], changes: (_ verb: String) -> Bool, who: String, reason: String) {
        self.history = history
        (self.who, self.reason) = (who, reason)
        let answered = Set(history.filter { $0.entry.kind == .outcome }.map(\.entry.key)), dropped = history.dropped
        open = history.filter {
            $0.entry.kind == .intent && changes($0.entry.verb) && !answered.contains($0.entry.key) && !dropped.contains($0.entry.key)
        }
    }

    /// What stands in the record of its end.
    var payload: Value { ["who": .string(who), "reason": .string(reason)] }

    /// Writes how it ends. `record`: a new one of the same run, which has heard nothing.
    func end(_ record: RunRecord) throws -> RunReport {
        var asked: [String: JournalRecord] = [:]
        for past in history {
            switch past.entry.kind {
            case .intent: asked[past.entry.key] = past
            case .outcome:
                guard let intent = asked[past.entry.key] else { continue }
                do {
                    try record.ledger.record(
                        branch: past.entry.branch, action: past.entry.verb, input: intent.entry.payload, begun: intent.time,
                        outcome: ActionOutcome(payload: past.entry.payload))
                } catch {
                    // Figures are not guessed; what is known besides is told all the same.
                    record.tell(.warning("record \(past.index) says nothing to this version: \(DRError(any: error).message)"))
                }
            case .note where past.entry.verb == "undo":
                if let undo = try? past.entry.payload.decoded(as: RunReport.Undo.self) { record.ledger.note(undo) }
            default: continue
            }
        }
        if !open.isEmpty || !record.ledger.effects.isEmpty { try owe(record) }
        let error = DRError(.stopped, "abandoned by \(who): \(reason)")
        let told = record.ledger.report(run: record.run, error: error)
        let report = RunReport(
            run: told.run, outcome: told.outcome, error: error, rto: told.rto, applications: applications(told.applications),
            effects: told.effects, undos: told.undos)
        try record.finished(report, abandoned: payload)
        return report
    }

    // Which they are knows its script alone.
    private func owe(_ record: RunRecord) throws {
        let undo = RunReport.Undo(
            name: "what its runbook registered for its end", application: nil, state: .owed,
            reason: "it was abandoned: nobody looked what that is")
        try record.note(JournalEntry(.note, key: "", verb: "undo", payload: try Value(encoding: undo)))
    }

    /// Those told, but for those of which a call may be half done.
    private func applications(_ told: [RunReport.Item]) -> [RunReport.Item] {
        var unknown: [RunReport.Item] = []
        for record in open {
            guard let name = record.entry.payload["application"].string.flatMap({ try? ApplicationName($0) }),
                !unknown.contains(where: { $0.name == name })
            else { continue }
            unknown.append(
                RunReport.Item(
                    name: name, active_at: nil, epoch: nil, state: .unknown, rpo: nil, rto: nil,
                    reason: "\(record.entry.verb) was under way, and has no answer",
                    next: "ask `drrunbook status` where it is and whether it runs, before anything else is done with it"))
        }
        return told.filter { item in !unknown.contains { $0.name == item.name } } + unknown
    }
}
