import ArgumentParser
import DRHost
import DRModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct Serve: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs schedules and jobs until it is stopped, removes drills whose lease is over, and reads copies to find damage.",
        discussion: """
            Jobs are runbooks by the clock: jobs: { NAME: { runbook, cron, zone, params } } in dr.yaml, with cron's five fields, and zone a name such as \
            Europe/Berlin or an offset such as "+02:00". Nobody is there to say yes, so they may make nothing live; what they skip while serve is not running is not made up for.

            It stays in the foreground. Control-C or SIGTERM ends it when the copy or job under way is done; a second one ends it at once, and the \
            next copy carries on.

            EXAMPLE
              drrunbook serve
            """)

    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        StopSignal.listen()
        return try await withHost { host in
            let (schedules, jobs) = (host.configuration.inventory.schedules.count, host.configuration.jobs.count)
            func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
            output.say(
                "serving \(counted(schedules, "schedule"))\(jobs == 0 ? "" : " and " + counted(jobs, "job")); stop with control-C")
            try await host.serve(until: { StopSignal.isSet }) { Self.tell($0, output) }
            output.say("stopped")
            return .done
        }
    }

    private static func tell(_ event: ServiceEvent, _ output: Output) {
        switch event {
        case .copied(let schedule, let copies, let time):
            for copy in copies {
                if let error = copy.error {
                    output.warning("\(schedule): \(copy.application): \(error.message)")
                } else {
                    output.say(
                        "\(time) \(schedule): \(copy.application) \(copy.recovery_point?.text ?? "-") from \(copy.from?.text ?? "-")")
                }
                for line in copy.warnings { output.warning("\(schedule): \(line)") }
                output.object(
                    "schedule.copied",
                    [
                        ("schedule", .string(schedule.text)), ("application", .string(copy.application.text)),
                        ("recovery_point", JSONLines.text(copy.recovery_point?.text)), ("from", JSONLines.text(copy.from?.text)),
                        ("error", JSONLines.text(copy.error?.message)),
                    ])
            }
        case .cleaned(let report): _ = Cleanup.tell(report, output)
        case .scrubbed(let application, let cluster, let scrubbed, let time):
            Scrub.findings(scrubbed, "\(application) at \(cluster)", output)
            if scrubbed.next == nil { output.say("\(time) \(application) at \(cluster): all objects were read") }
            output.object("scrubbed", Scrub.members(application, cluster, scrubbed))
        case .ran(let job, let report, let time):
            let text = "\(job): run \(report.run) \(report.outcome.rawValue)" + (report.error.map { ": \($0.message)" } ?? "")
            if report.outcome == .succeeded { output.say("\(time) \(text)") } else { output.warning(text) }
            output.object(
                "job.ran",
                [
                    ("time", .instant(time)), ("run", .string(report.run.text)), ("job", .string(job)),
                    ("outcome", .string(report.outcome.rawValue)), ("error", JSONLines.text(report.error?.message)),
                ])
        case .failed(let what, let error): output.warning("\(what): \(error.message)")
        }
    }
}

struct Schedules: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists schedules: when they ran, when they run next.",
        discussion: """
            EXAMPLE
              drrunbook schedules
            """)

    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let list = try await host.schedules()
            var table = Table("SCHEDULE", "PAIR", "APPLICATIONS", "WHEN", "LAST", "NEXT")
            for item in list {
                let next = item.schedule.suspended ? "suspended" : item.due != nil ? "due" : item.next.map(Runs.time) ?? "unknown"
                table.add(
                    item.schedule.name.text, item.schedule.pair.text, item.schedule.applications.map(\.text).joined(separator: " "),
                    item.when,
                    item.last.map(Runs.time) ?? (item.isBroken ? "unknown" : "never"), next)
                output.object(
                    "schedule",
                    [
                        ("name", .string(item.schedule.name.text)), ("pair", .string(item.schedule.pair.text)),
                        ("applications", .list(item.schedule.applications.map { .string($0.text) })), ("when", .string(item.when)),
                        ("suspended", .bool(item.schedule.suspended)), ("last", item.last.map(Value.instant) ?? .null),
                        ("next", item.next.map(Value.instant) ?? .null), ("failures", .integer(Int64(item.failures))),
                        ("error", JSONLines.text(item.error)),
                    ])
            }
            if list.isEmpty { output.say("no schedules are declared in \(common.config)") } else { output.table(table) }
            for item in list {
                if let error = item.error {
                    let what = item.isBroken ? "does not run" : "failed \(item.failures == 1 ? "once" : "\(item.failures) times in a row")"
                    output.say(output.style.warning("\(item.schedule.name): \(what): \(error)"))
                }
            }
            return .done
        }
    }
}

/// The first control-C or `kill` asks for an end, the second one is the end.
enum StopSignal {
    nonisolated(unsafe) private static var count: sig_atomic_t = 0
    nonisolated(unsafe) private static var first: time_t = 0

    static var isSet: Bool { unsafe count > 0 }

    static func listen() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // Some send it to the process and to its group at once: that is one.
                let now = time(nil)
                if unsafe StopSignal.count > 0, unsafe now > StopSignal.first + 1 { _exit(128 + number) }
                if unsafe StopSignal.count == 0 { unsafe StopSignal.first = now }
                unsafe StopSignal.count = 1
            }
        }
    }
}
