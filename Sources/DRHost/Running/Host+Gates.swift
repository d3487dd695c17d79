public import DRActions
internal import DRJournal
public import DRModel
internal import DRSupport

/// What a person says at a gate, and how they are identified.
public struct GateAnswer: Sendable {
    public enum Proof: Sendable {
        /// Nothing: unverified, where dr.yaml has no keys.
        case none
        /// A private key's file; it signs here.
        case key(file: String)
        /// A signature that was made elsewhere, of the statement's text.
        case signature(file: String)
    }

    public var decision: Approval.Decision
    /// Nil: the account's own name.
    public var person: String?
    public var comment: String?
    /// Why this person passes it alone.
    public var breakGlass: String?
    public var proof: Proof

    public init(
        _ decision: Approval.Decision, person: String? = nil, comment: String? = nil, breakGlass: String? = nil, proof: Proof = .none
    ) {
        self.decision = decision
        self.person = person
        self.comment = comment
        self.breakGlass = breakGlass
        self.proof = proof
    }
}

extension Host {
    /// The gates at which a run stands, with what is missing.
    public func gates(of run: RunID) throws -> [OpenGate] {
        let history = try show(run)
        return try OpenGate.all(header: history.header, records: history.records, rules: configuration.approvals, now: world.clock.now())
    }

    /// The gate of this name that an answer is for: where several stand open, the first for which somebody is still missing. Nil where none is open.
    public func gate(_ name: String, of run: RunID) throws -> OpenGate? { Self.gate(name, among: try gates(of: run)) }

    private static func gate(_ name: String, among open: [OpenGate]) -> OpenGate? {
        open.first { $0.name == name && $0.missing != nil } ?? open.first { $0.name == name }
    }

    /// What a run waits for, as its record says: gates that are open, and how many windows.
    public func waits(of run: RunID) throws -> (gates: [OpenGate], windows: Int) {
        (try gates(of: run), OpenGate.windows(try show(run).records))
    }

    /// What is to be signed. Throws `unknown-name` where no such gate is open, `conflict` where the run has ended.
    public func statement(_ run: RunID, gate name: String, _ answer: GateAnswer) throws -> GateStatement {
        let history = try show(run)
        if let end = history.records.last(where: { $0.entry.kind == .finished }) {
            throw DRError(
                .conflict, "run \(run) has ended (\(end.entry.payload["outcome"].string ?? "unknown")): it stands at no gate any more",
                hint: "nothing was recorded; `drrunbook show \(run)` says how it ended")
        }
        let open = try gates(of: run)
        guard let gate = Self.gate(name, among: open) else {
            let names = open.map(\.name)
            throw DRError(
                .unknownName, "run \(run) does not stand at a gate \"\(name)\"\(Spelling.hint(for: name, in: names))",
                hint: names.isEmpty
                    ? "it stands at none: `drrunbook resume \(run)` carries it on" : "open: \(names.joined(separator: ", "))")
        }
        try requireAskedRules(history, gate: name, answer)
        if let reason = answer.breakGlass, reason.allSatisfy(\.isWhitespace) {
            throw DRError(
                .invalidInput, "--break-glass: expected the reason, found nothing",
                hint: "it stands in the record and in the report; nothing was recorded")
        }
        let person = try known(answer.person ?? identity.person)
        return GateStatement(
            run: run, gate: name, place: gate.place, decision: answer.decision, person: person, plan: gate.plan, record: gate.record,
            comment: answer.comment, breakGlass: answer.breakGlass)
    }

    /// Takes what a person says into the run's record; whether that is enough is decided by `Gate` alone, when the run is carried on. Returns the gate as it stands then,
    /// passed and closed where another process carries the run on.
    ///
    /// `seen`: the gate as it was shown to the person. Throws `conflict` where that is closed by now and another one has its name: they said nothing of that.
    public func answer(_ run: RunID, gate name: String, _ answer: GateAnswer, seen: OpenGate? = nil) async throws -> OpenGate {
        let statement = try statement(run, gate: name, answer)
        if let seen, seen.record != statement.record {
            throw DRError(
                .conflict, "gate \(name) of run \(run) was closed since it was shown, and another one of this name is open",
                hint: "nothing was recorded; `drrunbook show \(run)` shows it")
        }
        let approval = try identified(statement, answer.proof)
        try requireKnownThen(approval, show(run))
        try await take(approval, of: run)
        let history = try show(run)
        let gate = try OpenGate(
            at: statement.place, header: history.header, records: history.records, rules: configuration.approvals, now: world.clock.now())
        guard let gate, gate.approvals.contains(approval) else {
            throw DRError(
                .conflict, "gate \(name) of run \(run) was closed before this was heard",
                hint: "nothing was recorded; `drrunbook show \(run)` says how it was closed")
        }
        return gate
    }

    // Into the journal: here, or by the process that holds it because other branches of the run are under way.
    private func take(_ approval: Approval, of run: RunID) async throws {
        let control = fileControl
        for _ in 0..<20 {
            do {
                return try append(approval, to: run)
            } catch let error as DRError where error.code == .locked {
                _ = try holder(of: run, error, control)
                let left = try control.leave(approval, for: run, name: world.random.identifier())
                if try await control.isTaken(left, patience: .seconds(1)) { return }
                // It may end without having looked. What both take counts once.
                try control.takeBack(left)
            }
        }
        throw DRError(
            .timeout, "run \(run): the process that carries it on does not take what is said at its gates",
            hint: "nothing was recorded; say it again when it has ended or goes on")
    }

    private func append(_ approval: Approval, to run: RunID) throws {
        let entry = JournalEntry(.approval, key: approval.statement.place, verb: "approve", payload: try Value(encoding: approval))
        if let simulated = world.simulated {
            try simulated.journal.append(entry, to: run, at: world.clock.now())
            return
        }
        let journal = try SQLiteJournal.open(configuration.journal)
        do {
            // What is said here must be heard by whoever carries the run on.
            if let copy = try copyBeyond(journal, of: run) {
                throw DRError(
                    .fenced,
                    "run \(run) is carried on by \(copy.owner): \(copy.cluster) has \(copy.archive.count) records of it, more than are here",
                    hint: "say it there; or `drrunbook resume \(run)` takes the run over, then say it here")
            }
            try journal.append(entry, to: run, at: world.clock.now())
        } catch {
            try journal.close()
            throw error
        }
        try journal.close()
    }

    private func identified(_ statement: GateStatement, _ proof: GateAnswer.Proof) throws -> Approval {
        let signed = try proven(statement.text, by: statement.person, proof, namespace: GateStatement.namespace)
        return Approval(statement: statement, key: signed?.key, account: identity.who, signature: signed?.signature)
    }
}
