internal import DRModel

/// The history of an interrupted run, consumed in order: the script's own requests must equal what it asked then; the world's answers are given again.
struct Replay {
    private let records: [JournalRecord]
    private var next = 0
    /// Answers before which the script had heard everything, and which it did not hear: `at_once` of older versions.
    private let unheard: Set<Int64>

    init(records: [JournalRecord]) {
        self.records = records.filter { ![.resumed, .stopped, .approval].contains($0.entry.kind) }
        unheard = Set(
            records.filter { $0.entry.kind == .cancelled && StopRequest.isAtOnce($0.entry.payload) }.compactMap { cancelled in
                let taken = records.last { $0.entry.kind == .resumed && $0.index < cancelled.index } ?? cancelled
                return records.last { $0.entry.kind == .outcome && $0.index < taken.index }?.index
            })
    }

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

    /// The next answer of the world, when it is that one's turn.
    mutating func nextAnswer() -> JournalRecord? {
        guard !isOver else { return nil }
        let record = records[next]
        guard record.entry.kind == .outcome || record.entry.kind == .cancelled else { return nil }
        next += 1
        return record
    }

    /// The script hears all that came before this record: it asks for it, or is left at it.
    var isHeardBefore: Bool {
        guard let record = pending else { return false }
        switch record.entry.kind {
        case .outcome: return unheard.contains(record.index)
        case .cancelled: return !StopRequest.isAtOnce(record.entry.payload)
        default: return true
        }
    }

    /// The record whose turn it is, when history is not over.
    var pending: JournalRecord? { isOver ? nil : records[next] }

    private func mismatch(_ record: JournalRecord, _ entry: JournalEntry) -> DRError { mismatch(record, now: ReplayDifference.text(entry)) }
    func mismatch(_ record: JournalRecord, now: String) -> DRError {
        let isLeft = records.contains { $0.entry.kind == .cancelled && $0.index <= record.index }
        return ReplayDifference.error(record, now: now, isLeft: isLeft)
    }
}

/// The first place where a history and a runbook part, told side by side.
enum ReplayDifference {
    // What was heard decides what is owed, and nothing else in the record tells it.
    private static let older =
        "Older versions could leave a script before it heard what came last, and did not write which answers those were: only the version that began such an undo can end it"

    static func text(_ entry: JournalEntry) -> String {
        let words = [entry.kind.rawValue, entry.verb, entry.key].filter { !$0.isEmpty }.joined(separator: " ")
        return entry.payload.isNull || entry.kind == .input ? words : "\(words) \(entry.payload.json(.plain))"
    }

    /// `isLeft`: the record says before, or there, that somebody wanted the run undone.
    static func error(_ record: JournalRecord, now: String, isLeft: Bool = false) -> DRError {
        let then = text(record.entry)
        return DRError(
            .replayMismatch, "record \(record.index) does not fit: then \"\(then)\", now \"\(now)\"",
            hint:
                "the runbook, dr.yaml or the program is not the one it was started with: put it back; `drrunbook replay RUN --against RUNBOOK` tries an edit"
                + (isLeft ? ". " + older : ""),
            details: ["record": .integer(record.index), "then": .string(then), "now": .string(now)])
    }
}
