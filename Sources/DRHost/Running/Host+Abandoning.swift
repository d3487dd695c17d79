internal import DRActions
internal import DRJournal
public import DRModel
internal import DRReplication

/// What became of a run that was given up as it stood.
public struct Abandonment: Sendable {
    /// How its record ends; nil where that takes no end any more.
    public let report: RunReport?
    /// Why it takes none.
    public let problem: DRError?
    /// Locks that it had and has no more.
    public let freed: [(cluster: ClusterName, application: ApplicationName)]
    /// Clusters that do not answer: what it holds there stays until it runs out.
    public let silent: [ClusterName]
}

extension Host {
    /// Ends a run as it stands, also one that nobody can ever take up again: nothing of its script is run, nothing is undone, and its locks are let go. A sound record gets its
    /// end, with who gave it up and why, here and at every copy; for one that is damaged, or that nobody has any more, only the locks are let go.
    ///
    /// Throws `invalid-input` without a reason, `conflict` where it has ended, `locked` while a process carries it on, `fenced` where another host has written on from an earlier
    /// record, `not-found` where nobody knows anything of it.
    public func abandon(
        _ run: RunID, reason: String, word: TakeUpWord = TakeUpWord(), events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> Abandonment {
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw DRError(
                .invalidInput, "--abandon: expected why it is given up, got nothing", hint: "it stands in the record and in the report")
        }
        let before = try await locks()
        let held = before.found.filter { $0.lock.holder.run == run }
        if let (cluster, lock) = held.first(where: { $0.lock.isAtWork }) {
            throw DRError(
                .locked,
                "run \(run) is carried on by process \(lock.holder.process) on \(lock.holder.host), which holds \(lock.application) at \(cluster)",
                hint: "put it down there: `drrunbook stop \(run)`; nothing was changed")
        }
        let places = Set(configuration.inventory.clusters).subtracting(before.silent)
        var (report, problem): (RunReport?, DRError?)
        do {
            report = try await writing { journal in
                if let taken = try adopt(run, journal, word, ends: true) {
                    events(RunEvent(run: run, time: world.clock.now(), kind: .warning(taken)))
                }
                return try await runner(world, journal, predicted: false, mayActivate: false, events).abandon(
                    try journal.header(of: run), try journal.records(of: run), reason: reason, at: places)
            }
        } catch let error as DRError where error.code == .journalDamaged || (error.code == .notFound && !held.isEmpty) {
            problem = error
            try await engine(over: world).release(run: run, at: places)
        }
        let left = try await locks().found.filter { $0.lock.holder.run == run }
        let freed = held.filter { found in !left.contains { $0.cluster == found.cluster && $0.lock.application == found.lock.application } }
        return Abandonment(
            report: report, problem: problem, freed: freed.map { ($0.cluster, $0.lock.application) }, silent: before.silent)
    }

    /// The lock of a process of another host, or of another `state` folder, that carries the run on now.
    public func lockElsewhere(of run: RunID) async throws -> ApplicationLock? {
        guard try carrier(of: run) == nil else { return nil }
        return try await locks().found.first { $0.lock.holder.run == run && $0.lock.isAtWork }?.lock
    }
}

extension ApplicationLock {
    /// Its process lives, and is neither paused nor hangs.
    fileprivate var isAtWork: Bool { alive && counts }
}
