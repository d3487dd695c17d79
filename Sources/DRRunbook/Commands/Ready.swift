import ArgumentParser
import DRHost
import DRModel

struct Ready: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks all checks of all applications: could each be moved now?",
        discussion: """
            Each is asked in the direction in which it would move, away from where it is live. Nothing is changed. The exit status is 0 when all \
            is ready, 4 when a recovery point is older than its target, 5 when a check failed, 8 when a cluster does not answer.

            EXAMPLE
              drrunbook ready
              drrunbook ready ledger --only capacity --json
            """)

    @Argument(help: "Applications; all when none is named.")
    var applications: [ApplicationName] = []
    @Option(name: .long, help: ArgumentHelp("Only this check; may be repeated. `drrunbook explain checks` lists them.", valueName: "id"))
    var only: [String] = []
    @Flag(name: .long, help: "Could each be moved if the cluster where it is live were lost? That cluster is not asked.")
    var disaster = false
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let found =
                try await host.ready(applications, only: only.isEmpty ? nil : only, disaster: disaster)
            found.forEach { write($0, output) }
            if found.isEmpty {
                output.say("no applications are declared in \(common.config)")
            } else {
                tell(found, output)
            }
            return Self.status(of: found)
        }
    }

    static func status(of found: [Readiness]) -> ExitStatus {
        let open = found.flatMap(\.checks).filter { $0.state == .failed || $0.state == .warning }
        if open.contains(where: { $0.id == "clusters-reachable" && $0.state == .failed }) { return .unreachable }
        if open.contains(where: { $0.state == .failed }) { return .refused }
        return open.contains { $0.id == "recovery-point-fresh" } ? .targetMissed : .done
    }

    private func tell(_ found: [Readiness], _ output: Output) {
        var summary = Table("APPLICATION", "WAY", "READY", "OK", "WARNINGS", "FAILED", "SKIPPED")
        for item in found {
            func count(_ state: CheckResult.State) -> String { String(item.checks.count { $0.state == state }) }
            summary.add(
                item.application.text, Self.way(item), item.state == .failed ? "no" : item.state == .warning ? "with warnings" : "yes",
                count(.ok), count(.warning), count(.failed), count(.skipped))
        }
        output.table(summary)
        let shown: [CheckResult.State] = output.verbose ? [.failed, .warning, .skipped, .ok] : [.failed, .warning]
        var table = Table("CHECK", "STATE", "APPLICATION", "MESSAGE")
        for state in shown {
            for told in Self.told(found, state) {
                table.add(told.check.id, state.rawValue, told.applications.joined(separator: " "), told.check.message)
            }
        }
        if !table.isEmpty {
            output.say()
            output.table(table)
        }
        output.say()
        // Advice that is the same for several is given once.
        var given: Set<[String]> = []
        for state in [CheckResult.State.failed, .warning] {
            for told in Self.told(found, state) {
                guard given.insert([told.check.id, told.check.fix ?? "", told.check.next ?? ""]).inserted else { continue }
                let mark = state == .failed ? output.style.bad(told.check.id) : output.style.warning(told.check.id)
                if let fix = told.check.fix { output.say("\(mark): \(fix)") }
                if let command = command(told.check) { output.say("  next: \(command)") }
            }
        }
        let open = found.filter { $0.state == .failed }
        output.say(
            open.isEmpty
                ? output.style.good("ready") + ": \(found.count) of \(found.count)"
                : output.style.bad("not ready") + ": \(Set(open.map(\.application)).count) of \(Set(found.map(\.application)).count)")
    }

    /// What says the same of several applications is told once.
    private static func told(_ found: [Readiness], _ state: CheckResult.State) -> [(check: CheckResult, applications: [String])] {
        var told: [(check: CheckResult, applications: [String])] = []
        for item in found {
            for check in item.checks where check.state == state {
                if let index = told.firstIndex(where: { $0.check == check }) {
                    if !told[index].applications.contains(item.application.text) { told[index].applications.append(item.application.text) }
                } else {
                    told.append((check, [item.application.text]))
                }
            }
        }
        return told
    }

    private func command(_ check: CheckResult) -> String? {
        check.next.map { $0 + (common.config == "dr.yaml" ? "" : " --config \(common.config)") }
    }

    private static func way(_ item: Readiness) -> String { item.route.map { "\($0.source) -> \($0.destination)" } ?? "none" }

    private func write(_ item: Readiness, _ output: Output) {
        for check in item.checks {
            output.object(
                "check",
                [
                    ("application", .string(item.application.text)), ("pair", JSONLines.text(item.route?.pair.text)),
                    ("source", JSONLines.text(item.route?.source.text)), ("destination", JSONLines.text(item.route?.destination.text)),
                    ("id", .string(check.id)), ("state", .string(check.state.rawValue)), ("message", .string(check.message)),
                    ("fix", JSONLines.text(check.fix)), ("next", JSONLines.text(command(check))),
                ])
        }
    }
}
