internal import DRActions
internal import DRJournal
internal import DRModel

// Whose turn it is to write the journal.
extension Host {
    /// How long somebody who goes first waits for what a job has under way.
    private static let yielding: Duration = .seconds(60)

    /// The journal, for writing. Throws `locked` and names the run that goes on, and the way to put it down.
    ///
    /// `goesFirst`: a job of `serve` is put down after what it is doing, as by `stop --hold`, and lets go of its locks.
    func opened(_ patience: Duration, goesFirst: Bool) async throws -> SQLiteJournal {
        var end = world.clock.now() + patience
        var asked: (run: RunID, wish: String)?
        while true {
            do {
                let journal = try SQLiteJournal.open(configuration.journal)
                if let asked { try fileControl.takeBack(asked.wish) }
                return journal
            } catch let error as DRError where error.code == .locked {
                let now = world.clock.now()
                if goesFirst, asked == nil, let job = try going(error), job.job != nil {
                    let request = StopRequest(.hold, who: identity.who, reason: "a run that takes applications live goes first")
                    asked = (job.run, try fileControl.leave(request, for: job.run))
                    end = now + Self.yielding
                }
                guard now < end else {
                    if let asked { try fileControl.takeBack(asked.wish) }
                    throw try told(error, isAsked: asked != nil)
                }
            }
            try await world.clock.sleep(for: .milliseconds(100))
        }
    }

    /// What the process that has the journal carries on.
    private func going(_ error: DRError) throws -> (run: RunID, process: Int32, job: String?)? {
        guard let last = try fileControl.last, error.details?["process"].integer == Int64(last.process) else { return nil }
        return last
    }

    private func told(_ error: DRError, isAsked: Bool) throws -> DRError {
        guard let last = try going(error) else { return error }
        let header = try reading().header(of: last.run)
        let job = last.job.map { ", the job \($0) of `drrunbook serve`," } ?? ""
        let hint =
            isAsked
            ? "it was asked to end and is still at what it had begun: `drrunbook show \(last.run)` says at what. Try again, or, if that cannot be waited for, "
                + "end process \(last.process); its run can be resumed"
            : "wait until it has ended, or `drrunbook pause \(last.run)` puts it down after what it is doing; then this can be run"
        return DRError(
            .locked, "run \(last.run) of \(header.runbook)\(job) goes on since \(header.started), in process \(last.process)", hint: hint,
            details: ["process": .integer(Int64(last.process)), "run": .string(last.run.text)])
    }
}
