import ArgumentParser
import DRHost
import DRModel

struct Drill: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Executes a runbook as a drill: isolated clones go live instead of applications.",
        discussion: """
            Applications, replication, epochs and recovery points stay as they are; the clone is removed at the end, or by its lease. \
            Programs and requests outside are left out unless the runbook says otherwise (in_drill); GET and HEAD are asked.

            EXAMPLE
              drrunbook drill runbooks/failover.lua -p reason="quarterly drill"
            """)

    @OptionGroup var runbook: RunbookOptions
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let parameters = try runbook.values()
        return try await withHost { host in
            let conduct = Conduct(output, host, config: common.config)
            let (report, cleanups) = try await host.drill(runbook.runbook, parameters: parameters, events: conduct.tell)
            let status = conduct.finish(report)
            var left = false
            for cleanup in cleanups { left = Cleanup.tell(cleanup, output) || left }
            output.say("this was a drill: nothing was moved")
            return left && status == .done ? .partial : status
        }
    }
}

struct Cleanup: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Removes drills: those that are named, or those whose lease is over.",
        discussion: """
            EXAMPLE
              drrunbook cleanup
              drrunbook cleanup drill-3f2a9c01de
            """)

    @Argument(help: "Drills; when none is named, those whose lease is over. Others are listed.")
    var drills: [DrillID] = []
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let (standing, silent) = try await host.drills()
            // What does not stand changes nothing: it was removed before, or the name is wrong.
            for name in drills where !standing.contains(where: { $0.id == name }) {
                _ = Self.tell(try await host.cleanUp(name), output)
            }
            var left = false
            for drill in standing {
                guard drills.contains(drill.id) || drills.isEmpty && drill.expired else {
                    if drills.isEmpty { Self.tell(drill, output) }
                    continue
                }
                left = Self.tell(try await host.cleanUp(drill.id), output) || left
            }
            guard drills.isEmpty else { return left ? .partial : .done }
            for cluster in silent { output.warning("\(cluster) does not answer: what stands there is unknown") }
            if standing.isEmpty, silent.isEmpty { output.say("no drill stands") }
            return left ? .partial : silent.isEmpty ? .done : .unreachable
        }
    }

    private static func tell(_ drill: DrillStatus, _ output: Output) {
        output.say("\(drill.id) at \(drill.cluster) stays until \(Runs.time(drill.expires)): run \(drill.run)")
        output.object(
            "drill",
            [
                ("drill", .string(drill.id.text)), ("cluster", .string(drill.cluster.text)), ("run", .string(drill.run.text)),
                ("expires", .instant(drill.expires)),
            ])
    }

    /// True when something is left.
    static func tell(_ report: CleanupReport, _ output: Output) -> Bool {
        output.say(
            "\(report.drill): "
                + (report.changed ? "\(report.removed) removed\(report.left.isEmpty ? ", nothing left" : "")" : "already removed"))
        for line in report.left { output.warning("\(report.drill): \(line) is left") }
        output.object(
            "cleanup",
            [
                ("drill", .string(report.drill.text)), ("removed", .integer(Int64(report.removed))),
                ("left", .list(report.left.map(Value.string))), ("changed", .bool(report.changed)),
            ])
        return !report.left.isEmpty
    }
}
