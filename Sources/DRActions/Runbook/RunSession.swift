internal import DRModel
internal import DRSupport
internal import LuaBridge

/// One execution of a runbook: its Lua state, its branches and its place in the journal.
///
/// It is used on the runner's thread only. `step` runs script code until every branch waits; `Conductor` brings the answers.
final class RunSession {
    let lua: Lua
    let registry: ActionRegistry
    let inventory: Inventory
    let record: RunRecord
    let outside: any Outside
    let approvals: ApprovalRules
    /// Branches of one `parallel`.
    let branchLimit: Int
    /// The runbook's file: the place of what has no better one (a tail call leaves no line behind).
    let file: String
    /// Runbooks that were declared while the files were loaded.
    private(set) var declared: [DeclaredRunbook] = []
    private(set) var main: DeclaredRunbook?
    private(set) var current: Branch?
    /// `run` is being executed: verbs may be called.
    private(set) var isRunning = false
    private(set) var end: BranchEnd?
    /// How the runbook itself ended, or that a person ended it. Then comes what it registered for its end: undos and `finally`.
    private(set) var ending: Ending?
    /// The prelude's function that does it.
    var closing: LuaFunction?
    /// The id of the branch in which that happens.
    static let closingBranch = JournalEntry.closingBranch
    /// That branch; whether it undoes; how it ended.
    private(set) var closer: Branch?
    private var isUndoing = false
    private var closed: BranchEnd?
    /// Undos that were registered and not yet carried out or forgotten, in order, and how many `finally`.
    var owed: [String] = []
    private var finals = 0
    /// Where a process that carried the run on before may have left locks.
    private(set) var formerPlaces: Set<ClusterName> = []
    /// Actions whose intent is recorded and whose outcome is not, by key, in the order they were asked for.
    private(set) var waiting = WaitingActions()
    private var ready = Queue<(branch: Branch, input: Resumption)>()
    /// What came and the script has not heard, in the order of the record.
    private var answers = Queue<(pending: PendingAction, outcome: ActionOutcome, isPredicted: Bool)>()
    /// The run's own runbook, and calls of others that registered something for the run's end, by their ids.
    var calls: [String: RunbookCall] = [:]
    var callCount = 0

    struct Ending {
        let end: BranchEnd
        /// A person's word instead of the runbook's own end.
        let cancellation: DRError?
        var hasFailed: Bool { if case .raised = end { true } else { cancellation != nil } }
    }

    private enum Resumption {
        case start([LuaValue])
        case answer([LuaValue])
        case failure(any Error)
    }

    init(
        lua: Lua, registry: ActionRegistry, inventory: Inventory, outside: any Outside, approvals: ApprovalRules, record: RunRecord,
        branchLimit: Int, file: String
    ) {
        self.approvals = approvals
        self.outside = outside
        self.branchLimit = branchLimit
        self.file = file
        self.lua = lua
        self.registry = registry
        self.inventory = inventory
        self.record = record
    }

    // MARK: Loading

    /// Called by `dr.runbook{...}`.
    func declare(_ table: LuaTable, at location: SourceLocation) throws {
        guard !isRunning else {
            throw DRError(
                .runbook, "a runbook is declared when its file is loaded", hint: "require it at the top of the file, before `run`",
                location: location, verb: "runbook")
        }
        guard !declared.contains(where: { $0.runbook.location?.file == location.file }) else {
            throw DRError(.runbook, "a file declares one runbook", location: location, verb: "runbook")
        }
        let runbook = try Runbook(declaration: try Value(lua: .table(table)), at: location)
        do { try runbook.ensures?.check(inventory) } catch let error as DRError {
            throw DRError(.runbook, "ensures: \(error.message)", hint: error.hint, location: location)
        }
        guard let function = try table.get("run").function else { throw DRError(.internal, "a runbook without run") }
        declared.append(DeclaredRunbook(table: table, runbook: runbook, function: function))
    }

    /// What the file that is run returned. Nil when it is no runbook.
    func choose(_ value: LuaValue?) -> Runbook? {
        main = declared.first { $0.table == value?.table }
        return main?.runbook
    }

    /// Begins `run(parameters)`.
    func start(_ parameters: Value) throws {
        guard let main else { throw DRError(.internal, "the runbook was not loaded") }
        isRunning = true
        let own = RunbookCall(id: "", of: main, parameters: parameters)
        calls = [own.id: own]
        let root = Branch(id: "0", coroutine: try lua.coroutine(main.function), path: [], calls: [own])
        ready.append((root, .start([try parameters.lua(in: lua)])))
    }

    // MARK: Requests

    func place(_ location: LuaLocation?) -> SourceLocation { SourceLocation(location) ?? SourceLocation(file: file, line: 0) }

    func fork(_ functions: [LuaFunction], limit: Int?, at location: SourceLocation) throws -> HostRequest {
        guard isRunning else { throw DRError(.runbook, "branches may be started only inside run", location: location) }
        let count = min(functions.count, limit ?? .max)
        guard count <= branchLimit else {
            throw DRError(
                .limitExceeded, "parallel: \(count) branches, \(branchLimit) are allowed",
                hint: "raise `limits: branches` in dr.yaml", location: location)
        }
        return .fork(functions, limit: limit)
    }

    /// Reads, checks and records a verb call of the running branch. `isAnswered`: the script looks at what comes of it. Throws what the script gets raised.
    func request(_ verb: String, _ arguments: LuaValue, isAnswered: Bool, at location: SourceLocation?) throws -> HostRequest {
        guard isRunning else { throw DRError(.runbook, "verbs may be called only inside run", location: location, verb: verb) }
        do {
            let input = try Value(lua: arguments, secrets: registry.takesSecrets(verb))
            let action = try registry.prepare(verb, input, in: ParameterSurroundings(inventory: inventory, approvals: approvals))
            if current?.undos ?? 0 > 0 {
                if ["stop", "start"].contains(verb) { throw Self.moving }
                try refuseLive(verb, action.input)
            }
            if case .unknown = action.recovery, let place = current?.repeating.last?.name {
                throw DRError(
                    .invalidInput, "inside \(place) it could be done twice", hint: "say idempotent = true if that does no harm")
            }
            return .action(action, at: location, isAnswered: isAnswered)
        } catch let error as DRError {
            throw error.inVerb(verb).at(location)
        }
    }

    // What this run made live is used by people: an undo does not change it, whatever its options say.
    private func refuseLive(_ verb: String, _ input: Value) throws {
        guard verb == "patch", let name = try input["application"].string.map({ try ApplicationName($0) }),
            let live = record.ledger.liveAt(name), live.text == input["cluster"].string
        else { return }
        throw DRError(
            .notAllowed, "\(name) was made live at \(live) by this run: an undo leaves it as it is",
            hint: "patch it in a run of its own, or back where it came from")
    }

    /// An answer that is given at once and must be the same when the run is replayed.
    func input(_ name: String, _ answer: () throws -> Value) throws -> Value {
        guard let branch = current else { throw DRError(.runbook, "\(name) may be called only inside run") }
        let entry = JournalEntry(.input, key: branch.nextPlace(), path: branch.path, verb: name)
        return try record.input(entry, answer)
    }

    /// Composite verbs that were begun and have not ended.
    private(set) var openFlows: [String] = []
    func beginFlow(_ name: String, at location: @autoclosure () -> SourceLocation) throws {
        if current?.undos ?? 0 > 0, ["activate", "failback", "failover", "quiesce"].contains(name) {
            throw Self.moving.inVerb(name).at(location())
        }
        openFlows.append(name)
    }
    private static let moving = DRError(
        .notAllowed, "an undo neither stops nor moves an application", hint: "what is live stays live; decide it in a run of its own")
    func endFlow(_ name: String) {
        if let index = openFlows.lastIndex(of: name) { openFlows.remove(at: index) }
    }

    func beginRepeat(_ name: String, attempt: Int) { current?.repeating.append((name, attempt)) }
    func beginDrill() { current?.drills += 1 }
    func endDrill() { current?.drills -= 1 }
    func endRepeat() { _ = current?.repeating.popLast() }

    // MARK: What is done at the end

    func beginUndo() { current?.undos += 1 }
    func endUndo() { current?.undos -= 1 }
    func addFinal() { finals += 1 }

    /// Those that nobody was given yet: they are to be begun.
    func takeNew() -> [PendingAction] { waiting.takeNew() }
    func lookAgain() { waiting.lookAgain() }
    /// The same, and they stay new.
    var new: [PendingAction] { waiting.new }

    private var hasDeadlines = false
    /// Those that stand around what is waited for.
    var deadlines: [Deadline] { hasDeadlines ? waiting.flatMap(\.branch.deadlines) : [] }

    func beginDeadline(_ limit: Duration, of what: String) throws {
        let answer = try input("deadline") { .instant(record.now()) }
        guard case .instant(let begun) = answer else {
            throw LuaStop(DRError(.replayMismatch, "the history holds no time for a deadline"))
        }
        hasDeadlines = true
        current?.deadlines.append(Deadline(what: what, begun: begun, limit: limit))
    }
    func endDeadline() { _ = current?.deadlines.popLast() }

    /// Leaves the script where it is: what may have been begun (`underWay`, by key) is waited for, all else dropped; then comes the undo ledger.
    func cancel(_ reason: DRError, underWay: Set<String>) {
        if let ending {
            // What is done at its end goes on, and the ledger comes after it.
            if canBeCancelled { self.ending = Ending(end: ending.end, cancellation: reason) }
            return
        }
        ending = Ending(end: .returned([]), cancellation: reason)
        ready.removeAll()
        waiting.removeAll { !underWay.contains($0.intent.key) }
        // Somebody has decided: what is still waited for has all the time it needs.
        for pending in waiting { pending.branch.deadlines = [] }
    }

    /// Where nothing is waited for: begins what is to be done next at the end of the run, or ends it. False: nothing was begun. Undos and `finally` run in a
    /// branch of their own; an error that ended the runbook is kept with its place.
    func close() throws -> Bool {
        guard end == nil, waiting.isEmpty, let ending else { return false }
        if let closed {
            // A person wanted it undone while this went on.
            if ending.cancellation != nil, !isUndoing { return try close([.boolean(true), .nil, .boolean(true)]) }
            // What goes wrong at the end does not hide what ended the runbook.
            if case .raised = closed, !ending.hasFailed { self.ending = Ending(end: closed, cancellation: nil) }
            end = self.ending?.end
            return false
        }
        guard closer == nil else { return false }
        let ensures = ending.hasFailed ? nil : main?.runbook.ensures
        if finals > 0 || ensures != nil || (ending.hasFailed && !owed.isEmpty) {
            return try close([.boolean(ending.hasFailed), try ensures?.value.lua(in: lua) ?? .nil])
        }
        end = ending.end
        return false
    }

    private func close(_ arguments: [LuaValue]) throws -> Bool {
        guard let closing else { throw DRError(.internal, "nothing is known of the end of runs") }
        // Its places go on where those of what was done at the end before it ended.
        let branch = Branch(
            id: Self.closingBranch, coroutine: try lua.coroutine(closing), path: [], calls: calls[""].map { [$0] } ?? [],
            requests: closer?.lastOrdinal ?? 0)
        (closer, isUndoing, closed) = (branch, ending?.hasFailed == true, nil)
        ready.append((branch, .start(arguments)))
        return true
    }

    func enter(_ name: String) { current?.path.append(name) }
    func leave() { _ = current?.path.popLast() }

    // MARK: Running

    /// Runs script code until every branch waits for an answer or the run has ended.
    func step() throws { repeat { try hear() } while try close() }

    /// The same, and leaves what is to be done at its end: the script hears what came, one answer after the other, each when nothing goes on from the one before. So
    /// it is the same whether answers came one by one or while nobody listened.
    func hear() throws {
        while end == nil {
            if let (branch, input) = ready.popFirst() {
                try advance(branch, input)
            } else if let (pending, outcome, isPredicted) = answers.popFirst() {
                pending.branch.isAnswerPredicted = isPredicted
                try account(pending, outcome)
                // A branch that was left does not go on.
                if ending != nil, closer == nil || closed != nil { continue }
                switch outcome.result {
                case .success(let value): ready.append((pending.branch, .answer(pending.isAnswered ? [try value.lua(in: lua)] : [])))
                case .failure(let error): ready.append((pending.branch, .failure(error.inVerb(pending.action.name).at(pending.location))))
                }
            } else {
                return
            }
        }
    }

    /// Keeps an action's answer for the branch that waits for it.
    @discardableResult func deliver(_ outcome: ActionOutcome, for key: String, isPredicted: Bool = false) throws -> PendingAction {
        guard let pending = waiting.remove(key) else {
            throw DRError(.replayMismatch, "the history holds an outcome for \(key), which the runbook did not ask for")
        }
        answers.append((pending, outcome, isPredicted))
        return pending
    }

    private func account(_ pending: PendingAction, _ outcome: ActionOutcome) throws {
        try record.ledger.record(
            branch: pending.branch.id, action: pending.action.name, input: pending.action.input, begun: pending.begun, outcome: outcome)
    }

    /// The run is put down: what the script has not heard was done all the same.
    func accountUnheard() throws {
        while let (pending, outcome, _) = answers.popFirst() { try account(pending, outcome) }
    }

    private func advance(_ branch: Branch, _ input: Resumption) throws {
        current = branch
        defer { current = nil }
        lua.resetBudget()
        do {
            let progress =
                switch input {
                case .start(let arguments): try branch.coroutine.resume(returning: arguments)
                case .answer(let values): try branch.coroutine.resume(returning: values)
                case .failure(let error): try branch.coroutine.resume(throwing: error)
                }
            switch progress {
            case .returned(let values): finish(branch, .returned(values))
            case .yielded:
                throw DRError(.runbook, "a runbook's function yielded outside a coroutine of its own")
            case .suspended(let request):
                guard let request = request as? HostRequest else { throw DRError(.internal, "an unknown request of the script's") }
                try accept(request, of: branch)
            }
        } catch let error as LuaError {
            finish(branch, .raised(error))
        }
    }

    private func accept(_ request: HostRequest, of branch: Branch) throws {
        switch request {
        case .action(let action, let location, let isAnswered):
            let key = branch.nextPlace() + branch.phase
            let entry = JournalEntry(.intent, key: key, path: branch.path, verb: action.name, payload: action.input)
            let (begun, isRecorded): (Instant, Bool)
            do { (begun, isRecorded) = try record.intent(entry, attempt: branch.attempt) } catch let error as DRError {
                throw error.at(location)
            }
            if isRecorded, action.effect == .changes { formerPlaces.formUnion(inventory.workplaces(of: action.input)) }
            waiting.append(
                PendingAction(
                    intent: entry, branch: branch, action: action, location: location, isAnswered: isAnswered, begun: begun,
                    isRecorded: isRecorded))
        case .fork(let functions, let limit):
            let place = branch.nextPlace().split(separator: "/").last.map(String.init) ?? "0"
            let fork = Fork(parent: branch, at: place, functions)
            for _ in 0..<min(functions.count, limit ?? .max) { try beginNext(of: fork) }
            if functions.isEmpty { ready.append((branch, .answer([.table(try lua.table())]))) }
        }
    }

    // Its coroutine is made now: of many thousand items as many exist as are under way.
    private func beginNext(of fork: Fork) throws(LuaError) {
        guard let (index, function) = fork.next() else { return }
        let parent = fork.parent
        let branch = Branch(
            id: "\(parent.id).\(fork.place)-\(index + 1)", coroutine: try lua.coroutine(function),
            path: parent.path + ["branch \(index + 1)"], calls: parent.calls, repeating: parent.repeating, drills: parent.drills,
            undos: parent.undos, deadlines: parent.deadlines, fork: fork, position: index)
        ready.append((branch, .start([])))
    }

    private func finish(_ branch: Branch, _ end: BranchEnd) {
        // A limit or a stop ends the whole run, whichever branch met it.
        if case .raised(let error) = end, error.isTermination {
            finishAll(end, undoes: error.kind != .stopped)
            return
        }
        guard let fork = branch.fork else {
            finishAll(end, undoes: true)
            return
        }
        fork.ended[branch.position] = end
        // Which one that is depends on what ended first, which is the order of the journal: it is the same in a replay, and its place says nothing of it.
        do { try beginNext(of: fork) } catch {
            // There is no memory for it: nobody of the run goes on.
            finishAll(.raised(error), undoes: true)
            return
        }
        guard fork.isComplete else { return }
        do {
            ready.append((fork.parent, .answer([.table(try fork.results(in: lua))])))
        } catch {
            ready.append((fork.parent, .failure(error)))
        }
    }

    private func finishAll(_ end: BranchEnd, undoes: Bool) {
        ready.removeAll()
        waiting.removeAll { $0.action.effect == .observes }
        if closer != nil { closed = end } else { ending = Ending(end: end, cancellation: nil) }
        guard !undoes else { return }
        ending = Ending(end: end, cancellation: nil)
        self.end = end
    }
}
