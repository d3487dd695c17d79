import ArgumentParser
import DRActions
import DRHost
import DRModel

struct Runs: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists past runs, oldest first.",
        discussion: """
            EXAMPLE
              drrunbook runs
              drrunbook runs --json
            """)

    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            var table = Table("RUN", "RUNBOOK", "STARTED", "OUTCOME", "TOOK")
            var damaged: [DRError] = []
            for run in try host.runs() {
                let process = run.resumable ? try host.carrier(of: run.id) : nil
                var waits: (gates: [OpenGate], windows: Int) = ([], 0)
                var outcome = run.outcome?.rawValue ?? ""
                // One record that cannot be read hides no other run.
                do {
                    if run.resumable { waits = try host.waits(of: run.id) }
                    outcome =
                        run.outcome.map { run.resumable ? "\($0.rawValue): can be resumed" : $0.rawValue } ?? Self.open(waits, process)
                } catch let error as DRError where error.code == .journalDamaged {
                    if let closed = try host.closed(run.id) {
                        outcome = "damaged: closed by \(closed.person ?? closed.who)"
                    } else {
                        damaged.append(error)
                        outcome = "damaged"
                    }
                } catch let error as DRError where error.code == .configuration {
                    // A later program wrote it, which can carry it on.
                    output.warning("\(error)")
                    outcome = "of a later version"
                }
                table.add(
                    run.id.text, run.runbook, Self.time(run.started), outcome, run.finished.map { ($0 - run.started).text } ?? "-")
                output.object(
                    "run",
                    Self.members(run) + [
                        ("gates", .list(waits.gates.map { .string($0.name) })), ("process", process.map { .integer(Int64($0)) } ?? .null),
                    ])
            }
            if table.isEmpty { output.say("nothing has been run yet") } else { output.table(table) }
            for error in damaged { output.failure(error) }
            return damaged.isEmpty ? .done : .journalDamaged
        }
    }

    static func members(_ run: RunSummary) -> [(String, Value)] {
        [
            ("run", .string(run.id.text)), ("runbook", .string(run.runbook)), ("outcome", JSONLines.text(run.outcome?.rawValue)),
            ("started", .instant(run.started)), ("finished", run.finished.map(Value.instant) ?? .null),
            ("resumable", .bool(run.resumable)),
        ]
    }

    private static func open(_ waits: (gates: [OpenGate], windows: Int), _ process: Int32?) -> String {
        if !waits.gates.isEmpty { return "waiting: gate \(waits.gates.map(\.name).joined(separator: ", "))" }
        if waits.windows > 0 { return "waiting: window" }
        return process.map { "under way: process \($0)" } ?? "open: can be resumed"
    }

    /// To the second, in UTC.
    static func time(_ instant: Instant) -> String { "\(instant)".prefix(19).replacing("T", with: " ") + "Z" }
}
