public import DRModel

/// A run is to end before its runbook does.
public struct StopRequest: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// It is put down after what is under way, and keeps its locks.
        case pause
        /// The same without its locks.
        case hold
        /// What it registered with `undo` is done, then it ends.
        case undo
        /// As pause; no person, a deadline wanted it.
        case deadline
        /// As pause; what would go live is older than whoever looked at the plan allowed.
        case aged
    }

    public let kind: Kind
    public let who: String
    /// What was over time, or too old.
    public let reason: String?

    public init(_ kind: Kind, who: String, reason: String? = nil) {
        self.kind = kind
        self.who = who
        self.reason = reason
    }

    public var payload: Value { ["kind": .string(kind.rawValue), "who": .string(who), "reason": reason.map(Value.string) ?? .null] }

    /// `unfinished`: keys of what only looks, or waits for a time, and was under way.
    func payload(keys: Set<String>, unfinished: Set<String>) -> Value {
        func list(_ keys: Set<String>) -> Value { .list(keys.sorted().map(Value.string)) }
        let more = ["keys": list(keys)].merging(unfinished.isEmpty ? [:] : ["unfinished": list(unfinished)]) { $1 }
        return .map((payload.map ?? [:]).merging(more) { $1 })
    }

    /// Written by older versions: the script was left before it heard what had come since it was listened for last.
    static func isAtOnce(_ payload: Value) -> Bool { payload["at_once"].bool == true }

    static func keys(_ payload: Value) -> Set<String> { Set(payload["keys"].list?.compactMap(\.string) ?? []) }

    /// Throws `journal-damaged`.
    public init(payload: Value) throws {
        guard let kind = payload["kind"].string.flatMap(Kind.init(rawValue:)), let who = payload["who"].string else {
            throw DRError(.journalDamaged, "a request to stop cannot be read")
        }
        self.init(kind, who: who, reason: payload["reason"].string)
    }

    var error: DRError {
        switch kind {
        case .pause: DRError(.stopped, "paused by \(who)", hint: "everything is as it is, and the locks it has are kept until they run out")
        case .hold: DRError(.stopped, "stopped by \(who): everything is left as it is")
        case .undo: DRError(.stopped, "stopped by \(who), with what was done to be undone")
        case .aged:
            DRError(
                .stopped, "\(reason ?? "what would go live is too old"): everything is left as it is",
                hint: "taken up again it looks once more; `--max-aging` allows older data, `stop --undo` undoes what was done")
        case .deadline:
            DRError(
                .stopped, "\(reason ?? "a deadline was reached"): everything is left as it is",
                hint: "the locks it has are kept until they run out; taken up again, each deadline begins anew, with `--extend` longer")
        }
    }
}

/// How a run hears that it is to end: a file, a signal, a button.
public protocol RunControl: Sendable {
    /// The run begins or is taken up again.
    func begun(_ run: RunID) throws
    /// Returns when somebody wants the run to end; nil when `deadline` is over, when approvals wait, or when its task is cancelled.
    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest?
    /// What people said at gates and is not recorded yet, each identified. `request` returns nil when there is something.
    func approvals(for run: RunID) throws -> WaitingApprovals
    /// One of them stands in the record.
    func recorded(_ token: String, for run: RunID) throws
}

/// Approvals that were left for a process to take.
public struct WaitingApprovals: Sendable {
    public var taken: [(token: String, approval: Approval)] = []
    /// What was among them and is none, and where it was put.
    public var setAside: [DRError] = []

    public init() {}
}

extension RunControl {
    public func approvals(for run: RunID) throws -> WaitingApprovals { WaitingApprovals() }
    public func recorded(_ token: String, for run: RunID) throws {}
}

/// Where a run's records stand a second time: at the clusters it changes, for a host that takes it over.
///
/// Throws `fenced` when another host has taken the run over, or wrote on from another record than ours.
public protocol RunMirror: Sendable {
    /// This process carries the run on from here: whoever did before finds that at its next change. Nothing is written where there is no copy.
    func claim(_ run: RunID) throws
    /// Copies the records so far, once to each cluster however many occasions want it there. Returns, in the order of the occasions, why a copy that one needs could not
    /// be written (`cluster-unreachable`); nil where it was.
    func write(_ run: RunID, for occasions: [(MirrorOccasion, at: CallPlace?)]) throws -> [DRError?]
    /// Is every copy that anybody could take the run over from complete? No, where a cluster did not answer that may have one.
    func holdsEverywhere(_ run: RunID) throws -> Bool
}

extension RunMirror {
    public func holdsEverywhere(_ run: RunID) throws -> Bool { true }
}

/// Why the records so far are copied.
public enum MirrorOccasion: Sendable, Hashable {
    /// A call with this input changes a cluster: they must stand there.
    case change(Value)
    /// A call outside that must not be made twice: whoever takes the run over must find it at a cluster that answers.
    case outside
    /// The run ends or waits: wherever there are copies.
    case rest
}
