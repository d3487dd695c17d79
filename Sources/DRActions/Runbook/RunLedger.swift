internal import DRModel

/// What a run has done so far, told by its actions' outcomes: from it alone come the outcome, the targets and the list of applications.
struct RunLedger {
    private struct Item {
        var stopped = false
        var restarted = false
        var moved: ActivationReport?
        /// The point of no return was passed, whatever came after.
        var activatedAt: ClusterName?
        var failure: DRError?
        var from: ClusterName?
        var inDisaster = false
        /// Disaster: when the outage began, where a person knows.
        var downSince: Instant?
        /// Where this run is taking it.
        var heading: ClusterName?
        /// Why it could not be copied back to where it was.
        var unprotected: DRError?
        /// Where it is, as the engine said when it refused us.
        var elsewhere: (cluster: ClusterName, epoch: Epoch?)?
        /// Where it was stopped.
        var stoppedAt: ClusterName?
        /// It was seen to run elsewhere.
        var isRunningElsewhere = false
        /// In a plan: when it would be ready.
        var ready: PlanTimeline.Moment?

        /// It belongs where we were taking it, and our move was cut off after the point of no return.
        var isOnTheWay: Bool { !isRunningElsewhere && elsewhere.map { $0.cluster == heading } ?? false }
        /// It is down, as far as this run knows.
        var isDown: Bool { stopped && !restarted && moved == nil && activatedAt == nil }
    }

    let inventory: Inventory
    let started: Instant
    /// A plan: its clock moves only where the runbook waits, so how long things take is told by past runs.
    let predicted: Bool
    /// What goes live are clones.
    let isDrill: Bool
    private var timeline: PlanTimeline
    private var planBegin: PlanTimeline.Moment?
    /// Points that moves are measured between, with the plan's clock; the first is the beginning of the run.
    private var marks: [(moment: PlanTimeline.Moment, clock: Instant)]
    /// Of a plan: recovery points that do not exist yet, by id, as its effects call them.
    private var symbols: [PointID: String] = [:]
    private var planLook: PlanTimeline.Moment?
    private var items: [ApplicationName: Item] = [:]
    /// Where each stands among the others.
    private var places: [ApplicationName: Int] = [:]
    private var nextPlace = 0
    private var effectsByBranch = BranchEffects()
    private var firstDisruption: Instant?
    /// Where nothing was there to be stopped the move begins when it first asks where things are.
    private var firstLook: Instant?
    private var sent: [ApplicationName: ByteCount] = [:]
    private var undos: [RunReport.Undo] = []
    /// Of a plan.
    private var assumptions: [PlanNotes.Assumption] = []
    /// Where and at what it was looked.
    private var looks: Set<[String]> = []
    /// Of a plan.
    private var compensations = PlannedCompensations()
    /// Of a plan that is to do without clusters: what it wanted of them so far.
    private let touches: @Sendable () -> [PlanNotes.Touch]

    init(
        inventory: Inventory, started: Instant, predicted: Bool, isDrill: Bool = false, expectations: PastDurations = PastDurations(),
        touches: @escaping @Sendable () -> [PlanNotes.Touch] = { [] }
    ) {
        self.touches = touches
        marks = [(PlanTimeline.Moment(), started)]
        timeline = PlanTimeline(expectations)
        self.isDrill = isDrill
        self.inventory = inventory
        self.started = started
        self.predicted = predicted
    }

    /// What an action of ours answered in another form than it writes is an error: figures are not guessed.
    mutating func record(branch: String, action: String, input: Value, begun: Instant, outcome: ActionOutcome) throws {
        effectsByBranch.add(outcome.effects, of: branch)
        hasChanged = hasChanged || outcome.effects.contains { $0.verb != .call }
        if action == "migrate", let report = try Self.report(outcome, as: MigrationReport.self, of: action) {
            if predicted { noteSymbols(of: report, outcome.effects) }
            for (text, copied) in report.applications {
                let name = try ApplicationName(text)
                sent[name] = (sent[name] ?? .zero) + copied.bytes_sent
                items[name]?.unprotected = nil
            }
        }
        if action == "migrate", let error = outcome.error {
            for text in input["applications"].list ?? [] {
                guard let name = try text.string.map({ try ApplicationName($0) }), items[name]?.moved != nil else { continue }
                items[name]?.unprotected = error
            }
        }
        try noteFence(outcome.error)
        let planned = predicted ? timeline.add(action, input, branch: branch, failed: outcome.error != nil) : nil
        if action == "status", let name = try input["application"].string.map({ try ApplicationName($0) }), items[name]?.isDown == true,
            let status = try Self.report(outcome, as: ApplicationStatus.self, of: action), status.active_at != items[name]?.stoppedAt
        {
            // Whoever asked, an undo above all, now goes by it.
            found(status)
        }
        if action == "locate", planLook == nil { planLook = planned?.begin }
        if action == "locate", firstLook == nil { firstLook = begun }
        guard ["stop", "start", "restart"].contains(action), let name = try input["application"].string.map({ try ApplicationName($0) })
        else { return }
        if places[name] == nil { putLast(name) }
        var item = items[name] ?? Item()
        switch action {
        case "stop":
            if firstDisruption == nil { firstDisruption = begun }
            if let begin = planned?.begin, begin.elapsed < planBegin?.elapsed ?? .seconds(Int64.max) { planBegin = begin }
            item.stopped = item.stopped || !outcome.effects.isEmpty || outcome.error != nil
            item.stoppedAt = source(of: input)
        case "restart":
            item.restarted = outcome.error == nil
        default:
            let report = try Self.report(outcome, as: ActivationReport.self, of: action)
            item.heading = destination(of: input)
            // "It is there already", or a failure after it went live, does not undo what an earlier call did.
            if item.moved != nil, report?.changed != true {
                items[name] = item
                return
            }
            // A person reads what went live in the order in which it did.
            putLast(name)
            item.from = source(of: input)
            item.inDisaster = input["mode"].string == "disaster"
            if case .instant(let since) = input["down_since"] { item.downSince = since }
            item.moved = report
            item.ready = planned?.end
            item.activatedAt = outcome.effects.last { $0.verb == .activate }?.cluster ?? report?.active_at
            if predicted, let cluster = item.activatedAt {
                compensations.strike(application: name, liveAt: cluster, until: Self.standing(name, cluster))
            }
        }
        item.failure = outcome.error
        items[name] = item
    }

    private mutating func noteSymbols(of report: MigrationReport, _ effects: [Effect]) {
        for effect in effects where effect.verb == .publish {
            guard let copied = report.applications[effect.name] else { continue }
            symbols[copied.recovery_point] = effect.to
        }
    }

    // A refusal by epoch says where the application lives now: somebody else moved it.
    private mutating func noteFence(_ error: DRError?) throws {
        guard let error, error.code == .fenced,
            let name = try error.details?["application"].string.map({ try ApplicationName($0) }),
            let cluster = try error.details?["active"].string.map({ try ClusterName($0) })
        else { return }
        items[name, default: Item()].elsewhere = (cluster, error.details?["epoch"].integer.map { Epoch($0) })
        if places[name] == nil { putLast(name) }
    }

    /// What this run has stopped and believes to be down or on its way, where somebody else has moved an application of it meanwhile.
    var doubtful: [ApplicationName] {
        guard items.values.contains(where: { $0.elsewhere != nil }) else { return [] }
        return order.filter { items[$0]?.isDown == true }
    }

    /// Where one of them is, as clusters say.
    mutating func found(_ status: ApplicationStatus) {
        guard let cluster = status.active_at, var item = items[status.name] else { return }
        if cluster != item.stoppedAt {
            item.elsewhere = (cluster, status.epoch)
            item.isRunningElsewhere = status.running == true
        } else if status.running == true {
            item.restarted = true
        }
        items[status.name] = item
    }

    private mutating func putLast(_ name: ApplicationName) {
        places[name] = nextPlace
        nextPlace += 1
    }

    private var order: [ApplicationName] { places.sorted { $0.value < $1.value }.map(\.key) }

    private static func report<Report: Decodable>(_ outcome: ActionOutcome, as type: Report.Type, of action: String) throws -> Report? {
        guard let value = outcome.value else { return nil }
        do {
            return try value.decoded(as: type)
        } catch {
            throw DRError(.journalDamaged, "what \(action) answered cannot be read: \(error)")
        }
    }

    /// What became of an undo.
    mutating func note(_ undo: RunReport.Undo) { undos.append(undo) }

    /// Each place once for each thing: the first value counts. More than a person reads are not kept.
    mutating func assume(_ assumption: PlanNotes.Assumption) {
        guard looks.count < Self.mostLooks, looks.insert([assumption.location.description, assumption.what]).inserted else { return }
        assumptions.append(assumption)
    }
    private static let mostLooks = 10_000

    /// What is registered for a failure. Nobody but a plan tells it: 0 in a run.
    mutating func owe(_ entry: PlanNotes.Compensation) -> Int {
        guard predicted else { return 0 }
        let number = compensations.add(entry)
        if let name = entry.application, let live = liveAt(name), entry.cluster != live {
            compensations.strike(number, until: Self.standing(name, live))
        }
        return number
    }
    mutating func pay(_ number: Int, live: ApplicationName?) {
        guard predicted else { return }
        compensations.strike(number, until: live.map { Self.standing($0, liveAt($0)) })
    }
    mutating func forgive(_ number: Int, at location: SourceLocation) {
        if predicted { compensations.strike(number, until: "settle() at \(location)") }
    }

    private static func standing(_ name: ApplicationName, _ cluster: ClusterName?) -> String {
        "\(name) is live" + (cluster.map { " at \($0)" } ?? "")
    }

    // An entry that does not say where its application must be is not undone once this run has made it live.
    private var notes: PlanNotes {
        guard predicted else { return PlanNotes(assumptions: assumptions, touches: touches()) }
        let stays = isDrill ? [] : liveOrder.compactMap { name in liveAt(name).map { PlanNotes.Stay(application: name, cluster: $0) } }
        return PlanNotes(assumptions: assumptions, touches: touches(), compensations: compensations.inOrder, stays: stays)
    }

    /// Where this run made the application live; nil when it did not.
    func liveAt(_ name: ApplicationName) -> ClusterName? { items[name]?.activatedAt }

    /// What this run made live, in the order in which it did.
    var liveOrder: [ApplicationName] { order.filter { items[$0]?.activatedAt != nil } }

    /// Something of a cluster was changed.
    private(set) var hasChanged = false

    var effects: [Effect] { effectsByBranch.inOrder }

    /// `error` is what ended the runbook, if anything did; `owed` the undos that nobody came to. `isHeld`: it was put down; `isWaiting`: for people, or a time.
    func report(run: RunID, error: DRError?, owed: [String] = [], isHeld: Bool = false, isWaiting: Bool = false) -> RunReport {
        // Only this run goes on from where it stands: another one would be refused by its locks, or find things half done.
        let again = isHeld || isWaiting ? "`drrunbook resume \(run)`" : nil
        let list = order.map { item($0, ended: error, again) }
        let rtos = list.compactMap(\.rto)
        let isUnknown = predicted && list.contains { $0.state == .moved && $0.rto == nil }
        let left = owed.reversed().map { RunReport.Undo(name: $0, application: nil, state: .owed, reason: nil) }
        return RunReport(
            run: run, outcome: isHeld ? .stopped : outcome(error, list, left), error: error, rto: isUnknown ? nil : rtos.max(),
            applications: list,
            effects: effects, undos: undos + left, isHeld: isHeld, planned: predicted ? planned : nil,
            notes: notes)
    }

    /// With the time that past runs took, or none; how long the overlay took says nothing.
    func expecting(_ action: PreparedAction, _ outcome: ActionOutcome) -> ActionOutcome {
        outcome.taking(timeline.expectations.expected(action.name, action.input) ?? .zero)
    }

    /// A number for where the branch is now.
    mutating func mark(_ branch: String, at clock: Instant) -> Int {
        marks.append((timeline.now(branch), clock))
        return marks.count - 1
    }

    /// Which of two is later by what past runs took.
    func later(_ a: Int, _ b: Int) -> Int {
        guard marks.indices.contains(a), marks.indices.contains(b) else { return b }
        let (x, y) = (marks[a].moment, marks[b].moment)
        return (x.unknowns, x.elapsed) > (y.unknowns, y.elapsed) ? a : b
    }

    /// What past runs took between two numbers, and what had passed at the first since an instant. Not known: no past run has shown something on the way, which
    /// counts as nothing.
    func took(from begin: Int, to end: Int, since: Instant) -> (Duration, isKnown: Bool) {
        guard marks.indices.contains(begin), marks.indices.contains(end) else { return (.zero, false) }
        let (from, to) = (marks[begin], marks[end])
        return (to.moment.elapsed - from.moment.elapsed + (from.clock - since), from.moment.unknowns == to.moment.unknowns)
    }

    // Where the predicted time of an application begins: with the first disruption, in a disaster with the run.
    private func planBegin(of item: Item) -> PlanTimeline.Moment? { item.inDisaster ? marks.first?.moment : planBegin ?? planLook }

    // Until it is ready; nil when an action on the way was never seen.
    private func plannedTime(of item: Item) -> Duration? {
        guard let end = item.ready, let begin = planBegin(of: item), end.unknowns == begin.unknowns else { return nil }
        return end.elapsed - begin.elapsed + (item.inDisaster ? started - (item.downSince ?? started) : .zero)
    }

    // The way to the application that is ready last.
    private var planned: PlannedTime? {
        let moved = order.compactMap { name in items[name].flatMap { item in item.ready.map { (item, $0) } } }
        guard let (item, last) = moved.max(by: { $0.1.elapsed < $1.1.elapsed }), let begin = planBegin(of: item) else { return nil }
        let path = PlanTimeline.path(from: begin, to: last)
        return PlannedTime(
            criticalPath: path.compactMap { step in step.duration.map { PlannedTime.Step(action: step.title, duration: $0) } },
            unknown: path.filter { $0.duration == nil }.map(\.title), runs: timeline.expectations.runs)
    }

    private func outcome(_ error: DRError?, _ list: [RunReport.Item], _ left: [RunReport.Undo]) -> RunOutcome {
        guard let error else {
            return list.contains { missesTarget($0) } ? .targetMissed : .succeeded
        }
        let halfDone = items.values.contains {
            $0.activatedAt != nil || ($0.stopped && !$0.restarted && $0.elsewhere == nil) || $0.isOnTheWay
        }
        // Where nothing was changed, an undo that did not apply leaves nothing behind.
        let isLeft = undos.contains { $0.state != .undone && ($0.state != .skipped || !effects.isEmpty) }
        if halfDone || !left.isEmpty || isLeft { return .partial }
        if error.code == .stopped { return .stopped }
        return effects.isEmpty && error.code.isRefusal ? .refused : .failed
    }

    private func item(_ name: ApplicationName, ended error: DRError?, _ again: String?) -> RunReport.Item {
        let item = items[name] ?? Item()
        if let moved = item.moved {
            // In a disaster the disruption is not ours: what the run did before, waiting for people above all, is part of it.
            let begin = item.inDisaster ? item.downSince ?? started : firstDisruption ?? firstLook ?? started
            return RunReport.Item(
                name: name, active_at: moved.active_at, epoch: moved.epoch, state: .moved, rpo: moved.rpo,
                rto: predicted ? plannedTime(of: item) : moved.ready_at - begin,
                reason: nil,
                next: next(moved, item),
                from: item.from, bytes_sent: sent[name] ?? .zero, verified_at: predicted ? nil : moved.verified_at,
                recovery_point: moved.recovery_point.map { (predicted ? symbols[$0] : nil) ?? $0.text },
                split_brain_risk: moved.split_brain_risk, former: moved.former,
                targets: inventory.application(name).flatMap(RecoveryTargets.init),
                rto_at_least: item.inDisaster && item.downSince == nil)
        }
        if let elsewhere = item.elsewhere, item.isOnTheWay {
            return RunReport.Item(
                name: name, active_at: elsewhere.cluster, epoch: elsewhere.epoch, state: .failed, rpo: nil, rto: nil,
                reason: (item.failure ?? error)?.message,
                next: "it belongs to \(elsewhere.cluster) now but is not ready there: "
                    + "\(again.map { "\($0) brings" } ?? "run the runbook again, which brings") it to its end")
        }
        if let elsewhere = item.elsewhere {
            return RunReport.Item(
                name: name, active_at: elsewhere.cluster, epoch: elsewhere.epoch, state: .skipped, rpo: nil, rto: nil,
                reason: (item.failure ?? error)?.message,
                next: "it lives at \(elsewhere.cluster), moved by somebody else: do not start it anywhere else")
        }
        if let cluster = item.activatedAt {
            return RunReport.Item(
                name: name, active_at: cluster, epoch: nil, state: .failed, rpo: nil, rto: nil, reason: item.failure?.message,
                next: "it is live at \(cluster) but not ready: mend it there, it is not moved back by itself")
        }
        if item.stopped, !item.restarted {
            return RunReport.Item(
                name: name, active_at: nil, epoch: nil, state: item.failure == nil ? .notStarted : .failed, rpo: nil, rto: nil,
                reason: (item.failure ?? error)?.message,
                next: again.map { "it was stopped, and this run is not at its end: \($0) goes on with it" }
                    ?? "it was stopped and not started again: ask `drrunbook status` where it is, then run the runbook again")
        }
        return RunReport.Item(
            name: name, active_at: nil, epoch: nil, state: item.failure == nil ? .notStarted : .failed, rpo: nil, rto: nil,
            reason: (item.failure ?? error)?.message, next: item.restarted ? RunReport.Item.runsAgain : nil)
    }

    private func next(_ moved: ActivationReport, _ item: Item) -> String? {
        // Nothing moved, and nothing is to be done about the site that serves.
        if isDrill { return nil }
        let from = item.from.map(\.text) ?? "its former cluster"
        if let error = item.unprotected {
            return "it is not protected at \(moved.active_at): \(error.message); `drrunbook serve` tries again"
        }
        guard item.inDisaster, moved.changed else {
            return moved.split_brain_risk ? "make sure that \(from) is cut off: it was not seen fenced" : nil
        }
        let back =
            "when \(from) is back, `drrunbook serve` or dr.reprotect copies to it; what it wrote meanwhile is kept as a fork, see `drrunbook status`"
        return moved.split_brain_risk ? "make sure that \(from) is cut off: it was not seen fenced; \(back)" : back
    }

    private func destination(of input: Value) -> ClusterName? {
        guard let name = input["pair"].string, let pair = inventory.pairs.first(where: { $0.name.text == name }) else { return nil }
        return input["reversed"].bool == true ? pair.source : pair.destination
    }

    private func source(of input: Value) -> ClusterName? {
        guard let name = input["pair"].string, let pair = inventory.pairs.first(where: { $0.name.text == name }) else { return nil }
        return input["reversed"].bool == true ? pair.destination : pair.source
    }

    private func missesTarget(_ item: RunReport.Item) -> Bool {
        guard item.state == .moved, items[item.name]?.moved?.changed == true else { return false }
        return item.isRTOMet == false || item.isRPOMet == false
    }
}
