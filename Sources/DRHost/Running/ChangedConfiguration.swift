internal import DRActions
internal import DRModel

/// What of dr.yaml a run goes by is another than its record holds.
struct ChangedConfiguration {
    /// Who may approve: nil where nothing changed.
    let approvals: (then: ApprovalRules, now: ApprovalRules)?
    /// What it may reach outside, as digests.
    let allow: (then: String, now: String)?
    private let file: String

    /// Nil where nothing did, as far as the record says.
    init?(_ header: RunHeader, _ records: [JournalRecord], _ configuration: Configuration) throws {
        let then = try RecordedConfiguration(header, records), now = configuration
        file = configuration.file
        approvals = try then.approvals.flatMap { try $0.digest == now.approvals.digest ? nil : ($0, now.approvals) }
        allow = then.allow.flatMap { $0 == now.allow.digest ? nil : ($0, now.allow.digest) }
        if approvals == nil, allow == nil { return nil }
    }

    /// `approvals (bob has another key; 1a2b3c4d5e6f then, 6f5e4d3c2b1a now)`.
    var text: String {
        get throws {
            func digests(_ then: String, _ now: String) -> String { "\(then.prefix(12)) then, \(now.prefix(12)) now" }
            var parts: [String] = []
            if let (then, now) = approvals {
                parts.append("approvals (\((now.changes(since: then) + [try digests(then.digest, now.digest)]).joined(separator: "; ")))")
            }
            if let (then, now) = allow { parts.append("allow (\(digests(then, now)))") }
            return parts.joined(separator: " and ")
        }
    }

    func refusal(of header: RunHeader) throws -> DRError {
        let ways = "`drrunbook stop \(header.id)` puts the run down, with `--undo` undone"
        return DRError(
            .conflict, "\(file) says something else than run \(header.id) goes by: \(try text)",
            hint: header.plan == nil
                ? "nothing was done. Put it back; or `drrunbook resume \(header.id) --accept-configuration` goes on by what it says now: that is recorded, and gates "
                    + "that are open are asked anew. \(ways)"
                : "nothing was done. The run is from a plan that people looked at, with what \(file) said then: put it back. \(ways)",
            details: ["run": .string(header.id.text)])
    }
}

extension Host {
    /// What has to stand in the record where the run goes on from here. `ends`: it is taken up only to be put down or undone, which needs nobody's word.
    ///
    /// Throws `conflict` where it would go on by something else than it was started with, and nobody accepted that.
    func takeUp(_ header: RunHeader, _ records: [JournalRecord], _ word: TakeUpWord, ends: Bool) throws -> TakeUp {
        var taking = TakeUp()
        // Runs that are simulated have one configuration.
        guard world.simulated == nil, !records.contains(where: { $0.entry.kind == .finished }) else { return taking }
        taking.configuration = configuration.digest
        // Also where the process that took the records ended before it could say so.
        let unsigned = try unsignedRecords.taking(of: header.id)
        if unsigned != UnsignedTaking.recorded(in: records) { taking.unsigned = unsigned }
        guard !ends, let change = try ChangedConfiguration(header, records, configuration) else { return taking }
        guard word.acceptsConfiguration, header.plan == nil else { throw try change.refusal(of: header) }
        taking.approvals = change.approvals?.now
        taking.allow = change.allow?.now
        return taking
    }

    /// A gate counts what is said under the rules by which it was asked. Throws `conflict` where dr.yaml has others: what people say by these would not count.
    ///
    /// A no and a broken glass are heard all the same.
    func requireAskedRules(_ history: RunHistory, gate: String, _ answer: GateAnswer) throws {
        guard answer.decision == .approve, answer.breakGlass == nil,
            let change = try ChangedConfiguration(history.header, history.records, configuration), let (then, now) = change.approvals
        else { return }
        let run = history.header.id
        throw DRError(
            .conflict,
            "gate \(gate) of run \(run) was asked under other approvals than \(configuration.file) has now "
                + "(\(now.changes(since: then).joined(separator: "; "))): \(try then.digest.prefix(12)) then, \(try now.digest.prefix(12)) now",
            hint: "nothing was recorded. Put them back"
                + (history.header.plan == nil
                    ? "; or `drrunbook resume \(run) --accept-configuration` asks the gate anew, by those of now" : "")
                + "; `--break-glass REASON` passes it alone, by somebody whom both know")
    }

    /// What is said while dr.yaml has other rules than the gate was asked under must be by somebody whom both know. Throws `not-allowed`.
    func requireKnownThen(_ approval: Approval, _ history: RunHistory) throws {
        guard let change = try ChangedConfiguration(history.header, history.records, configuration), let (then, _) = change.approvals else {
            return
        }
        let isKnown =
            then.people.isEmpty || (then.person(approval.statement.person) != nil && (approval.key != nil || !then.demandsSignatures))
        guard try isKnown && admission.isGenuine(approval, then) else {
            throw DRError(
                .notAllowed,
                "\(approval.identity) is not who the approvals name under which gate \(approval.statement.gate) of run \(history.header.id) was asked",
                hint: "\(configuration.file) was changed since; it needs somebody with the same key in both. Nothing was recorded")
        }
    }

    /// Who may approve in a run, as its record says.
    func rules(of run: RunID) throws -> ApprovalRules {
        let (header, records) = try recorded(run)
        return try RecordedConfiguration(header, records).approvals ?? configuration.approvals
    }
}
