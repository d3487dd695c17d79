public import DRModel
package import DRSupport
package import LuaBridge

/// Executes runbooks: durable, replayable, one at a time, on a thread of its own.
///
/// The same runner serves a plan (over an overlay, with a journal in memory) and a run; what differs stands behind the ports it is given.
public actor RunbookRunner {
    private let engine: any DREngine
    private let outside: any Outside
    private let approvals: ApprovalRules
    private let admission: RecordAdmission
    private let runningAs: RunningAs
    private let inventory: Inventory
    private let clock: any WallClock
    private let random: any RandomSource
    private let journal: any Journal
    private let registry: ActionRegistry
    private let limits: RunLimits
    private let coverage: LuaCoverage?
    private let host: String
    private let process: Int32
    private let who: String
    /// A plan: figures are predictions.
    private let predicted: Bool
    private let confirmed: Bool
    private let expectations: PastDurations
    private let events: @Sendable (RunEvent) -> Void
    private let control: (any RunControl)?
    private let mirror: (any RunMirror)?
    private let touches: @Sendable () -> [PlanNotes.Touch]
    /// The newest run before of a runbook, with an outcome: a table, or null.
    private let previous: @Sendable (String, String?) throws -> Value
    /// What is left of a run that this process carries on, planned over its journal and what is not written there yet.
    private let rest: @Sendable (RunHeader, _ unwritten: [TimedEntry]) async throws -> RunReport
    private let executor: ThreadExecutor

    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// `confirmed`: a person said yes to applications going live; it stands in the record.
    /// `expectations`: what a plan says of time.
    /// `admission`: how a record that is carried on is looked at first; without one its signatures are believed.
    /// `coverage`: where the lines of the runbook and its modules that run are noted.
    /// `who`: takes runs up; who starts one stands in its order.
    /// `executor`: everything of the run happens there, so that with an engine on the same one a simulation is repeatable.
    package init(
        engine: any DREngine, outside: any Outside = NoOutside(), approvals: ApprovalRules = ApprovalRules(),
        admission: RecordAdmission? = nil, runningAs: RunningAs = .live, inventory: Inventory,
        clock: any WallClock, random: any RandomSource, journal: any Journal, registry: ActionRegistry = .standard,
        limits: RunLimits = RunLimits(), coverage: LuaCoverage? = nil, host: String, process: Int32, who: String, predicted: Bool = false,
        confirmed: Bool = false,
        expectations: PastDurations = PastDurations(),
        control: (any RunControl)? = nil, mirror: (any RunMirror)? = nil, touches: @escaping @Sendable () -> [PlanNotes.Touch] = { [] },
        previous: @escaping @Sendable (String, String?) throws -> Value = { _, _ in .null },
        rest: @escaping @Sendable (RunHeader, _ unwritten: [TimedEntry]) async throws -> RunReport = { _, _ in
            throw DRError(.internal, "nobody plans what is left of a run")
        }, executor: ThreadExecutor,
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) {
        self.engine = engine
        self.outside = outside
        self.approvals = approvals
        self.admission = admission ?? RecordAdmission(rules: approvals) { approval, _ in approval.key }
        self.runningAs = runningAs
        self.inventory = inventory
        self.clock = clock
        self.random = random
        self.journal = journal
        self.registry = registry
        self.limits = limits
        self.coverage = coverage
        self.host = host
        self.process = process
        self.who = who
        self.predicted = predicted
        self.confirmed = confirmed
        self.expectations = expectations
        self.control = control
        self.mirror = mirror
        self.touches = touches
        self.previous = previous
        self.rest = rest
        self.executor = executor
        self.events = events
    }

    /// Loads a runbook without running it. Throws `runbook` or `invalid-input` with file and line.
    public func inspect(_ sources: RunbookSources) throws -> Runbook {
        let record = try makeRecord(run: "inspection", history: [], started: clock.now())
        return try loader(sources, seed: 0).load(record).runbook
    }

    /// Starts a run and carries it to its end. Throws only what happened before its first record, and what keeps the journal from being written.
    public func run(_ order: RunOrder) async throws -> RunReport {
        let started = clock.now()
        let id = try RunID(Self.name(of: started, random.next()))
        let seed = Int64(truncatingIfNeeded: random.next() >> 1)
        let record = try makeRecord(run: id, history: [], started: started)
        let (session, runbook) = try loader(order.sources, seed: seed).load(record)
        let parameters = try runbook.values(from: order.parameters)
        let header = header(id, order, parameters, seed, started)
        try journal.begin(header)
        // Before anybody hears of it: what they ask then is not taken for a wish of before.
        try control?.begun(id)
        record.tell(.runStarted(runbook: runbook.name, summary: runbook.summary), at: started)
        if let problem = expectations.problem { record.tell(.warning(problem)) }
        try session.start(parameters)
        return try await conduct(session, record, header)
    }

    /// Carries on a run that was interrupted: its script runs again, answered by the journal until that ends.
    ///
    /// `settled`: by key, what a person found out about calls outside whose answer was lost. While one of them is unknown nothing is done: the report says
    /// `waiting` and which. Throws `not-found` when a settled key is none of those.
    ///
    /// `request`: it is taken up only to be put down, or undone. `more`: what it is given that it was not started with. `taking`: what the record has to say of how it was taken
    /// up.
    public func resume(
        _ run: RunID, settled: Settlements = [:], more: MoreTime = MoreTime(), request: StopRequest? = nil
    ) async throws -> RunReport {
        try await resume(try journal.header(of: run), try journal.records(of: run), settled: settled, more: more, request: request)
    }

    /// The same where the caller has read what the journal holds: a long record is read once. `isCarriedOn`: another process has the run, and this is a plan of what
    /// that would do.
    public func resume(
        _ header: RunHeader, _ history: [JournalRecord], settled: Settlements = [:], more: MoreTime = MoreTime(),
        taking: TakeUp = TakeUp(), request: StopRequest? = nil, isCarriedOn: Bool = false
    ) async throws -> RunReport {
        let run = header.id
        try requireOpen(header, history)
        guard more.aging == .zero || header.aging != nil else {
            throw DRError(
                .invalidInput, "run \(run) is from no plan that says how old its data may be: there is nothing to allow",
                hint: "`drrunbook plan RUNBOOK --out FILE --max-aging DURATION` makes one; nothing was done")
        }
        let record = try makeRecord(run: run, history: history, started: header.started)
        do { try admission.admit(header, history) } catch let error as DRError where request != nil {
            // A person can always end a run: nothing of it is passed by that.
            record.tell(.warning("\(error.message); it is put down all the same"))
        }
        let asked = try RecordedConfiguration(header, history).asked
        let (session, runbook) = try loader(RunbookSources(header: header), seed: header.seed, asked: asked).load(record)
        try control?.begun(run)
        record.tell(.runStarted(runbook: runbook.name, summary: runbook.summary), at: header.started, replayed: true)
        try session.start(header.parameters)
        let turn = history.count { $0.entry.kind == .resumed } + 1
        do {
            return try await conduct(
                session, record, header, turn: turn, settled: settled, more: more, taking: taking, request: request,
                isCarriedOn: isCarriedOn)
        } catch let error as DRError where error.code == .replayMismatch {
            var told = error
            let end =
                "nothing was done; if nothing fits any more, `drrunbook stop \(run) --abandon REASON` ends the run as it stands, with nothing undone"
            told.hint = error.hint.map { "\($0). \(end)" } ?? end
            throw told
        }
    }

    private func conduct(
        _ session: RunSession, _ record: RunRecord, _ header: RunHeader, turn: Int = 0, settled: Settlements = [:],
        more: MoreTime = MoreTime(), taking: TakeUp = TakeUp(), request: StopRequest? = nil, isCarriedOn: Bool = false
    ) async throws -> RunReport {
        let surroundings = RunSurroundings(
            engine: engine, outside: outside, approvals: approvals, inventory: inventory, clock: clock, runningAs: runningAs,
            holder: LockHolder(run: record.run, runbook: header.runbook, host: host, process: process, turn: turn), predicted: predicted,
            confirmed: confirmed, limit: limits.deadline, more: more, taking: taking, who: who, tooOld: tooOld(header, more),
            control: control,
            mirror: mirror,
            executor: executor)
        return try await RunConductor(
            session, record, surroundings, settled: settled, request: request, isCarriedOn: isCarriedOn, isLive: turn == 0
        ).conduct(
            isolation: self)
    }

    /// Ends a run as it stands: nothing of its script is run, and what it did is told from its record alone. Throws `conflict` where it has ended, `fenced` where another
    /// host has written on from an earlier record.
    ///
    /// `places`: where it may have left locks.
    public func abandon(
        _ header: RunHeader, _ history: [JournalRecord], reason: String, at places: Set<ClusterName>
    ) async throws -> RunReport {
        try requireOpen(header, history)
        let record = try makeRecord(run: header.id, history: [], started: header.started)
        do { try mirror?.claim(header.id) } catch let error as DRError where error.code != .fenced {
            // A cluster that cannot be written keeps nobody from ending what nobody can take up.
            record.tell(.warning("its end is not noted at every cluster: \(error.message)"), at: clock.now())
        }
        let locks = RunLocks(engine: engine, record: record)
        // What this program does not know may have changed something.
        let changes: (String) -> Bool = { [registry] verb in registry.action(named: verb)?.spec.effect != .observes }
        let report = try AbandonedRun(history, changes: changes, who: who, reason: reason).end(record)
        // Not before its end is written: until then it can still be taken up.
        await locks.release(at: places)
        locks.anchor(mirror)
        await locks.forget(mirror)
        return report
    }

    private func requireOpen(_ header: RunHeader, _ history: [JournalRecord]) throws {
        guard let end = history.last(where: { $0.entry.kind == .finished }) else { return }
        throw DRError(
            .conflict, "run \(header.id) has ended: \(end.entry.payload["outcome"].string ?? "unknown")",
            hint: "start a new run of \(header.runbook)")
    }

    // Nil where no plan says how old its data may be.
    private func tooOld(_ header: RunHeader, _ more: MoreTime) -> RunSurroundings.AgeLimit? {
        guard !predicted, let aging = header.aging else { return nil }
        let limit = DataAging(ages: aging.ages, most: max(aging.most, more.aging))
        return { [rest] settled, unwritten in limit.exceeded(in: try await rest(header, unwritten), except: settled) }
    }

    /// Runs a runbook against what was recorded of a run, and does nothing: its answers come from the records, to their end. Throws `replay-mismatch` with the first
    /// difference. Returns how many records fit.
    ///
    /// The runner's journal must be one in memory, and empty.
    public func replay(_ header: RunHeader, _ records: [JournalRecord], against sources: RunbookSources) throws -> Int {
        try journal.begin(header)
        let end = records.first { $0.entry.kind == .finished }
        if let end, let last = records.last, last.index != end.index {
            throw ReplayDifference.error(last, now: "the end, which is record \(end.index)")
        }
        let record = try makeRecord(run: header.id, history: records.filter { $0.entry.kind != .finished }, started: header.started)
        let asked = try RecordedConfiguration(header, records).asked
        let (session, _) = try loader(sources, seed: header.seed, asked: asked).load(record)
        try session.start(header.parameters)
        while try session.follow() {}
        try session.step()
        let failure = session.end == nil ? nil : try session.failure()
        if let left = record.pending { throw ReplayDifference.error(left, now: "the end of the runbook") }
        guard let end else { return records.count }
        if session.end == nil || record.firstNew != nil {
            throw ReplayDifference.error(end, now: record.firstNew.map(ReplayDifference.text) ?? "something that goes on")
        }
        let then = end.entry.payload["error"]["code"].string, now = failure?.code.rawValue
        guard then == now else { throw ReplayDifference.error(end, now: "an end with \(now ?? "no error")") }
        return records.count
    }

    // `asked`: rules by which its gates were asked. Could one be, it is not refused in a replay because somebody has left since.
    private func loader(_ sources: RunbookSources, seed: Int64, asked: [ApprovalRules] = []) -> RunbookLoader {
        var approvals = approvals
        for rules in asked { approvals.add(rules) }
        return RunbookLoader(
            sources: sources, registry: registry, inventory: inventory, outside: outside, approvals: approvals, limits: limits, seed: seed,
            coverage: coverage)
    }

    private func makeRecord(run: RunID, history: [JournalRecord], started: Instant) throws -> RunRecord {
        try RunRecord(
            run: run, journal: journal, history: history, clock: clock, random: random,
            ledger: RunLedger(
                inventory: inventory, started: started, predicted: predicted, isDrill: runningAs == .drill, expectations: expectations,
                touches: touches),
            predicted: predicted, limit: limits.records, previous: previous, events: events)
    }

    private func header(_ id: RunID, _ order: RunOrder, _ parameters: Value, _ seed: Int64, _ started: Instant) -> RunHeader {
        var texts = [order.sources.main.file: order.sources.main.text]
        for (name, module) in order.sources.modules { texts["\(name)=\(module.file)"] = module.text }
        return RunHeader(
            id: id, runbook: order.sources.main.file, sources: texts.mapValues { Digest.hex(of: $0) }, texts: texts, parameters: parameters,
            configuration: order.configuration, who: order.who, seed: seed, started: started,
            runningAs: runningAs == .live ? nil : runningAs, plan: order.plan, aging: order.aging, confirmed: confirmed ? true : nil,
            approvals: approvals, allow: order.allow)
    }

    // Sorts by time in a directory listing, and is short enough to type: 20260301-021500-3f2a.
    private static func name(of started: Instant, _ number: UInt64) -> String {
        let digits = started.description.filter(\.isNumber)
        let hex = String(number & 0xFFFF, radix: 16)
        return "\(digits.prefix(8))-\(digits.dropFirst(8).prefix(6))-" + String(repeating: "0", count: 4 - hex.count) + hex
    }
}

extension RunbookSources {
    /// The texts a run was started with.
    public init(header: RunHeader) throws {
        guard let text = header.texts[header.runbook] else {
            throw DRError(.journalDamaged, "the journal of run \(header.id) lacks the text of \(header.runbook)")
        }
        var modules: [String: Module] = [:]
        for (key, text) in header.texts {
            let parts = key.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { modules[parts[0]] = Module(file: parts[1], text: text) }
        }
        self.init(main: Module(file: header.runbook, text: text), modules: modules)
    }
}

extension DRError {
    /// Any error as one of ours; what we do not know is `internal`, with its words.
    init(any error: any Error) {
        switch error {
        case let error as DRError: self = error
        case let failure as IOFailure: self.init(failure.code == 28 ? .noSpace : .io, failure.description)
        case is CancellationError: self.init(.stopped, "stopped")
        default: self.init(.internal, "\(error)")
        }
    }
}
