public import DRActions
public import DRModel

extension Host {
    /// Waits until a gate of the run has passed or was closed, or its window has opened, and carries it on. What became of it meanwhile holds: where it was put
    /// down, undone or brought to its end, nothing is carried on, and the report is that one's.
    ///
    /// `report`: of a run that waits for people, or for a time. `more`: as in `resume`. Throws as `resume` does.
    public func carryOn(
        _ report: RunReport, mayActivate: Bool, more: MoreTime = MoreTime(), events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        var seen = WaitedRecord()
        while true {
            while try stillWaits(report, &seen) { try await world.clock.sleep(for: .seconds(1)) }
            do {
                let report = try await resume(report.run, mayActivate: mayActivate, more: more, isWaitedFor: true, events: events)
                // Whatever it waits for again, nobody takes it up more than once a second.
                if report.outcome == .waiting { try await world.clock.sleep(for: .seconds(1)) }
                return report
            } catch let error as DRError where error.code == .locked && error.details?["run"].string == report.run.text {
                // Somebody else was first, and carries it on.
                try await world.clock.sleep(for: .seconds(1))
                continue
            }
        }
    }

    // Looked at each second, for as long as people take.
    private func stillWaits(_ report: RunReport, _ seen: inout WaitedRecord) throws -> Bool {
        if try isCarriedOn(report.run) { return true }
        try seen.look(at: report.run, in: history() ?? reading())
        guard !seen.isOver else { return false }
        if case .instant(let opens)? = report.error?.details?["opens"], opens <= world.clock.now() { return false }
        guard report.error?.details?["gate"].string != nil else { return true }
        let gates = try seen.gates(configuration.approvals, now: world.clock.now())
        return !gates.isEmpty && gates.allSatisfy { $0.missing != nil }
    }
}

/// What whoever waits for a run has seen of its record: a look reads what is new since the one before, however long the record is.
private struct WaitedRecord {
    private var header: RunHeader?
    private var last: JournalRecord?
    /// Of it, what says how its gates stand.
    private var ofGates: [JournalRecord] = []
    /// It has ended, or was put down and nobody has taken it up since.
    private(set) var isOver = false

    mutating func look(at run: RunID, in journal: any Journal) throws {
        if header == nil { header = try journal.header(of: run) }
        for record in try last.map({ try journal.records(of: run, after: $0) }) ?? journal.records(of: run) {
            last = record
            switch record.entry.kind {
            case .approval: ofGates.append(record)
            case .finished, .stopped: isOver = true
            default:
                isOver = false
                // Whoever took it up may have accepted other rules, by which its gates are asked anew.
                if record.entry.verb == "approve" || [.cancelled, .resumed].contains(record.entry.kind) { ofGates.append(record) }
            }
        }
    }

    func gates(_ rules: ApprovalRules, now: Instant) throws -> [OpenGate] {
        guard let header else { return [] }
        return try OpenGate.all(header: header, records: ofGates, rules: rules, now: now)
    }
}
