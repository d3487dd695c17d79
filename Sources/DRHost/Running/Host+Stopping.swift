public import DRActions
internal import DRJournal
public import DRModel

/// What became of a request to stop.
public enum StopAnswer: Sendable {
    /// The process that carries the run on was told; it ends after what it is doing.
    case asked(process: Int32)
    /// Nobody carried it on; it was done here.
    case done(RunReport)
}

extension Host {
    /// Puts a run down, or undoes it: by the process that carries it on, or here when there is none. Throws `not-found`, `conflict` when it has ended.
    ///
    /// `settled`: as in `resume`, for an undo.
    public func stop(
        _ run: RunID, _ kind: StopRequest.Kind, settled: Settlements = [:], word: TakeUpWord = TakeUpWord(),
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> StopAnswer {
        let request = StopRequest(kind, who: identity.who)
        let summary = try show(run).summary
        guard summary.outcome == nil || summary.resumable else { throw Self.ended(summary) }
        let control = fileControl
        if summary.isHeld, kind == .pause {
            throw DRError(
                .conflict, "run \(run) is put down already",
                hint: "`drrunbook resume \(run)` takes it up again, `drrunbook stop \(run) --undo` undoes it; nothing was changed")
        }
        for _ in 0..<20 {
            do {
                return .done(try await resume(run, mayActivate: false, settled: settled, word: word, request: request, events: events))
            } catch let error as DRError where error.code == .locked {
                let process = try holder(of: run, error, control)
                // It may end without having looked: then what it was asked for is done here.
                let wish = try control.leave(request, for: run)
                if try await control.isTaken(wish, patience: .seconds(1)) { return .asked(process: process) }
            }
        }
        throw DRError(
            .timeout, "run \(run): the process that carries it on does not look at what it is asked for",
            hint: "it is asked for still, and done when it looks; `drrunbook show \(run)` tells")
    }

    /// Asks the run that this process carries on to end after what it is doing.
    public func ask(_ kind: StopRequest.Kind, of run: RunID) throws {
        _ = try fileControl.leave(StopRequest(kind, who: identity.who), for: run)
    }

    /// The process that holds the journal, where it is the one that carries this run on; else the error.
    func holder(of run: RunID, _ error: DRError, _ control: FileControl) throws -> Int32 {
        guard let process = try control.lastProcess(of: run), error.details?["process"].integer == Int64(process) else { throw error }
        return process
    }

    /// What `stop` with `undo` would do now: its undos are among the report's `undos`; `waiting` where a lost answer must be settled first. Changes nothing.
    ///
    /// Throws `not-found` when a settled key is no lost call, as none is that a process has under way.
    public func planUndo(
        _ run: RunID, settled: Settlements = [:], word: TakeUpWord = TakeUpWord(),
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        let summary = try show(run).summary
        guard summary.outcome == nil || summary.resumable else { throw Self.ended(summary) }
        return try await planResume(
            run, settled: settled, word: word, request: StopRequest(.undo, who: identity.who), isCarriedOn: try isCarriedOn(run),
            events: events)
    }

    /// The process that carries the run on now; nil where none of this host does.
    public func carrier(of run: RunID) throws -> Int32? {
        guard world.simulated == nil, let writer = try SQLiteJournal.writer(of: configuration.journal),
            try writer == fileControl.lastProcess(of: run)
        else { return nil }
        return writer
    }

    func isCarriedOn(_ run: RunID) throws -> Bool { try carrier(of: run) != nil }

    private static func ended(_ summary: RunSummary) -> DRError {
        DRError(
            .conflict, "run \(summary.id) has ended: \(summary.outcome?.rawValue ?? "unknown")",
            hint: "`drrunbook show \(summary.id)` says how")
    }

    var fileControl: FileControl {
        let admission = admission
        return FileControl(state: configuration.state, process: identity.process, job: JobDeclaration.current, clock: world.clock) {
            [self] approval in
            try admission.isGenuine(approval, rules(of: approval.statement.run))
        }
    }
}
