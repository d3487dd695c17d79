internal import DRModel

extension RunHeader {
    /// As the header's column holds it: tagged JSON.
    var columnText: String {
        get throws { try Value(encoding: self).json() }
    }

    init(columnText: String) throws { self = try Value(json: columnText).decoded(as: RunHeader.self) }
}

extension RunSummary {
    /// `last` is the run's last record that is no approval: only a `finished` one closes a run, so a run that was carried on after it is open again.
    init(_ header: RunHeader, last: (kind: String, payload: String, time: Int64)?) {
        var outcome: RunOutcome?
        if let last, last.kind == JournalEntry.Kind.finished.rawValue {
            outcome = (try? Value(json: last.payload))?["outcome"].string.flatMap(RunOutcome.init(rawValue:))
        }
        let isHeld = last?.kind == JournalEntry.Kind.stopped.rawValue
        self.init(
            id: header.id, runbook: header.runbook, started: header.started, outcome: isHeld ? .stopped : outcome,
            finished: outcome == nil ? nil : last.map { Instant(nanosecondsSince1970: $0.time) }, isHeld: isHeld)
    }
}
