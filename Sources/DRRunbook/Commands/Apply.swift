import ArgumentParser
import DRHost
import DRModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct Apply: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes pairs and schedules as dr.yaml declares them.",
        discussion: """
            What is missing is created, what differs is changed, and what an earlier apply made and dr.yaml declares no more is removed; what runbooks made \
            by themselves is left alone. Shows what would change first; a terminal then asks. Nothing goes live anywhere.

            EXAMPLE
              drrunbook apply
            """)

    @Flag(name: .long, help: "Do not ask.")
    var yes = false
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let planned = try await host.apply(plan: true)
            for effect in planned.effects { output.say("  \(effect.text)") }
            guard planned.changed else {
                // Notes that what stands there came from this file.
                write(try await host.apply(plan: false, shown: planned), output)
                output.say("everything is set up as \(common.config) says")
                return .done
            }
            if !yes, isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1, output.lines == nil {
                Output.write("Set this up? Type \"yes\": ", to: STDERR_FILENO)
                guard readLine() == "yes" else { throw DRError(.stopped, "not confirmed: nothing was changed") }
            }
            let report = try await host.apply(plan: false, shown: planned)
            write(report, output)
            output.say(
                output.style.good("set up") + ": \(counted(report.pairs.count, "pair")), \(counted(report.schedules.count, "schedule"))")
            return .done
        }
    }

    private func write(_ report: ApplyReport, _ output: Output) {
        for pair in report.pairs {
            output.object(
                "pair",
                [
                    ("name", .string(pair.name.text)), ("source", .string(pair.source.text)),
                    ("destination", .string(pair.destination.text)), ("changed", .bool(pair.changed)),
                ])
        }
        for effect in report.effects where effect.verb == .delete {
            output.object(
                "removed",
                [
                    ("kind", .string(effect.kind)), ("name", .string(effect.name)), ("cluster", JSONLines.text(effect.cluster?.text)),
                ])
        }
        for schedule in report.schedules {
            output.object(
                "schedule",
                [
                    ("name", .string(schedule.name.text)), ("pair", .string(schedule.pair.text)),
                    ("suspended", .bool(schedule.suspended)), ("changed", .bool(schedule.changed)),
                ])
        }
    }

    private func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
}
