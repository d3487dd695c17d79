public import DRModel

/// A place where people must approve: the one way past it.
///
/// Pure: what stands in the journal in, the decision out. Nothing else in the product lets a run pass a gate.
struct Gate {
    enum Decision: Hashable {
        case passed(Value)
        /// `rejected` or `gate-timeout`.
        case refused(DRError)
        /// What is still missing.
        case open(String)
    }

    /// The verb that opens one.
    static let verb = "approve"

    let name: String
    let quorum: Int
    let groups: [String]
    let notAuthor: Bool
    let timeout: Duration
    /// What happens then: it is refused, or stays open.
    let refusesOnTimeout: Bool
    /// Who started the run: an account such as `alice@db-host`.
    let author: String
    let run: RunID
    /// Its key in the run.
    let place: String
    /// The hashes that a statement must carry: of the run's header, and of the gate's record.
    let plan: String
    let record: String
    let opened: Instant

    /// `approvals`: all of the run's, in the order of the journal, with the time of their records.
    func decide(_ approvals: [(approval: Approval, time: Instant)], _ rules: ApprovalRules, now: Instant) -> Decision {
        let end = opened + timeout
        // A gate that waits on hears people after its time, too.
        let heard = approvals.filter {
            isMeant($0.approval.statement) && isKnown($0.approval, rules) && ($0.time <= end || !refusesOnTimeout)
        }
        if let (no, _) = heard.first(where: { $0.approval.statement.decision == .reject }) {
            return .refused(
                DRError(
                    .rejected, "gate \(name) was rejected by \(no.identity)" + (no.statement.comment.map { ": \($0)" } ?? ""),
                    details: ["by": .string(no.statement.person)]))
        }
        let yes = heard.filter { $0.approval.statement.decision == .approve }
        if let (alone, time) = yes.first(where: { !($0.approval.statement.breakGlass ?? "").isEmpty }) {
            return .passed(answer([alone], at: time, breakGlass: alone.statement.breakGlass))
        }
        var counted: [Approval] = []
        for (approval, time) in yes where counts(approval, rules) {
            // Two names with one key, or two unverified names from one account, are one person.
            let isNew = !counted.contains { other in
                other.statement.person == approval.statement.person || (other.key != nil && other.key == approval.key)
                    || (other.key == nil && approval.key == nil && other.account == approval.account)
            }
            guard isNew else { continue }
            counted.append(approval)
            if counted.count >= quorum { return .passed(answer(counted, at: time, breakGlass: nil)) }
        }
        if refusesOnTimeout, now > end {
            return .refused(
                DRError(.gateTimeout, "gate \(name) was open for \(timeout.text), with \(counted.count) of \(quorum) approvals"))
        }
        return .open("\(quorum - counted.count) of \(quorum) approvals\(groups.isEmpty ? "" : " of \(groups.joined(separator: ", "))")")
    }

    // Signed for this gate of this run, as it was shown.
    private func isMeant(_ statement: GateStatement) -> Bool {
        statement.run == run && statement.gate == name && statement.place == place && statement.plan == plan && statement.record == record
    }

    private func isKnown(_ approval: Approval, _ rules: ApprovalRules) -> Bool {
        guard !rules.people.isEmpty else { return true }
        guard rules.person(approval.statement.person) != nil else { return false }
        return approval.key != nil || !rules.demandsSignatures
    }

    private func counts(_ approval: Approval, _ rules: ApprovalRules) -> Bool { refusal(of: approval, rules) == nil }

    // Why the quorum does not count an approval of somebody known; nil where it does.
    private func refusal(of approval: Approval, _ rules: ApprovalRules) -> String? {
        let person = approval.statement.person
        if notAuthor {
            // A run is started from an account. Whose it is says dr.yaml; where that names nobody, the account's own name is a person's.
            let people = rules.people.isEmpty ? [ApprovalRules.Person(name: person, key: nil)] : rules.people
            let authors = people.filter { $0.uses(author) }
            if authors.contains(where: { $0.name == person || ($0.key != nil && $0.key == rules.person(person)?.key) }) {
                return "\(author) started the run, and that is \(person)"
            }
            if approval.key == nil, approval.account == author { return "it comes unsigned from \(author), who started the run" }
        }
        guard groups.isEmpty || groups.contains(where: { rules.groups[$0]?.contains(person) == true }) else {
            return "\(person) is not in \(groups.joined(separator: ", "))"
        }
        return nil
    }

    /// Why an approval does not count towards the quorum, for the person who gave it; nil where it does, or is no approval of this gate.
    func objection(to approval: Approval, at time: Instant, _ rules: ApprovalRules) -> String? {
        guard isMeant(approval.statement), approval.statement.decision == .approve, (approval.statement.breakGlass ?? "").isEmpty else {
            return nil
        }
        guard isKnown(approval, rules) else { return "\(approval.statement.person) is not known, or did not sign" }
        guard !refusesOnTimeout || time <= opened + timeout else { return "the gate was open until \(opened + timeout)" }
        return refusal(of: approval, rules)
    }

    private func answer(_ approvals: [Approval], at time: Instant, breakGlass: String?) -> Value {
        [
            "by": .list(approvals.map { .string($0.statement.person) }),
            "identity": .list(approvals.map { .string($0.key ?? "unverified") }),
            "comment": approvals.compactMap(\.statement.comment).last.map(Value.string) ?? .null, "waited": .duration(time - opened),
            "break_glass": breakGlass.map(Value.string) ?? .null,
        ]
    }
}

extension Gate {
    /// The gate that a recorded call of `approve` opened. `asked`: the hash of the record by which it was asked anew since.
    init(_ intent: JournalRecord, header: RunHeader, asked: String? = nil) throws {
        let input = intent.entry.payload
        guard intent.entry.kind == .intent, intent.entry.verb == "approve", let name = input["name"].string,
            let quorum = input["quorum"].integer, case .duration(let timeout) = input["timeout"]
        else { throw DRError(.journalDamaged, "record \(intent.index) of run \(header.id) is no gate") }
        self.init(
            name: name, quorum: Int(quorum), groups: input["groups"].list?.compactMap(\.string) ?? [],
            notAuthor: input["not_author"].bool ?? true, timeout: timeout, refusesOnTimeout: input["on_timeout"].string != "wait",
            author: header.who, run: header.id, place: intent.entry.key, plan: try header.planDigest, record: asked ?? intent.hash,
            opened: intent.time)
    }

    static func approval(in record: JournalRecord) throws(DRError) -> Approval {
        do {
            return try record.entry.payload.decoded(as: Approval.self)
        } catch {
            throw DRError(
                .journalDamaged, "record \(record.index) holds no approval: \(error)", details: ["record": .integer(record.index)])
        }
    }
}

/// The gates of a run that are open, and what is missing at each.
public struct OpenGate: Sendable, Hashable {
    public let name: String
    public let message: String
    public let show: Value
    /// What a statement for it must carry.
    public let place: String
    public let plan: String
    public let record: String
    public let opened: Instant
    /// When it is refused; nil where it waits on.
    public let until: Instant?
    /// Nil: enough people approved; `resume` carries the run on.
    public let missing: String?
    /// Why it is closed all the same.
    public let refusal: DRError?
    /// The run has gone on from here: `missing` and `refusal` say how.
    public let isClosed: Bool
    public let approvals: [Approval]
    /// Why one of them does not count, in the same order; nil where it does.
    public let objections: [String?]

    /// All gates that were opened and not passed yet, from the journal alone. `rules`: dr.yaml's, for runs whose record does not hold whom they ask.
    public static func all(header: RunHeader, records: [JournalRecord], rules: ApprovalRules, now: Instant) throws -> [OpenGate] {
        try calls(of: Gate.verb, in: records).map { try OpenGate($0, header: header, records: records, rules: rules, now: now) }
    }

    /// Windows at which a run stands.
    public static func windows(_ records: [JournalRecord]) -> Int { calls(of: Window.spec.name, in: records).count }

    /// Those whose answer is waited for.
    private static func calls(of verb: String, in records: [JournalRecord]) -> [JournalRecord] {
        guard !records.contains(where: { $0.entry.kind == .finished }) else { return [] }
        let closed = Set(records.filter { $0.entry.kind == .outcome }.map(\.entry.key))
        // A script that was left does not come back to where it stood; what it registered for its end goes on.
        let left = records.last { $0.entry.kind == .cancelled }?.index ?? -1
        return records.filter {
            $0.entry.kind == .intent && $0.entry.verb == verb && !closed.contains($0.entry.key)
                && ($0.index > left || $0.entry.key.hasPrefix(RunSession.closingBranch))
        }
    }

    /// The gate at a place of a run, as it stands, also when it was passed or refused since; nil where there is none.
    public init?(at place: String, header: RunHeader, records: [JournalRecord], rules: ApprovalRules, now: Instant) throws {
        guard let intent = records.last(where: { $0.entry.kind == .intent && $0.entry.verb == Gate.verb && $0.entry.key == place }) else {
            return nil
        }
        try self.init(intent, header: header, records: records, rules: rules, now: now)
    }

    private init(_ intent: JournalRecord, header: RunHeader, records: [JournalRecord], rules: ApprovalRules, now: Instant) throws {
        var book = try RecordedGates(records)
        let (gate, said, rules) = (try book.gate(at: intent.entry.key, header), book.approvals, book.rules(header, now: rules))
        let end = try records.last { $0.entry.kind == .outcome && $0.entry.key == intent.entry.key }.map {
            try ActionOutcome(payload: $0.entry.payload)
        }
        isClosed = end != nil
        switch gate.decide(said, rules, now: now) {
        case _ where end != nil: (missing, refusal) = (nil, end?.error)
        case .passed: (missing, refusal) = (nil, nil)
        case .open(let what): (missing, refusal) = (what, nil)
        case .refused(let error): (missing, refusal) = (nil, error)
        }
        name = gate.name
        message = intent.entry.payload["message"].string ?? ""
        show = intent.entry.payload["show"]
        place = gate.place
        plan = gate.plan
        record = gate.record
        opened = gate.opened
        until = gate.refusesOnTimeout ? gate.opened + gate.timeout : nil
        let own = said.filter { $0.approval.statement.place == gate.place && $0.approval.statement.record == gate.record }
        approvals = own.map(\.approval)
        objections = own.map { gate.objection(to: $0.approval, at: $0.time, rules) }
    }
}

extension PendingAction {
    /// Until when an open gate keeps its run's locks: until it closes; for as long again where it waits on.
    func keepsLocks(from now: Instant) -> Instant {
        guard case .duration(let timeout) = intent.payload["timeout"] else { return now }
        return (intent.payload["on_timeout"].string == "wait" ? now : begun) + timeout
    }

    /// When a gate or a window that is waited for may be decided by time alone; nil where only people decide.
    func wake(after now: Instant) -> Instant? {
        switch action.parking {
        case .gate?:
            guard case .duration(let timeout) = intent.payload["timeout"], intent.payload["on_timeout"].string != "wait" else { return nil }
            // What is said at its last instant still counts.
            return begun + timeout + .nanoseconds(1)
        case .window(let window)?:
            if case .closed(let time) = window.state(at: now) { return time }
            return now
        case nil: return nil
        }
    }
}
