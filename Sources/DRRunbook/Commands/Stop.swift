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
            undos is shown, a terminal asks (elsewhere --yes is needed), and it is carried out in reverse order. What is live at the destination stays live.

            EXAMPLE
              drrunbook stop 20260301-021500-3f2a
              drrunbook stop 20260301-021500-3f2a --undo
              drrunbook stop 20260301-021500-3f2a --undo --settle 0/7/1/do=not-done
            """)

    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @Flag(name: .long, help: "Leave everything as it is (the default).")
    var hold = false
    @Flag(name: .long, help: "Undo what it did.")
    var undo = false
    @Flag(name: .long, help: "Yes, undo what was shown.")
    var yes = false
    @OptionGroup var lost: LostCallOptions
    @OptionGroup var takeUp: TakeUpOptions
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        if hold, undo { throw DRError(.invalidInput, "--hold and --undo are two ways to stop: expected one of them") }
        let settled = try lost.settled()
        guard undo || settled.isEmpty else {
            throw DRError(
                .invalidInput, "--settle is of use with --undo: a run that is put down waits to hear of its lost calls until it is taken up"
            )
        }
        return try await withHost { host in
            if undo { try await confirm(host, settled, output) }
            return try await Self.perform(run, undo ? .undo : .hold, settled, takeUp.word, host, output, config: common.config)
        }
    }

    static func perform(
        _ run: RunID, _ kind: StopRequest.Kind, _ settled: [String: Settlement], _ word: TakeUpWord, _ host: Host, _ output: Output,
        config: String
    ) async throws -> ExitStatus {
        let conduct = Conduct(output, host, config: config)
        switch try await host.stop(run, kind, settled: settled, word: word, events: conduct.tell) {
        case .asked(let process):
            output.say("process \(process) was told: it ends after what it is doing")
            output.object("stop.asked", [("run", .string(run.text)), ("process", .integer(Int64(process)))])
            return .done
        case .done(let report):
            let status = conduct.finish(report)
            // It was put down, as it was asked for.
            return report.isHeld ? .done : status
        }
    }

    private func confirm(_ host: Host, _ settled: [String: Settlement], _ output: Output) async throws {
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
}
