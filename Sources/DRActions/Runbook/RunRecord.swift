internal import DRModel
internal import DRSupport

/// An answer that history holds.
enum RecordedAnswer {
    case outcome(key: String, ActionOutcome, time: Instant)
    case cancelled(StopRequest, underWay: Set<String>)
}

/// A run's journal as its session sees it: while history lasts its entries are compared and answered from it, afterwards they are appended.
///
/// What is appended becomes durable with the next `flush`, together: nothing leaves this process before, no call, no word to anybody, no copy. So what happened between
/// two calls shares a commit, an outcome with the intents that follow from it, and with the records of all branches that went on meanwhile.
final class RunRecord {
    let run: RunID
    var ledger: RunLedger
    private let journal: any Journal
    private let clock: any WallClock
    private let events: @Sendable (RunEvent) -> Void
    private let predicted: Bool
    private let limit: Int
    private let source: any RandomSource
    private var replay: Replay
    private var count: Int
    private var group = RecordGroup()
    /// What is told when the group is durable.
    private var untold: [RunEvent] = []
    /// The journal could not be written: nothing is recorded or told any more.
    private var failure: (any Error)?
    private var gates: RecordedGates
    /// Of the run, once a gate asked for it.
    private var header: RunHeader?
    /// What people said of gates is not written yet, so no gate knows of it: approvals, and other rules that they accepted.
    private var hasUnheardWords = false
    /// What was asked for and never begun when the run was put down last.
    let notBegun: Set<String>
    /// What the runbook gives to whoever comes after it.
    private(set) var results: Value = [:]
    private let lookUp: @Sendable (_ runbook: String, _ outcome: String?) throws -> Value

    init(
        run: RunID, journal: any Journal, history: [JournalRecord], clock: any WallClock, random: any RandomSource, ledger: RunLedger,
        predicted: Bool, limit: Int, previous: @escaping @Sendable (String, String?) throws -> Value,
        events: @escaping @Sendable (RunEvent) -> Void
    ) throws {
        lookUp = previous
        self.run = run
        self.journal = journal
        self.clock = clock
        source = random
        self.ledger = ledger
        self.predicted = predicted
        self.limit = limit
        self.events = events
        replay = Replay(records: history)
        count = history.count
        gates = try RecordedGates(history)
        notBegun = history.putDown.map { StopRequest.keys($0.entry.payload) } ?? []
    }

    var isReplaying: Bool { !replay.isOver }
    /// What changes is changed in an overlay alone.
    var isPlan: Bool { predicted }
    /// What history holds next.
    var pending: JournalRecord? { replay.pending }
    /// Of what is asked for again after a failure and has no outcome yet, by key.
    private var attempts: [String: Int] = [:]
    /// The first thing asked for after history was over.
    private(set) var firstNew: JournalEntry?

    func now() -> Instant { clock.now() }
    /// At least 0, less than 1.
    func random() -> Double { Double(source.next() >> 11) / Double(1 << 53) }

    /// When the action was first asked for, and whether history holds that. `attempt`: which time this is that it is asked for, from 1.
    func intent(_ entry: JournalEntry, attempt: Int = 1) throws -> (time: Instant, isRecorded: Bool) {
        if attempt > 1 { attempts[entry.key] = attempt }
        let replayed = try replay.match(entry)
        let time: Instant
        if let replayed { time = replayed.time } else { time = try append(entry) }
        tell(.actionStarted(event(entry)), at: time, replayed: replayed != nil)
        return (time, replayed != nil)
    }

    func outcome(_ outcome: ActionOutcome, of intent: JournalEntry) throws {
        let entry = JournalEntry(
            .outcome, key: intent.key, path: intent.path, verb: intent.verb, payload: predicted ? .null : try outcome.payload())
        let time = try append(entry)
        tellFinished(intent, outcome, at: time, replayed: false)
    }

    /// The next answer that history holds; nil when history is over, or holds a request of the script next.
    func recordedAnswer() throws -> RecordedAnswer? {
        guard let record = replay.nextAnswer() else { return nil }
        if record.entry.kind == .cancelled {
            return .cancelled(try StopRequest(payload: record.entry.payload), underWay: StopRequest.keys(record.entry.payload))
        }
        return .outcome(key: record.entry.key, try ActionOutcome(payload: record.entry.payload), time: record.time)
    }

    func results(_ entry: JournalEntry) throws {
        if try replay.match(entry) == nil { try append(entry) }
        results = .map((results.map ?? [:]).merging(entry.payload.map ?? [:]) { $1 })
    }

    func previous(_ runbook: String, _ outcome: String?) throws -> Value { try lookUp(runbook, outcome) }

    func input(_ entry: JournalEntry, _ answer: () throws -> Value) throws -> Value {
        if let record = try replay.match(entry) { return record.entry.payload }
        let value = try answer()
        try append(JournalEntry(.input, key: entry.key, path: entry.path, verb: entry.verb, payload: value))
        return value
    }

    func log(_ entry: JournalEntry) throws {
        let replayed = try replay.match(entry)
        let time: Instant
        if let replayed { time = replayed.time } else { time = try append(entry) }
        tell(.log(entry.payload.string ?? "", path: entry.path), at: time, replayed: replayed != nil)
    }

    func note(_ entry: JournalEntry) throws {
        let replayed = try replay.match(entry)
        let time: Instant
        if let replayed { time = replayed.time } else { time = try append(entry) }
        let undo = try entry.payload.decoded(as: RunReport.Undo.self)
        ledger.note(undo)
        tell(.undo(undo), at: time, replayed: replayed != nil)
    }

    /// What the journal says of a gate that is open: the rules are applied in one place. `rules`: dr.yaml's, where the record does not say whom its gates ask.
    func decide(_ pending: PendingAction, _ rules: ApprovalRules, now: Instant) throws -> (event: GateEvent, decision: Gate.Decision) {
        // A gate is judged by what is written: by the hash of its own record, and by what people said. Where all that stands there already nothing more is: what a branch
        // asked for beside it may be held back yet, because of its data's age, and whoever found it written had to ask whether it was begun. What is asked for in
        // the same breath as a new gate, or as somebody speaks, is written with it.
        if hasUnheardWords || !gates.knows(pending.intent.key) { try flush() }
        let header = try header ?? journal.header(of: run)
        self.header = header
        let gate = try gates.gate(at: pending.intent.key, header)
        return (gateEvent(pending.intent), gate.decide(gates.approvals, gates.rules(header, now: rules), now: now))
    }

    func gateEvent(_ entry: JournalEntry) -> GateEvent {
        GateEvent(
            name: entry.payload["name"].string ?? "", message: entry.payload["message"].string ?? "", path: entry.path,
            key: "\(run)/\(entry.key)", show: entry.payload["show"])
    }

    /// What a person said while the run was carried on.
    func approval(_ approval: Approval) throws {
        hasUnheardWords = true
        try append(JournalEntry(.approval, key: approval.statement.place, verb: "approve", payload: try Value(encoding: approval)))
    }

    /// A person wants what was done to be undone. The script has heard what came before.
    func cancelled(_ request: StopRequest, underWay: Set<String>, unfinished: Set<String>) throws {
        try append(JournalEntry(.cancelled, key: "", payload: request.payload(keys: underWay, unfinished: unfinished)))
    }

    /// The script hears what came before the record that history holds next.
    var isHeardBefore: Bool { replay.isHeardBefore }

    /// History holds this next, and something else happens now.
    func mismatch(_ record: JournalRecord, now: String) -> DRError { replay.mismatch(record, now: now) }

    /// The run is put down as it is. It has not ended.
    ///
    /// `notBegun`: the keys of what was asked for and never begun. `unfinished`: of what only looks, or waits for a time, and was under way.
    func stopped(_ request: StopRequest, notBegun: Set<String>, unfinished: Set<String>) throws -> RunReport {
        let report = ledger.report(run: run, error: request.error, isHeld: true)
        let words = (request.payload(keys: notBegun, unfinished: unfinished).map ?? [:]).merging(try report.payload()) { $1 }
        try append(JournalEntry(.stopped, key: "", payload: .map(words)))
        tell(.runFinished(report))
        try flush()
        return report
    }

    /// What the script asked for since history was over, and nobody has begun: it asks for it again. Were it recorded, it might have been begun.
    func forgetUnbegun() {
        group.removeAll()
        untold = []
    }

    /// The run stops for a person. It has not ended, so nothing is recorded.
    func wait(for question: DRError) throws -> RunReport {
        let ledger = ledger.report(run: run, error: question, isWaiting: true)
        let report = RunReport(
            run: run, outcome: .waiting, error: question, rto: nil, applications: ledger.applications, effects: ledger.effects)
        tell(.runFinished(report))
        try flush()
        return report
    }

    func resumed(who: String, confirmed: Bool, more: MoreTime, settled: Settlements, _ taking: TakeUp) throws {
        var words = try more.payload.merging(settled.payload) { $1 }.merging(taking.payload()) { $1 }
        words["who"] = .string(who)
        if taking.approvals != nil { hasUnheardWords = true }
        if confirmed { words["confirmed"] = true }
        try append(JournalEntry(.resumed, key: "", payload: .map(words)))
    }

    /// `abandoned`: who gave it up as it stands, and why; nil where it came to its end.
    func finished(_ report: RunReport, abandoned: Value? = nil) throws {
        let more = ["results": results].merging(abandoned.map { ["abandoned": $0] } ?? [:]) { $1 }
        let payload = Value.map(try report.payload().merging(more) { $1 })
        let time = try append(JournalEntry(.finished, key: "", payload: payload))
        tell(.runFinished(report), at: time, replayed: false)
        try flush()
    }

    /// Told at once, or as soon as all is durable that was appended before.
    func tell(_ kind: RunEvent.Kind, at time: Instant? = nil, replayed: Bool = false) {
        guard failure == nil else { return }
        let event = RunEvent(run: run, time: time ?? clock.now(), replayed: replayed, kind: kind)
        if group.isEmpty { events(event) } else { untold.append(event) }
    }

    func tellFinished(_ intent: JournalEntry, _ outcome: ActionOutcome, at time: Instant, replayed: Bool) {
        tell(
            .actionFinished(
                event(intent), result: outcome.value, error: outcome.error, duration: outcome.duration, effects: outcome.effects,
                predicted: predicted), at: time, replayed: replayed)
        attempts[intent.key] = nil
    }

    @discardableResult private func append(_ entry: JournalEntry) throws -> Instant {
        count += 1
        // The end of a run is always recorded.
        guard count <= limit || entry.kind == .finished else {
            throw DRError(.limitExceeded, "the run has more than \(limit) records", hint: "raise `limits: records` in dr.yaml")
        }
        if let failure { throw failure }
        if firstNew == nil { firstNew = entry }
        let time = clock.now()
        // Nobody resumes a plan.
        if predicted { return time }
        group.add(entry, at: time)
        if group.isFull { try flush() }
        return time
    }

    /// What was appended and is not durable yet.
    var unwritten: [TimedEntry] { group.entries }

    /// Makes durable what was appended, with one commit, and then tells what was to be told. When that fails nothing of it was recorded, nobody hears of it, and
    /// the record takes nothing more.
    func flush() throws {
        if let failure { throw failure }
        guard !group.isEmpty else { return }
        do {
            try gates.add(try journal.append(group.entries, to: run))
            hasUnheardWords = false
        } catch {
            failure = error
            untold = []
            throw error
        }
        if !predicted { for timed in group.entries where timed.entry.kind == .outcome { failpoint("run.outcome-recorded") } }
        group.removeAll()
        let told = untold
        untold = []
        for event in told { events(event) }
    }

    /// The run goes no further here, because of another error: what was appended before it is kept where the journal can be written.
    func keep() {
        guard failure == nil else { return }
        // The error that ended the run is the one to hear of; what could not be kept had no effect.
        try? flush()
    }

    private func event(_ entry: JournalEntry) -> ActionEvent {
        ActionEvent(
            action: entry.verb, path: entry.path, key: "\(run)/\(entry.key)", attempt: attempts[entry.key] ?? 1, input: entry.payload)
    }
}
