internal import DRJournal
public import DRModel
internal import DRReport
internal import DRSupport

/// A gate that somebody passed alone. It is open until a person says what came of it.
public struct BrokenGlass: Sendable, Hashable {
    public let run: RunID
    /// As the report says it.
    public let text: String
    /// Only then it can be closed.
    public let hasEnded: Bool
}

/// What a person said when a run's broken glass was looked into. It stands in the state folder of this host, beside the journal: a run that has ended takes no record. A
/// reminder, and no evidence: that the glass was broken stands in the record, for good.
public struct ClosedFollowUp: Sendable, Codable, Hashable {
    public let who: String
    public let time: Instant
    public let comment: String
}

extension Host {
    private func closedFile(_ run: RunID) -> String { "\(configuration.state)/closed/\(run)" }

    /// Gates of runs of this journal that were passed by breaking the glass and that nobody has closed, oldest first.
    public func openBrokenGlass() throws -> [BrokenGlass] {
        guard world.simulated == nil, TextFile.exists(configuration.journal) else { return [] }
        return try reading().runsWithBrokenGlass().flatMap { run -> [BrokenGlass] in
            do {
                if try closed(run) != nil { return [] }
                let (header, records) = try recorded(run)
                let hasEnded = records.contains { $0.entry.kind == .finished }
                return try RunEvidence(header: header, records: records).brokenGlass.map {
                    BrokenGlass(run: run, text: $0, hasEnded: hasEnded)
                }
            } catch let error as DRError where [.journalDamaged, .damaged].contains(error.code) {
                return [BrokenGlass(run: run, text: "the glass was broken at a gate; \(error.message)", hasEnded: false)]
            }
        }
    }

    /// Everything a person has to look into of a run, as its report says it.
    public func followUps(of run: RunID) throws -> [String] {
        let (header, records) = try recorded(run)
        return try RunEvidence(header: header, records: records).followUps
    }

    public func closed(_ run: RunID) throws -> ClosedFollowUp? {
        guard let text = try TextFile.read(closedFile(run), shown: closedFile(run)) else { return nil }
        guard let closed = try? Value(json: text).decoded(as: ClosedFollowUp.self) else {
            throw DRError(.damaged, "\(closedFile(run)) cannot be read", hint: "remove it, and close what it closed again")
        }
        return closed
    }

    /// The broken glass of a run was looked into. Throws `invalid-input` without a comment, `not-found` where there is none, `conflict` where it was closed before.
    public func close(_ run: RunID, comment: String) throws -> ClosedFollowUp {
        guard comment.contains(where: { !$0.isWhitespace }) else {
            throw DRError(.invalidInput, "--close: expected what came of it, got nothing")
        }
        let (header, records) = try recorded(run)
        guard try !RunEvidence(header: header, records: records).brokenGlass.isEmpty else {
            throw DRError(.notFound, "in run \(run) nobody broke the glass: there is nothing to close")
        }
        guard records.contains(where: { $0.entry.kind == .finished }) else {
            throw DRError(
                .conflict, "run \(run) has not ended: the glass may be broken once more", hint: "close it when the run has ended")
        }
        if let before = try closed(run) { throw DRError(.conflict, "run \(run) was closed by \(before.who): \(before.comment)") }
        let closed = ClosedFollowUp(who: identity.who, time: world.clock.now(), comment: comment)
        try StateFile.replace(closedFile(run), with: Value(encoding: closed).json() + "\n")
        return closed
    }
}
