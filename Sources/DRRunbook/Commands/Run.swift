import ArgumentParser
import DRActions
import DRHost
import DRModel

struct Run: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Executes a runbook.",
        discussion: """
            Before anything goes live somewhere else, a terminal asks for the destination's name; elsewhere --yes is needed. \
            --yes neither passes a gate nor accepts data loss.

            EXAMPLE
              drrunbook run runbooks/failover.lua -p reason="planned move"
              drrunbook run runbooks/failover.lua -p reason="planned move" --yes --json
            """)

    @OptionGroup var runbook: RunbookOptions
    @Flag(name: .long, help: "Yes, applications may go live at the destination.")
    var yes = false
    @Option(name: .long, help: ArgumentHelp("Run only what this plan shows (written by `plan --out`).", valueName: "file"))
    var plan: String?
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let parameters = try runbook.values()
        return try await withHost { host in
            if let plan {
                let order = try await host.check(try host.readPlan(plan), runbook: runbook.runbook, parameters: parameters)
                return try await run(host, order, mayActivate: true, output)
            } else {
                let order = try host.order(runbook.runbook, parameters)
                let planned = try await host.plan(order)
                // A wrong call late in the runbook is found before the first effect. What the world may refuse is the run's to tell: it meets it at the same
                // place.
                if let error = planned.error, error.code.isMistake { throw error }
                if yes { return try await run(host, order, mayActivate: true, output) }
                try Confirmation.ask(Confirmation.destinations(of: planned.effects), planned.effects, output)
                let isAsked = !Confirmation.destinations(of: planned.effects).isEmpty
                return try await run(host, order, mayActivate: isAsked, output)
            }
        }
    }

    private func run(_ host: Host, _ order: RunOrder, mayActivate: Bool, _ output: Output) async throws -> ExitStatus {
        let conduct = Conduct(output, host, config: common.config)
        let report = try await host.run(order, mayActivate: mayActivate, events: conduct.tell)
        return try await conduct.finish(report, host, mayActivate: mayActivate)
    }
}

/// What `run` and `resume` have in common: progress while it goes on, the end, the exit status.
struct Conduct: Sendable {
    let output: Output
    let config: String
    private let progress: Progress
    private let interruption: Interruption

    init(_ output: Output, _ host: Host, config: String) {
        self.output = output
        self.config = config
        progress = Progress(output, isPlan: false)
        interruption = Interruption(config: config, host: host, asks: output.lines == nil && Confirmation.isTerminal)
    }

    var tell: @Sendable (RunEvent) -> Void {
        { event in
            interruption.note(event)
            progress.tell(event)
        }
    }

    /// On a terminal a run that stands at a gate is carried on as soon as people have decided; control-C leaves it parked. With `waits` anywhere, and at a window too.
    /// `more`: what the run was given when it was taken up.
    func finish(_ report: RunReport, _ host: Host, mayActivate: Bool, more: MoreTime = MoreTime(), waits: Bool = false) async throws
        -> ExitStatus
    {
        var report = report
        let isTerminal = output.lines == nil && Confirmation.isTerminal
        while let question = report.error, question.code == .waiting, waits || (isTerminal && question.details?["gate"].string != nil) {
            output.note("\(output.style.warning(question.message)). Waiting; control-C leaves it, then: \(question.hint ?? "")")
            report = try await host.carryOn(report, mayActivate: mayActivate, more: more, events: tell)
        }
        return finish(report)
    }

    func finish(_ report: RunReport) -> ExitStatus {
        ReportText(report: report, isPlan: false, config: config).write(to: output)
        return (report.isHeld ? interruption.status : nil) ?? ExitStatus(report)
    }
}
