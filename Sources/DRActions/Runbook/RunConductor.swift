internal import DRModel
internal import DRSupport

/// What stands around a run while it is carried on.
struct RunSurroundings {
    let engine: any DREngine
    let outside: any Outside
    let approvals: ApprovalRules
    let inventory: Inventory
    let clock: any WallClock
    let runningAs: RunningAs
    let holder: LockHolder
    let predicted: Bool
    /// A person said yes to applications going live.
    let confirmed: Bool
    /// Of the run, from its start or the last time it was taken up.
    let limit: Duration
    /// From whoever took the run up.
    let more: MoreTime
    /// Of how it was taken up.
    let taking: TakeUp
    /// Who that is.
    let who: String
    /// Nil: nobody said.
    let tooOld: AgeLimit?
    let control: (any RunControl)?
    let mirror: (any RunMirror)?
    let executor: ThreadExecutor

    /// Why what is left of the run would make older data live than people allowed when they looked at its plan.
    ///
    /// `settled`: what is live already, or on its way. `unwritten`: what the journal does not hold yet.
    typealias AgeLimit = @Sendable (_ settled: Set<ApplicationName>, _ unwritten: [TimedEntry]) async throws -> String?
}

/// Script and world in turn: runs the branches until all wait, then gives them the next answer, from history first.
///
/// Used on the runner's executor only.
final class RunConductor {
    let session: RunSession
    let record: RunRecord
    let world: RunSurroundings
    private let settled: Settlements
    /// Another process carries it on, and this is a look ahead: what is under way there is not lost.
    private let isCarriedOn: Bool
    let points: PointSymbols
    let locks: RunLocks
    private let begun: Instant
    private var isLive: Bool
    /// What somebody asked for before it was taken up.
    private var asked: StopRequest?
    /// The run is being put down: what changes something is waited for, nothing new is begun.
    var stopping: StopRequest?
    var launched: Set<String> = []
    /// Launched, no observation, and not back yet.
    private var underWay: Set<String> = []
    /// Launched and not back yet.
    private var flying: Set<String> = []
    /// Flying, in a plan.
    private var asleep = PlannedSleeps()
    private var isWatched = false
    /// People or a time were waited for, and nothing was begun since.
    private var hasWaited = false
    private let arrivals = Arrivals()
    private let nextDeadline = Lock<Instant?>(nil)

    init(
        _ session: RunSession, _ record: RunRecord, _ world: RunSurroundings, settled: Settlements, request: StopRequest?,
        isCarriedOn: Bool, isLive: Bool
    ) {
        self.isCarriedOn = isCarriedOn
        self.session = session
        self.record = record
        self.world = world
        self.settled = settled
        self.isLive = isLive
        asked = request
        points = PointSymbols(isRecorded: !world.predicted)
        locks = RunLocks(engine: world.engine, record: record)
        begun = world.clock.now()
    }

    /// `isolation`: the runner. The body of a task group runs where it says, or else on the shared pool.
    func conduct(isolation: isolated any Actor) async throws -> RunReport {
        do {
            // Else whoever waits for an action would be woken on the shared pool: two changes of threads for each of them.
            return try await withTaskExecutorPreference(world.executor, isolation: isolation) {
                try await conductToEnd(isolation: isolation)
            }
        } catch {
            record.keep()
            throw error
        }
    }

    private func conductToEnd(isolation: isolated any Actor) async throws -> RunReport {
        if let parked = try await carryOn(isolation: isolation) {
            locks.anchor(world.mirror)
            return parked
        }
        let error = try session.failure()
        await lookForMoved()
        let report = record.ledger.report(run: record.run, error: error, owed: error == nil ? [] : session.owed)
        try record.flush()
        await locks.release(at: session.formerPlaces)
        try record.finished(report)
        locks.anchor(world.mirror)
        if !world.predicted { await locks.forget(world.mirror) }
        return report
    }

    /// Until the runbook and what it registered for its end have ended: nil; or until the run waits or was put down: its report.
    private func carryOn(isolation: isolated any Actor) async throws -> RunReport? {
        try await withThrowingTaskGroup(of: Void.self) { group in
            _ = isolation
            defer { group.cancelAll() }
            while true {
                if stopping == nil {
                    if try follow() { continue }
                    if !isLive, session.end == nil {
                        if let report = try becomeLive() { return report }
                        // What former processes held is this one's to keep, also where nothing asks for it again.
                        await locks.takeUp(world.holder, at: session.formerPlaces)
                        hasWaited = true
                        continue
                    }
                    try session.step()
                    if session.end != nil { return nil }
                }
                if let signal = arrivals.next() {
                    try take(signal)
                    continue
                }
                checkDeadlines()
                if let stopping {
                    if underWay.isEmpty { return try await putDown(stopping) }
                    watch(&group)
                } else {
                    let now = world.clock.now()
                    if try passParked(now) {
                        hasWaited = true
                        continue
                    }
                    // All who may pass have passed, and the script has heard it: what it goes on with is known.
                    if hasWaited, session.new.contains(where: canBegin) {
                        hasWaited = false
                        try await lookAtAge()
                        continue
                    }
                    if try mirrorFails() { continue }
                    try record.flush()
                    for pending in session.takeNew() where canBegin(pending) && launched.insert(pending.intent.key).inserted {
                        flying.insert(pending.intent.key)
                        tellPlannedGate(pending)
                        if pending.action.effect != .observes { underWay.insert(pending.intent.key) }
                        let order = launch(pending)
                        if world.predicted, asleep.take(order, pending) { continue }
                        group.addTask(executorPreference: world.executor) { [arrivals] in arrivals.add(.done(await order.perform())) }
                    }
                    if flying.isEmpty, let report = try await park(now) { return report }
                    if let next = asleep.next(ifAll: flying.count) {
                        arrivals.add(.done(await next.perform()))
                        continue
                    }
                    watch(&group)
                }
                try record.flush()
                repeat {
                    guard try await group.next() != nil else {
                        throw DRError(.internal, "every branch of the runbook waits and nothing is under way")
                    }
                } while arrivals.isEmpty
            }
        }
    }

    private func follow() throws -> Bool {
        try session.follow { pending, outcome, time in
            points.restore(outcome.points)
            record.tellFinished(pending.intent, outcome, at: time, replayed: true)
        }
    }

    /// History is over, and nobody listened to what came last: what is asked for first is decided. Returns the report of a run that goes no further.
    private func becomeLive() throws -> RunReport? {
        let lost = try LostAnswers(
            isCarriedOn ? [] : session.waiting.filter { $0.isRecorded && !record.notBegun.contains($0.intent.key) }, settled: settled,
            run: record.run, points: points, runningAs: world.runningAs, undoes: asked?.kind == .undo, isLeft: session.isLeft)
        // Who puts it down settles nothing: its lost calls are asked about when it is taken up.
        let isHeard = asked == nil || asked?.kind == .undo
        if let question = lost.question, isHeard {
            try session.accountUnheard()
            record.forgetUnbegun()
            return try record.wait(for: question)
        }
        // Nothing is left to ask: from here on it is this process's, and whoever had it before ends.
        try world.mirror?.claim(record.run)
        try record.resumed(who: world.who, confirmed: world.confirmed, more: world.more, settled: isHeard ? settled : [:], world.taking)
        isLive = true
        if let asked, asked.kind != .undo {
            stopping = asked
            return nil
        }
        for (pending, outcome) in lost.answers { try answer(pending, outcome) }
        // Whoever looks at what was done so far finds all of it.
        if let asked { try cancel(asked) } else { try session.hear() }
        try answerUnmade()
        return nil
    }

    private func take(_ signal: Signal) throws {
        switch signal {
        case .control(let request):
            isWatched = false
            guard let request else { return }
            if request.kind == .undo {
                // Putting it down can be thought better of; being undone cannot.
                stopping = nil
                try cancel(request)
            } else if stopping == nil {
                stopping = request
            }
        case .done(let completion):
            underWay.remove(completion.key)
            flying.remove(completion.key)
            if !world.predicted { failpoint("run.action-done") }
            guard let pending = session.waiting[completion.key] else { return }
            // It was not begun or went back by itself because the run is put down: it is asked for again.
            if stopping != nil, completion.outcome.error?.code == .stopped, completion.outcome.effects.isEmpty { return }
            let outcome = world.predicted ? record.ledger.expecting(pending.action, completion.outcome) : completion.outcome
            try answer(pending, outcome)
        }
    }

    func answer(_ pending: PendingAction, _ outcome: ActionOutcome) throws {
        try record.outcome(outcome, of: pending.intent)
        points.recorded(outcome.points)
        if !world.predicted { failpoint("run.outcome-taken") }
        try session.deliver(outcome, for: pending.intent.key, isPredicted: world.predicted)
    }

    // What was answered the script knows, and has registered what it owes for it. What it asks for then is dropped.
    private func cancel(_ request: StopRequest) throws {
        try session.hear()
        guard session.end == nil, session.canBeCancelled else {
            record.tell(.warning("\(request.error.message): it is being undone already"))
            return
        }
        let kept = Set(session.waiting.filter { $0.action.effect != .observes && (mayHaveBegun($0) || isUnmade($0)) }.map(\.intent.key))
        try record.cancelled(request, underWay: kept, unfinished: unfinished)
        session.cancel(request.error, underWay: kept)
        // What came back while the run was being put down is asked for again.
        launched.formIntersection(flying)
        session.lookAgain()
        try answerUnmade()
    }

    /// What a person said was not made is not made once its script is left; that word is its answer.
    private func answerUnmade() throws {
        guard session.isLeft else { return }
        let outcome = ActionOutcome(result: .failure(LostAnswers.unmade), effects: [], duration: .zero, points: points.unrecorded)
        for pending in session.waiting where isUnmade(pending) { try answer(pending, outcome) }
    }

    // MARK: The copy at the clusters

    /// Before something is changed at a cluster the records stand there, before something is called outside that must not be called twice at one that answers. What
    /// cannot be copied is not begun, unless it goes back. True: something was answered.
    private func mirrorFails() throws -> Bool {
        guard let mirror = world.mirror else { return false }
        let next = session.new.compactMap { pending -> (PendingAction, MirrorOccasion)? in
            guard !launched.contains(pending.intent.key), canBegin(pending) else { return nil }
            return pending.occasion(world.runningAs).map { (pending, $0) }
        }
        guard !next.isEmpty else { return false }
        try record.flush()
        var isAnswered = false
        for ((pending, _), error) in zip(next, try mirror.write(record.run, for: next.map { ($1, $0.place) })) {
            guard let error else { continue }
            if pending.waitsForCopy {
                try settle(pending, .failure(error))
                isAnswered = true
            } else {
                record.tell(.warning("the record could not be copied: \(error.message)"))
            }
        }
        return isAnswered
    }

    // MARK: Ends that are not the runbook's

    private func checkDeadlines() {
        let own = begun + world.limit + world.more.deadlines
        let others = session.deadlines.map { ($0.time(resumed: begun) + world.more.deadlines, $0) }
        let now = world.clock.now()
        let parked = world.predicted ? [] : session.waiting.compactMap { $0.wake(after: now) }
        nextDeadline.withLock { $0 = (others.map(\.0) + parked).reduce(own, min) }
        guard stopping == nil, isLive else { return }
        if let (_, deadline) = others.filter({ $0.0 <= now }).min(by: { $0.0 < $1.0 }) {
            stopping = StopRequest(
                .deadline, who: "a deadline",
                reason: "the deadline of \((deadline.limit + world.more.deadlines).text) of \(deadline.what) was reached")
        } else if own <= now, !session.isCancelled {
            stopping = StopRequest(
                .deadline, who: "a deadline", reason: "the run's deadline of \((world.limit + world.more.deadlines).text) was reached")
        }
    }

    private func watch(_ group: inout ThrowingTaskGroup<Void, any Error>) {
        guard let control = world.control, !isWatched else { return }
        isWatched = true
        let (run, next) = (record.run, nextDeadline)
        group.addTask(executorPreference: world.executor) { [arrivals] in
            arrivals.add(.control(await control.request(for: run) { next.withLock { $0 } }))
        }
    }

    private func putDown(_ request: StopRequest) async throws -> RunReport {
        let places = session.formerPlaces
        if request.kind == .hold {
            await locks.release(at: places)
        } else {
            // What stands at a gate is kept until that closes, whoever else was at work.
            await locks.keep(at: places, until: gateEnd(from: world.clock.now()))
        }
        try session.accountUnheard()
        return try record.stopped(
            request, notBegun: Set(session.waiting.filter { !mayHaveBegun($0) }.map(\.intent.key)), unfinished: unfinished)
    }

    /// What only looks, or waits for a time, and is under way: nobody waits for its end.
    private var unfinished: Set<String> {
        Set(session.waiting.filter { $0.action.effect == .observes && $0.action.parking == nil && mayHaveBegun($0) }.map(\.intent.key))
    }

    private func mayHaveBegun(_ pending: PendingAction) -> Bool {
        let key = pending.intent.key
        return launched.contains(key) || (pending.isRecorded && !record.notBegun.contains(key) && settled[key] != .notDone)
    }

    /// A person said that it was not made, and it was not made again.
    private func isUnmade(_ pending: PendingAction) -> Bool {
        settled[pending.intent.key] == .notDone && !launched.contains(pending.intent.key)
    }

    /// Where somebody else moved one of its applications they may have moved others: what this run believes of them is asked.
    private func lookForMoved() async {
        let names = world.predicted ? [] : record.ledger.doubtful
        guard !names.isEmpty else { return }
        do {
            for status in try await world.engine.status(of: names, without: [], call("end")) { record.ledger.found(status) }
        } catch {
            record.tell(.warning("nobody says where \(names.map(\.text).joined(separator: ", ")) are: \(DRError(any: error).message)"))
        }
    }

    // MARK: Actions

    private func call(_ key: String) -> EngineCall {
        EngineCall(key: OperationKey("\(record.run)/\(key)"), holder: world.holder, effects: EffectLog(), points: points)
    }

    private func launch(_ pending: PendingAction) -> ActionLaunch {
        let context = ActionContext(
            engine: world.engine, outside: world.outside, clock: world.clock, inventory: world.inventory, call: call(pending.intent.key),
            begun: pending.begun, runningAs: pending.isInDrill ? .drill : world.runningAs, hasChanged: record.ledger.hasChanged)
        return ActionLaunch(key: pending.intent.key, action: pending.action, place: pending.place, context: context)
    }
}
