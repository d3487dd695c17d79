internal import DRModel
internal import LuaBridge

/// One line of execution of a run: the runbook itself, or a function given to `parallel`.
///
/// It runs uninterrupted between host calls. Its id says where it was forked, not when: `0` is the runbook, `0.4-2` the second branch of the root's fourth
/// request.
final class Branch {
    let id: String
    let coroutine: LuaCoroutine
    /// The fork it belongs to, and its place there.
    let fork: Fork?
    let position: Int
    /// Steps, flows and items as people named them.
    var path: [String]
    /// The runbook that is run, and those called by it that are under way.
    var calls: [RunbookCall]
    /// What may call its function several times and is under way (`retry`, `wait_until`, an undo), and which time this is, as far as those before failed.
    var repeating: [(name: String, attempt: Int)]
    /// Hooks of a drill that are under way: what they call outside is called for a drill, though the run is live.
    var drills: Int
    /// Undos that are under way.
    var undos: Int
    /// What must have ended by when: deadlines of verbs and steps that are under way.
    var deadlines: [Deadline]
    /// Its last answer came from a plan's overlay, not from the journal or the world.
    var isAnswerPredicted = false
    private var requests: Int

    init(
        id: String, coroutine: LuaCoroutine, path: [String], calls: [RunbookCall], repeating: [(name: String, attempt: Int)] = [],
        drills: Int = 0,
        undos: Int = 0,
        deadlines: [Deadline] = [], fork: Fork? = nil, position: Int = 0, requests: Int = 0
    ) {
        self.requests = requests
        self.undos = undos
        self.deadlines = deadlines
        self.repeating = repeating
        self.drills = drills
        self.id = id
        self.coroutine = coroutine
        self.path = path
        self.calls = calls
        self.fork = fork
        self.position = position
    }

    /// branch / ordinal: the place of the next request in the run.
    func nextPlace() -> String {
        requests += 1
        return "\(id)/\(requests)"
    }

    var lastOrdinal: Int { requests }
    /// Of what stands nearest around it and is done again after failures.
    var attempt: Int { repeating.last?.attempt ?? 1 }
    /// The last parts of a request's key: attempt and phase.
    var phase: String { undos > 0 ? "/1/undo" : "/1/do" }
}

/// When something must have ended. A run that was put down and taken up again has the whole time again.
struct Deadline {
    let what: String
    let begun: Instant
    let limit: Duration

    func time(resumed: Instant) -> Instant { max(begun, resumed) + limit }
}

/// Branches that ran from one place and are waited for there.
final class Fork {
    let parent: Branch
    var ended: [BranchEnd?]
    /// Where it was asked for, in its parent.
    let place: String
    /// Those that begin when others have ended, in order.
    private var unbegun: Queue<LuaFunction>
    private var begun = 0

    init(parent: Branch, at place: String, _ functions: [LuaFunction]) {
        self.parent = parent
        self.place = place
        ended = Array(repeating: nil, count: functions.count)
        unbegun = Queue(functions)
    }

    /// The next one to begin; nil when all have.
    func next() -> (position: Int, function: LuaFunction)? {
        guard let function = unbegun.popFirst() else { return nil }
        defer { begun += 1 }
        return (begun, function)
    }

    var isComplete: Bool { ended.allSatisfy { $0 != nil } }

    // { { ok = true, value = ... }, { ok = false, error = ... } }
    func results(in lua: Lua) throws -> LuaTable {
        let list = try lua.table()
        for end in ended {
            let item = try lua.table()
            switch end {
            case .returned(let values)?:
                try item.set("ok", true)
                try item.set("value", values.first ?? .nil)
            case .raised(let error)?:
                try item.set("ok", false)
                try item.set("error", error.value ?? .text(error.description))
            case nil: break
            }
            try list.append(.table(item))
        }
        return list
    }
}

enum BranchEnd {
    case returned([LuaValue])
    case raised(LuaError)
}

/// What a host function wants of the run before it can answer.
enum HostRequest {
    /// `isAnswered`: the script looks at what comes of it.
    case action(PreparedAction, at: SourceLocation?, isAnswered: Bool)
    /// `limit`: how many of them go on at a time; nil for all.
    case fork([LuaFunction], limit: Int?)
}

/// An action whose intent is recorded and whose outcome is not. Handed on many times: hence one object.
final class PendingAction {
    let intent: JournalEntry
    let branch: Branch
    let action: PreparedAction
    let location: SourceLocation?
    /// The script looks at what comes of it.
    let isAnswered: Bool
    /// In a hook of a drill.
    let isInDrill: Bool
    let begun: Instant
    /// It was asked for before: it may have been begun.
    let isRecorded: Bool

    init(
        intent: JournalEntry, branch: Branch, action: PreparedAction, location: SourceLocation?, isAnswered: Bool, begun: Instant,
        isRecorded: Bool
    ) {
        self.intent = intent
        self.branch = branch
        self.action = action
        self.location = location
        self.isAnswered = isAnswered
        self.begun = begun
        self.isRecorded = isRecorded
        isInDrill = branch.drills > 0
    }

    var place: CallPlace? { location.map { CallPlace(verb: action.name, location: $0) } }
}
