internal import DRModel

/// The history of an interrupted run, consumed in order: the script's own requests must equal what it asked then; the world's answers are given again.
struct Replay {
    private let records: [JournalRecord]
    private var next = 0

    init(records: [JournalRecord]) { self.records = records.filter { ![.resumed, .stopped, .approval].contains($0.entry.kind) } }

    /// Everything recorded was consumed: what follows is new.
    var isOver: Bool { next == records.count }

    /// The script asks for `entry`. Returns the record of that time (for inputs its answer), or nil when history is over. Throws `replay-mismatch`.
    mutating func match(_ entry: JournalEntry) throws -> JournalRecord? {
        guard !isOver else { return nil }
        let record = records[next]
        let then = record.entry
        // An input's payload is the answer, not the question.
        let same =
            then.kind == entry.kind && then.key == entry.key && then.verb == entry.verb
            && (entry.kind == .input || then.payload == entry.payload)
        guard same else { throw mismatch(record, entry) }
        next += 1
        return record
    }

    /// The next answer of the world, when it is that one's turn. Throws `replay-mismatch` when the script should have asked something first.
    mutating func nextAnswer() throws -> JournalRecord? {
        guard !isOver else { return nil }
        let record = records[next]
        guard record.entry.kind == .outcome || record.entry.kind == .cancelled else {
            throw DRError(
                .replayMismatch,
                "record \(record.index) of the history is \(record.entry.kind.rawValue) \(record.entry.verb), and the runbook no longer asks for it",
                hint: "the runbook or the program differs from the one that was started")
        }
        next += 1
        return record
    }

    private func mismatch(_ record: JournalRecord, _ entry: JournalEntry) -> DRError {
        func text(_ entry: JournalEntry) -> String { "\(entry.kind.rawValue) \(entry.verb) \(entry.key) \(entry.payload.json(.plain))" }
        return DRError(
            .replayMismatch,
            "record \(record.index) of the history is \"\(text(record.entry))\", now the runbook asks for \"\(text(entry))\"",
            hint: "the runbook or the program differs from the one that was started")
    }
}
