import ArgumentParser
import DRSupport

/// The command line: reads words, calls DRHost, writes lines, ends with a status that says how it went.
@main struct DRRunbook: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drrunbook",
        abstract: "Disaster recovery runbooks: moves applications between two clusters and says what it did.",
        discussion: """
            EXAMPLE
              drrunbook init shop && cd shop
              drrunbook run runbooks/protect.lua
              drrunbook plan runbooks/failover.lua -p reason="planned move"
              drrunbook run runbooks/failover.lua -p reason="planned move"

            EXIT STATUS
            \(ExitStatus.summary)
            """,
        version: "drrunbook 0.1.0",
        subcommands: [
            Init.self, Apply.self, Run.self, Plan.self, Drill.self, Cleanup.self, Resume.self, Pause.self, Stop.self, Approve.self,
            Reject.self, Verify.self, Export.self, Import.self, Replay.self, Report.self, Runs.self, Show.self,
            Status.self,
            Ready.self, Points.self, Scrub.self, Schedules.self, Serve.self, Agent.self, LockCommand.self, Lint.self, Test.self,
            Explore.self,
            Explain.self, Actions.self,
        ])

    static func main() async {
        let status: ExitStatus
        do {
            let command = try parseAsRoot()
            if let command = command as? any HostCommand {
                status = await command.perform()
            } else {
                var command = command
                try command.run()
                status = .done
            }
        } catch {
            // Help and version are asked for; anything else is a wrong word on the command line.
            let asked = exitCode(for: error).isSuccess
            let message = fullMessage(for: error)
            if !message.isEmpty { if asked { Output.standard(message) } else { Output.error(message + misspelling) } }
            status = asked ? .done : .usage
        }
        status.exit()
    }

    static var commandNames: [String] { configuration.subcommands.map { $0._commandName } }

    /// What the first word may have meant, when it is no command.
    private static var misspelling: String {
        guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-") else { return "" }
        let commands = commandNames
        guard !commands.contains(word), let nearest = Spelling.nearest(to: word, in: commands) else { return "" }
        return "\n  Did you mean 'drrunbook \(nearest)'?"
    }
}
