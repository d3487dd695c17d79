internal import DRJournal
public import DRModel
internal import DRReplication
internal import DRSupport

extension Host {
    /// Past runs, oldest first. Throws `journal-damaged`.
    public func runs() throws -> [RunSummary] { try history()?.runs() ?? [] }

    /// What is recorded of a run; its chain of hashes is verified. Throws `not-found`, `journal-damaged`.
    public func show(_ run: RunID) throws -> RunHistory {
        let (header, records) = try recorded(run)
        return RunHistory(header: header, records: records)
    }

    /// Where the applications are and how well protected; all of them when none is named. Clusters that do not answer are reported as unknown.
    public func status(of applications: [ApplicationName] = []) async throws -> [ApplicationStatus] {
        try await engine(over: world).status(of: try known(applications), without: [], observation("status"))
    }

    /// Recovery points of every pair and direction, newest first by application. Clusters that do not answer are left out and named; `answered` is false when
    /// none did.
    public func points(
        of applications: [ApplicationName] = []
    ) async throws -> (points: [PointReport], unreachable: [DRError], answered: Bool) {
        let engine = engine(over: world)
        let names = try known(applications)
        var points: [PointReport] = []
        var unreachable: [DRError] = []
        var answered = configuration.inventory.pairs.isEmpty
        for pair in configuration.inventory.pairs {
            for reversed in pair.bothWays ? [false, true] : [false] {
                do {
                    points += try await engine.recoveryPoints(of: names, pair: pair.name, reversed: reversed, observation("points"))
                    answered = true
                } catch let error as DRError where error.code == .clusterUnreachable {
                    if !unreachable.contains(error) { unreachable.append(error) }
                }
            }
        }
        var seen: Set<String> = []
        let sorted = points.filter { seen.insert("\($0.cluster)/\($0.id)").inserted }.sorted { a, b in
            (a.application.text, b.instant, b.id) < (b.application.text, a.instant, a.id)
        }
        return (sorted, unreachable, answered)
    }

    /// What is recorded so far, for reading; nil where nothing was ever run.
    ///
    /// `changingNothing`: for a plan.
    func history(changingNothing: Bool = false) throws -> (any Journal)? {
        if let simulated = world.simulated { return simulated.journal }
        guard TextFile.exists(configuration.journal) else { return nil }
        return changingNothing ? try looking() : try reading()
    }

    func reading() throws -> SQLiteJournal {
        guard TextFile.exists(configuration.journal) else {
            throw DRError(.notFound, "nothing has been run yet: there is no journal \(configuration.journal)")
        }
        return try SQLiteJournal.openForReading(configuration.journal)
    }

    /// The journal for a plan, which leaves no byte behind.
    func looking() throws -> SQLiteJournal { try SQLiteJournal.openUntouched(configuration.journal) ?? reading() }

    /// The surroundings of a question that belongs to no run.
    func observation(_ name: String) throws -> EngineCall {
        let run = try RunID("\(name)-\(world.random.identifier())")
        return EngineCall(
            key: OperationKey(run.text), holder: LockHolder(run: run, runbook: name, host: identity.host, process: identity.process))
    }

    /// Throws `unknown-name` with the nearest one.
    public func requireDeclared(_ application: ApplicationName) throws { _ = try known([application]) }

    private func known(_ names: [ApplicationName]) throws -> [ApplicationName] {
        let known = configuration.inventory.applications.map(\.name)
        for name in names where !known.contains(name) { throw DRError.unknown("application", name.text, among: known.map(\.text)) }
        return names.isEmpty ? known.sorted() : names
    }
}

/// All that a journal holds of one run.
public struct RunHistory: Sendable {
    public let header: RunHeader
    public let records: [JournalRecord]

    /// How its applications ended, once it has: from the record alone.
    public var applications: [RunReport.Item] {
        guard let last = records.last, last.entry.kind == .finished else { return [] }
        return (try? last.entry.payload["applications"].decoded(as: [RunReport.Item].self)) ?? []
    }

    public var summary: RunSummary {
        let last = records.last
        let outcome = last?.entry.kind == .finished ? last?.entry.payload["outcome"].string.flatMap(RunOutcome.init(rawValue:)) : nil
        let isHeld = records.putDown != nil
        return RunSummary(
            id: header.id, runbook: header.runbook, started: header.started, outcome: isHeld ? .stopped : outcome,
            finished: outcome == nil ? nil : last?.time, isHeld: isHeld)
    }
}

extension DRError {
    static func unknown(_ what: String, _ name: String, among known: [String]) -> DRError {
        DRError(
            .unknownName, "there is no \(what) \"\(name)\"\(Spelling.hint(for: name, in: known))",
            hint: known.isEmpty ? "dr.yaml declares no \(what)" : "declared: \(known.sorted().joined(separator: ", "))")
    }
}
