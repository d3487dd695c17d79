import ArgumentParser
import DRHost
import DRModel

struct Replay: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether an edited runbook would still fit a recorded run. Does nothing.",
        discussion: """
            Exit status: 0 it fits, 1 it does not: the first record that differs is shown beside what the runbook asks for now.

            EXAMPLE
              drrunbook replay 20260301-021500-3f2a --against runbooks/failover.lua
            """)

    @Argument(help: "A run, or a file that `drrunbook export` wrote (*.run).")
    var record: String
    @Option(name: .long, help: ArgumentHelp("The runbook as it is now.", valueName: "runbook"), completion: .file(extensions: ["lua"]))
    var against: String
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let count: Int
            do {
                if record.hasSuffix(".run") {
                    count = try await host.replay(file: record, against: against)
                } else {
                    count = try await host.replay(try RunID(record), against: against)
                }
            } catch let error as DRError where error.code == .replayMismatch {
                output.failure(error)
                if let details = error.details {
                    output.say("record \(details["record"].integer ?? 0)")
                    output.say("  then  \(details["then"].string ?? "")")
                    output.say("  now   \(details["now"].string ?? "")\(error.location.map { "   \($0)" } ?? "")")
                }
                return .failed
            }
            output.say("it fits: all \(count) records")
            output.object("replayed", [("record", .string(record)), ("records", .integer(Int64(count)))])
            return .done
        }
    }
}
