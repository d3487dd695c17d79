internal import DRSupport

/// Where runs are recorded. Records are durable when `append` returns, and each carries the hash of the one before.
///
/// Errors: `io`, `no-space`, `journal-damaged`, `locked` (another process writes), `not-found`.
public protocol Journal: Sendable {
    func begin(_ header: RunHeader) throws
    /// Adds entries in their order and with one commit: all of them are durable, or none was added. Indices count from 0 without gaps.
    @discardableResult func append(_ entries: [TimedEntry], to run: RunID) throws -> [JournalRecord]
    func header(of run: RunID) throws -> RunHeader
    /// In order. Verifies the chain; throws `journal-damaged` and names the first bad record.
    func records(of run: RunID) throws -> [JournalRecord]
    /// Those after one that was read before, verified from there on: it costs what is new.
    func records(of run: RunID, after known: JournalRecord) throws -> [JournalRecord]
    /// Oldest first.
    func runs() throws -> [RunSummary]
}

extension Journal {
    public func records(of run: RunID, after known: JournalRecord) throws -> [JournalRecord] {
        try records(of: run).filter { $0.index > known.index }
    }

    /// One entry with a commit of its own. Returns its index in the run.
    @discardableResult public func append(_ entry: JournalEntry, to run: RunID, at time: Instant) throws -> Int64 {
        let records = try append([TimedEntry(entry, at: time)], to: run)
        guard let record = records.first else { throw DRError(.internal, "the journal took an entry and names no record of it") }
        return record.index
    }
}

/// An entry and when it came about.
public struct TimedEntry: Sendable, Hashable {
    public let entry: JournalEntry
    public let time: Instant

    public init(_ entry: JournalEntry, at time: Instant) {
        self.entry = entry
        self.time = time
    }
}

/// What a run was started with.
public struct RunHeader: Hashable, Sendable, Codable {
    public let id: RunID
    /// The runbook's file as given on the command line.
    public let runbook: String
    /// SHA-256 of the runbook and of each module it required, by file.
    public var sources: [String: String]
    /// The runbook's own text and its modules', so that a resume runs what was started.
    public var texts: [String: String]
    public let parameters: Value
    public let configuration: String
    public let who: String
    public let seed: Int64
    public let started: Instant
    /// Nil = live.
    public var runningAs: RunningAs?
    /// SHA-256 of the plan it was started from, if it was.
    public var plan: String?
    /// How much older its data may be when it goes live than that plan says, if it says so.
    public var aging: DataAging?
    /// A person said yes to applications going live; nil = nobody was asked, or nobody did.
    public var confirmed: Bool?
    /// Who may approve in it: what dr.yaml said then. Nil: a version before did not record it.
    public var approvals: ApprovalRules?
    /// SHA-256 of what it may reach outside. Nil: a version before did not record it.
    public var allow: String?

    /// SHA-256 of all this: what people at a gate sign for.
    public var planDigest: String {
        get throws { Digest.hex(of: try Value(encoding: self).json()) }
    }

    public init(
        id: RunID, runbook: String, sources: [String: String], texts: [String: String], parameters: Value, configuration: String,
        who: String, seed: Int64, started: Instant, runningAs: RunningAs? = nil, plan: String? = nil, aging: DataAging? = nil,
        confirmed: Bool? = nil, approvals: ApprovalRules? = nil, allow: String? = nil
    ) {
        self.approvals = approvals
        self.allow = allow
        self.confirmed = confirmed
        self.plan = plan
        self.aging = aging
        self.runningAs = runningAs
        self.id = id
        self.runbook = runbook
        self.sources = sources
        self.texts = texts
        self.parameters = parameters
        self.configuration = configuration
        self.who = who
        self.seed = seed
        self.started = started
    }
}

/// One thing that happened in a run.
public struct JournalEntry: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// A verb is about to be handed to the engine.
        case intent
        /// What came of it.
        case outcome
        /// An answer the script got at once: the time, a random number.
        case input
        case log
        /// What became of an undo, or of a `finally`.
        case note
        /// A person wants what was done to be undone: the script is left where it is.
        case cancelled
        /// What a person said at a gate.
        case approval
        /// The run was put down as it is, and can be taken up again.
        case stopped
        /// The run goes on after an interruption. `confirmed`: a person said yes to applications going live.
        case resumed
        case finished
    }

    public let kind: Kind
    /// Run / branch indices / ordinal in the branch / attempt / phase, without the run; see docs/decisions/journal.md.
    public let key: String
    /// Steps and branches as people named them.
    public let path: [String]
    /// The verb, or the name of the input.
    public let verb: String
    public let payload: Value

    public init(_ kind: Kind, key: String, path: [String] = [], verb: String = "", payload: Value = .null) {
        self.kind = kind
        self.key = key
        self.path = path
        self.verb = verb
        self.payload = payload
    }
}

public struct JournalRecord: Hashable, Sendable, Codable {
    public let index: Int64
    public let time: Instant
    public let entry: JournalEntry
    /// SHA-256 over the record and the hash before it.
    public let hash: String

    public init(index: Int64, time: Instant, entry: JournalEntry, hash: String) {
        self.index = index
        self.time = time
        self.entry = entry
        self.hash = hash
    }
}

extension [JournalRecord] {
    /// What put the run down, where nobody has taken it up since. What people say at its gates does not.
    public var putDown: JournalRecord? { last { $0.entry.kind != .approval }.flatMap { $0.entry.kind == .stopped ? $0 : nil } }

    /// Keys of what was asked for and is not carried out: it had not begun when the run was put down, or its script was left and nobody waits for it. What is done at
    /// the end of a run is not left.
    public var dropped: Set<String> {
        let answered = Set(filter { $0.entry.kind == .outcome }.map(\.entry.key))
        var open: Set<String> = []
        var dropped: Set<String> = []
        for record in self {
            switch record.entry.kind {
            case .intent: if !answered.contains(record.entry.key) { open.insert(record.entry.key) }
            case .cancelled:
                // Older versions may not have said what they waited for.
                guard let kept = record.entry.keys else { continue }
                dropped.formUnion(open.filter { !kept.contains($0) && !record.entry.unfinished.contains($0) && !JournalEntry.isAtEnd($0) })
            default: continue
            }
        }
        return dropped.union(open.intersection(putDown?.entry.keys ?? []))
    }

    /// Keys of what only looks, or waits for a time, and was under way when the run was put down or its script was left: it changed nothing, and has no answer.
    public var unfinished: Set<String> {
        let answered = Set(filter { $0.entry.kind == .outcome }.map(\.entry.key))
        return Set(filter { [.stopped, .cancelled].contains($0.entry.kind) }.flatMap { $0.entry.unfinished }).subtracting(answered)
    }
}

extension JournalEntry {
    /// The branch in which is done what a run registered for its end: its places begin with it.
    public static let closingBranch = "1"

    static func isAtEnd(_ key: String) -> Bool { key.prefix { $0 != "/" && $0 != "." } == closingBranch }

    /// Of a run that was put down or left: which of its calls that speaks of.
    fileprivate var keys: Set<String>? { payload["keys"].list.map { Set($0.compactMap(\.string)) } }
    fileprivate var unfinished: [String] { payload["unfinished"].list?.compactMap(\.string) ?? [] }
}

public struct RunSummary: Hashable, Sendable, Codable {
    public let id: RunID
    public let runbook: String
    public let started: Instant
    /// Nil while it runs or after it was interrupted.
    public let outcome: RunOutcome?
    public let finished: Instant?
    /// It was put down by a person or a deadline: `outcome` is `stopped`, and it can be taken up again.
    public var isHeld = false

    public init(id: RunID, runbook: String, started: Instant, outcome: RunOutcome?, finished: Instant?, isHeld: Bool = false) {
        self.isHeld = isHeld
        self.id = id
        self.runbook = runbook
        self.started = started
        self.outcome = outcome
        self.finished = finished
    }

    public var resumable: Bool { outcome == nil || outcome == .waiting || isHeld }
}

public enum RunOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    case succeeded, failed, partial, waiting, stopped, refused
    case targetMissed = "target-missed"
}
