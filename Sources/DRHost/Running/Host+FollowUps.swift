internal import DRJournal
public import DRModel
internal import DRReport
internal import DRSupport

/// A gate that somebody passed alone, or a run that somebody gave up. It is open until a person says what came of it.
public struct BrokenGlass: Sendable, Hashable {
    public let run: RunID
    /// As the report says it.
    public let text: String
    /// Only then it can be closed.
    public let hasEnded: Bool
}

/// What a person said when a run's broken glass, its being given up or its damaged record was looked into. It stands in the state folder of this host, beside the journal: a run that has ended takes no record. A
/// reminder, and no evidence: that the glass was broken stands in the record, for good.
public struct ClosedFollowUp: Sendable, Codable, Hashable {
    /// The account.
    public let who: String
    public let time: Instant
    public let comment: String
    /// Whose word it is, among the people of dr.yaml where it names any.
    public let person: String?
    /// The fingerprint of the key whose signature was verified. Nil: unverified.
    public let key: String?
    public let signature: String?

    /// `alice (key SHA256:...)`, `alice (unverified, from root@host)`.
    public var identity: String { "\(person ?? who) (\(key.map { "key \($0)" } ?? "unverified, from \(who)"))" }
}

/// What is signed by whoever closes a run's broken glass.
struct ClosingStatement {
    static let namespace = "drrunbook-closing"

    let run: RunID
    /// Of the run's last record: of another record it says nothing. Of a damaged one, what is wrong with it.
    let record: String
    let person: String
    let comment: String

    var text: String {
        func line(_ name: String, _ value: String) -> String { "\(name): \(Value.string(value).json())\n" }
        return "drrunbook-closing-1\n" + line("run", run.text) + line("record", record) + line("person", person) + line("comment", comment)
    }
}

extension Host {
    private func closedFile(_ run: RunID) -> String { "\(configuration.state)/closed/\(run)" }

    /// Gates of runs of this journal that were passed by breaking the glass, and runs that were given up, that nobody has closed, oldest first.
    public func openBrokenGlass() throws -> [BrokenGlass] {
        guard world.simulated == nil, TextFile.exists(configuration.journal) else { return [] }
        return try reading().runsWithFollowUps().flatMap { run -> [BrokenGlass] in
            do {
                if try closed(run) != nil { return [] }
                let (header, records) = try recorded(run)
                let hasEnded = records.contains { $0.entry.kind == .finished }
                return try RunEvidence(header: header, records: records).brokenGlass.map {
                    BrokenGlass(run: run, text: $0, hasEnded: hasEnded)
                }
            } catch let error as DRError where [.journalDamaged, .damaged].contains(error.code) {
                return [BrokenGlass(run: run, text: "the glass was broken at a gate, or it was given up; \(error.message)", hasEnded: true)]
            }
        }
    }

    /// Everything a person has to look into of a run, as its report says it.
    public func followUps(of run: RunID) throws -> [String] {
        let (header, records) = try recorded(run)
        var evidence = try RunEvidence(header: header, records: records)
        evidence.unsigned = try unsigned(run, records)
        return evidence.followUps
    }

    /// What was said of it, its signature verified again. Where dr.yaml has keys and the signature is not, or no more, one of that person's, it closes nothing: nil.
    public func closed(_ run: RunID) throws -> ClosedFollowUp? {
        guard let text = try TextFile.read(closedFile(run), shown: closedFile(run)) else { return nil }
        guard let closed = try? Value(json: text).decoded(as: ClosedFollowUp.self) else {
            throw DRError(.damaged, "\(closedFile(run)) cannot be read", hint: "remove it, and close what it closed again")
        }
        let rules = configuration.approvals
        guard rules.demandsSignatures else { return closed.as(nil) }
        guard let person = closed.person, let signature = closed.signature, let key = rules.person(person)?.key else { return nil }
        let statement = try closing(run, by: person, closed.comment)
        let tool = SSHSignature(folder: configuration.state, random: world.random)
        return try tool.verify(statement.text, signature: signature, key: key, namespace: ClosingStatement.namespace).map { closed.as($0) }
    }

    private func closing(_ run: RunID, by person: String, _ comment: String) throws -> ClosingStatement {
        var record: String
        do { record = try recorded(run).records.last?.hash ?? "" } catch let error as DRError where error.code == .journalDamaged {
            // Not its words, which another version may choose otherwise.
            record = "damaged from record \(error.details?["record"].integer.map(String.init) ?? "0")"
        }
        return ClosingStatement(run: run, record: record, person: person, comment: comment)
    }

    /// What is there to be looked into: broken glass, its being given up, or a record that is damaged.
    private func requireSomethingToClose(_ run: RunID) throws {
        do {
            let (header, records) = try recorded(run)
            guard try !RunEvidence(header: header, records: records).brokenGlass.isEmpty else {
                throw DRError(
                    .notFound, "run \(run): nobody broke the glass or gave it up, and its record is sound: there is nothing to close")
            }
            guard records.contains(where: { $0.entry.kind == .finished }) else {
                throw DRError(
                    .conflict, "run \(run) has not ended: the glass may be broken once more", hint: "close it when the run has ended")
            }
        } catch let error as DRError where error.code == .journalDamaged {}
    }

    /// What whoever closes it signs. Throws as `close`.
    public func closingText(_ run: RunID, comment: String, person: String? = nil) throws -> String {
        guard comment.contains(where: { !$0.isWhitespace }) else {
            throw DRError(.invalidInput, "--close: expected what came of it, got nothing")
        }
        try requireSomethingToClose(run)
        if let before = try closed(run) { throw DRError(.conflict, "run \(run) was closed by \(before.identity): \(before.comment)") }
        return try closing(run, by: try known(person ?? identity.person), comment).text
    }

    /// The broken glass of a run, its being given up or its damaged record was looked into. Signed where dr.yaml has keys of people. Throws `invalid-input` without a comment, `not-found` where there is none,
    /// `conflict` where it was closed before, `not-allowed` where the person is none of dr.yaml's or the signature is not theirs.
    public func close(_ run: RunID, comment: String, person: String? = nil, proof: GateAnswer.Proof = .none) throws -> ClosedFollowUp {
        let text = try closingText(run, comment: comment, person: person)
        let person = person ?? identity.person
        let signed = try proven(text, by: person, proof, namespace: ClosingStatement.namespace)
        let closed = ClosedFollowUp(
            who: identity.who, time: world.clock.now(), comment: comment, person: person, key: signed?.key, signature: signed?.signature)
        try StateFile.replace(closedFile(run), with: Value(encoding: closed).json() + "\n")
        return closed
    }
}

extension ClosedFollowUp {
    fileprivate func `as`(_ key: String?) -> ClosedFollowUp {
        ClosedFollowUp(who: who, time: time, comment: comment, person: person, key: key, signature: signature)
    }
}
