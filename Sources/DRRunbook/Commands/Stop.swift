import ArgumentParser
import DRActions
import DRHost
import DRModel

struct Pause: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Puts a run down after what it is doing; the locks it has stay until they run out.",
        discussion: """
            `drrunbook resume` takes it up again.

            EXAMPLE
              drrunbook pause 20260301-021500-3f2a
            """)

    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @OptionGroup var takeUp: TakeUpOptions
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in try await Stop.perform(run, .pause, [:], takeUp.word, host, output, config: common.config) }
    }
}

struct Stop: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Puts a run down as it is, or undoes what it did.",
        discussion: """
            With --hold, the default, everything is left as it is and locks are let go; `drrunbook resume` takes it up again. With --undo the ledger of \
            undos is shown, a terminal asks (elsewhere --yes is needed), and it is carried out in reverse order. What is live at the destination stays live. \
            --abandon is for a run that nobody can resume or undo any more: it ends as it stands, for good, and its locks are let go.

            EXAMPLE
              drrunbook stop 20260301-021500-3f2a
              drrunbook stop 20260301-021500-3f2a --undo
              drrunbook stop 20260301-021500-3f2a --undo --settle 0/7/1/do=not-done --reason "the tool's log does not have it"
              drrunbook stop 20260301-021500-3f2a --abandon "recorded by an older version; ledger was started by hand"
            """)

    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @Flag(name: .long, help: "Leave everything as it is (the default).")
    var hold = false
    @Flag(name: .long, help: "Undo what it did.")
    var undo = false
    @Option(name: .long, help: ArgumentHelp("End it for good as it stands, for this reason: nothing is undone.", valueName: "reason"))
    var abandon: String?
    @Flag(name: .long, help: "Yes, undo what was shown, or abandon it.")
    var yes = false
    @OptionGroup var lost: LostCallOptions
    @OptionGroup var takeUp: TakeUpOptions
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        guard [hold, undo, abandon != nil].count(where: { $0 }) < 2 else {
            throw DRError(.invalidInput, "--hold, --undo and --abandon are three ways to stop: expected one of them")
        }
        guard abandon == nil || !takeUp.takeOver else {
            throw DRError(
                .invalidInput, "--take-over is of no use with --abandon: nothing is taken from a process that carries the run on",
                hint: "put it down where it is carried on: `drrunbook stop \(run)`")
        }
        let settled = try lost.settled()
        guard undo || settled.isEmpty else {
            throw DRError(
                .invalidInput, "--settle is of use with --undo: a run that is put down waits to hear of its lost calls until it is taken up"
            )
        }
        return try await withHost { host in
            if let abandon { return try await give(up: abandon, host, output) }
            if undo { try await confirm(host, settled, output) }
            return try await Self.perform(run, undo ? .undo : .hold, settled, takeUp.word, host, output, config: common.config)
        }
    }

    static func perform(
        _ run: RunID, _ kind: StopRequest.Kind, _ settled: Settlements, _ word: TakeUpWord, _ host: Host, _ output: Output,
        config: String
    ) async throws -> ExitStatus {
        let conduct = Conduct(output, host, config: config)
        switch try await host.stop(run, kind, settled: settled, word: word, events: conduct.tell) {
        case .asked(let process):
            output.say(
                "process \(process) was told: "
                    + (kind == .undo
                        ? "after what it is doing it undoes what the run did; `drrunbook show \(run)` tells how that ended"
                        : "it ends after what it is doing"))
            output.object("stop.asked", [("run", .string(run.text)), ("process", .integer(Int64(process)))])
            return .done
        case .done(let report):
            let status = conduct.finish(report)
            // It was put down, as it was asked for.
            return report.isHeld ? .done : status
        }
    }

    private func confirm(_ host: Host, _ settled: Settlements, _ output: Output) async throws {
        let ahead = EffectsAhead()
        let planned = try await host.planUndo(run, settled: settled, word: takeUp.word, events: ahead.note)
        // What would be undone is known when it is known what was done.
        if planned.outcome == .waiting, let question = planned.error { throw question }
        for effect in ahead.effects where effect.verb == .activate {
            output.note("  \(effect.name) goes on to \(effect.cluster?.text ?? "its destination"): that had begun, and only goes forward")
        }
        if planned.undos.isEmpty { output.note("nothing is registered to be undone") }
        for undo in planned.undos { output.note("  \(ReportText.line(undo))") }
        guard !yes else { return }
        try Confirmation.word("undo", to: "undo this", output)
    }

    private func give(up reason: String, _ host: Host, _ output: Output) async throws -> ExitStatus {
        if !yes {
            do {
                _ = try await host.planResume(run, word: takeUp.word)
                output.note(
                    "run \(run) can still be carried on (`drrunbook resume \(run)`) or undone (`drrunbook stop \(run) --undo`): "
                        + "once it is abandoned, nobody can")
            } catch let error as DRError where error.code != .conflict {
                output.note("run \(run) cannot be carried on: \(error.message)")
            }
            try Confirmation.word("abandon", to: "end it as it stands", output)
        }
        let conduct = Conduct(output, host, config: common.config)
        let ended = try await host.abandon(run, reason: reason, word: takeUp.word, events: conduct.tell)
        if let report = ended.report { _ = conduct.finish(report) }
        for (cluster, application) in ended.freed { output.say("let go: \(application) at \(cluster)") }
        for cluster in ended.silent { output.warning("\(cluster) does not answer: what the run holds there stays until it runs out") }
        if let problem = ended.problem {
            output.warning("nothing could be written to its record: \(problem.message)")
            if problem.code == .journalDamaged { output.say("next: drrunbook show \(run) --close \"what came of it\"") }
        }
        output.object(
            "abandoned",
            [
                ("run", .string(run.text)), ("recorded", .bool(ended.report != nil)), ("problem", JSONLines.text(ended.problem?.message)),
                (
                    "freed",
                    .list(ended.freed.map { ["cluster": .string($0.cluster.text), "application": .string($0.application.text)] })
                ), ("silent", .list(ended.silent.map { .string($0.text) })),
            ])
        return ended.silent.isEmpty ? .done : .unreachable
    }
}
