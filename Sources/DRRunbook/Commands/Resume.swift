import ArgumentParser
import DRActions
import DRHost
import DRModel

struct Resume: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Carries on a run that was interrupted.",
        discussion: """
            The runbook runs again as it was started, answered by the journal up to where it stopped; nothing is done twice. \
            Before anything goes live somewhere else, a terminal asks for the destination's name; elsewhere --yes is needed.

            EXAMPLE
              drrunbook resume 20260301-021500-3f2a
              drrunbook resume 20260301-021500-3f2a --wait
              drrunbook resume 20260301-021500-3f2a --extend 30m
              drrunbook resume 20260301-021500-3f2a --settle 0/7/1/do=done
            """)

    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @Flag(name: .long, help: "Yes, applications may go live at the destination.")
    var yes = false
    @OptionGroup var lost: LostCallOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How much longer than it says each deadline is this time. Without it each has the whole of its time again.",
            valueName: "duration"))
    var extend: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Of a run from a plan with this option: how much older than in the plan the data that goes live may be this time.",
            valueName: "duration"))
    var maxAging: String?
    @Flag(name: .long, help: "Wait for people and windows, also where no terminal is.")
    var wait = false
    @Flag(
        name: .long,
        help: "Go on though dr.yaml has other approvals, or allows something else, than the run was started with; gates are asked anew.")
    var acceptConfiguration = false
    @OptionGroup var takeUp: TakeUpOptions
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let settled = try lost.settled()
        let more = MoreTime(
            deadlines: try extend.map { try Self.duration($0, of: "--extend") } ?? .zero,
            aging: try maxAging.map { try Self.duration($0, of: "--max-aging") } ?? .zero)
        var word = takeUp.word
        word.acceptsConfiguration = acceptConfiguration
        return try await withHost { [word] host in
            var word = word
            var mayActivate = yes
            if !yes {
                if !word.takesOver { word.takesOver = try await confirmsTakeover(host, output) }
                let ahead = EffectsAhead()
                _ = try await host.planResume(run, settled: settled, word: word, events: ahead.note)
                let effects = ahead.effects
                try Confirmation.ask(Confirmation.destinations(of: effects), effects, output)
                mayActivate = !Confirmation.destinations(of: effects).isEmpty
            }
            let conduct = Conduct(output, host, config: common.config)
            let report = try await host.resume(
                run, mayActivate: mayActivate, settled: settled, more: more, word: word, events: conduct.tell)
            return try await conduct.finish(report, host, mayActivate: mayActivate, more: more, waits: wait)
        }
    }

    // Another engineer may be in the middle of it. Where nobody can be asked, `--take-over` says it.
    private func confirmsTakeover(_ host: Host, _ output: Output) async throws -> Bool {
        guard Confirmation.isTerminal, output.lines == nil, let lock = try await host.lockElsewhere(of: run) else { return false }
        output.note(
            output.style.warning(
                "run \(run) is carried on by process \(lock.holder.process) on \(lock.holder.host), since \(Runs.time(lock.since)): "
                    + "taken over, it ends there in the middle of what it does."))
        try Confirmation.word("takeover", to: "go on with it here", output)
        return true
    }
}
