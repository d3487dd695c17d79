import ArgumentParser
import DRHost
import DRModel

struct Plan: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a run would change, in order. Changes nothing.",
        discussion: """
            Exit status: 0 possible, 1 would fail, 4 would miss a target, 5 would be refused.

            EXAMPLE
              drrunbook plan runbooks/failover.lua -p reason="planned move"
              drrunbook plan runbooks/disaster.lua -p evidence="no power" --without east
            """)

    @OptionGroup var runbook: RunbookOptions
    @Option(name: .long, help: ArgumentHelp("Write the plan to a file; `run --plan` then runs exactly this.", valueName: "file"))
    var out: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "With --out: how much older the data that goes live may be when the plan is run than it is now; a run that would lose more is refused when it begins, and put down where it goes on after a gate or window.",
            valueName: "duration"))
    var maxAging: String?
    @Option(name: .long, help: ArgumentHelp("Plan as if this cluster did not answer; may be repeated.", valueName: "cluster"))
    var without: [ClusterName] = []
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let parameters = try runbook.values()
        let aging = try maxAging.map { try Self.duration($0, of: "--max-aging") }
        return try await withHost { host in
            let progress = Progress(output, isPlan: true)
            let report: RunReport
            var record: PlanRecord?
            if out == nil, maxAging != nil {
                throw DRError(.invalidInput, "--max-aging belongs to a plan that is written: --out FILE is missing")
            }
            if out == nil {
                report = try await host.plan(runbook.runbook, parameters: parameters, without: without, events: progress.tell)
            } else {
                (report, record) = try await host.planRecord(
                    runbook.runbook, parameters: parameters, without: without, maxAging: aging, events: progress.tell)
            }
            ReportText(report: report, isPlan: true, config: common.config).write(to: output)
            if let out, let record {
                try host.write(record, to: out)
                if [.succeeded, .targetMissed].contains(report.outcome) {
                    output.say("next: drrunbook run \(runbook.runbook) --plan \(out) ...")
                }
            }
            return Self.status(report)
        }
    }

    private static func status(_ report: RunReport) -> ExitStatus {
        switch report.outcome {
        case .succeeded: .done
        case .targetMissed: .targetMissed
        case .refused: ExitStatus(report) == .unreachable ? .refused : ExitStatus(report)
        default: ExitStatus(report) == .usage ? .usage : .failed
        }
    }
}
