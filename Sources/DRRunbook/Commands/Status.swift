import ArgumentParser
import DRHost
import DRModel
import DRSupport

struct Status: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows where each application is live and how well it is protected.",
        discussion: """
            EXAMPLE
              drrunbook status
              drrunbook status ledger --json
            """)

    @Argument(help: "Applications; all when none is named.")
    var applications: [ApplicationName] = []
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let list = try await host.status(of: applications)
            var table = Table("APPLICATION", "ACTIVE AT", "EPOCH", "RPO NOW", "LAST POINT", "SCHEDULE", "SITES")
            for item in list {
                table.add(
                    item.name.text, Self.place(item), item.epoch.description,
                    item.rpo?.text ?? "unknown", item.last_point?.text ?? "-", item.schedule?.text ?? "-",
                    item.clusters.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; "))
                output.object("status", Self.members(item))
            }
            if list.isEmpty { output.say("no applications are declared in \(common.config)") } else { output.table(table) }
            tellBrokenGlass(host, output)
            for item in list { for line in Self.warnings(item) { output.say(output.style.warning(line)) } }
            return .done
        }
    }

    // Where applications are is told also on a host whose journal cannot be read.
    private func tellBrokenGlass(_ host: Host, _ output: Output) {
        do {
            for glass in try host.openBrokenGlass() {
                output.say(output.style.warning("run \(glass.run): \(glass.text.inOneLine)"))
                output.say(
                    "  next: drrunbook show \(glass.run), then with --close \"what came of it\"\(glass.hasEnded ? "" : " when it has ended")"
                )
                output.object("follow_up", [("run", .string(glass.run.text)), ("text", .string(glass.text))])
            }
        } catch {
            output.warning("the journal: \((error as? DRError)?.message ?? "\(error)")")
        }
    }

    private static func place(_ item: ApplicationStatus) -> String {
        guard let active = item.active_at?.text else { return "unknown" }
        return active + (item.running.map { $0 ? "" : " (stopped)" } ?? " (not seen)")
    }

    static func warnings(_ item: ApplicationStatus) -> [String] {
        var lines: [String] = []
        if item.split_brain_risk { lines.append("\(item.name): the old site was not seen cut off: both may be serving") }
        // What its agent stopped is told among the problems, with the way out.
        if item.running == false, let active = item.active_at, item.self_fenced == nil {
            let by = item.lock.map { "run \($0) holds it: `drrunbook resume \($0)`" } ?? "`drrunbook runs` shows which run stopped it"
            lines.append("\(item.name): STOPPED at \(active), where it is live; \(by)")
        }
        if !item.protected {
            let silent = item.clusters.filter { $0.key != item.active_at?.text && $0.value.hasPrefix("unknown") }.map(\.key).sorted()
            if item.last_point == nil, !silent.isEmpty {
                let names = silent.joined(separator: ", ")
                lines.append(
                    "\(item.name): protection UNKNOWN: what lies at \(names), which \(silent.count == 1 ? "does" : "do") not answer, cannot be seen"
                )
            } else {
                let why =
                    item.last_point == nil
                    ? "no verified recovery point lies at another site"
                    : "no schedule copies it from where it is, or none has since it moved"
                let since = item.unprotected_since.map { " since \(Runs.time($0))" } ?? ""
                lines.append("\(item.name): UNPROTECTED\(since): \(why)")
            }
        }
        lines += (item.forks ?? []).map { "\(item.name): DIVERGENT: \($0.text)" }
        for cluster in item.returned ?? [] {
            lines.append(
                "\(item.name): \(cluster) is back and was not told that it lost \(item.name): protect it again with `drrunbook serve` or dr.reprotect; "
                    + "the first copy stops what runs there")
        }
        if let last = item.last_drill { lines.append("\(item.name): drilled \(Runs.time(last.ready_at)), ready in \(last.rto.text)") }
        if let run = item.lock, item.running != false { lines.append("\(item.name): locked by run \(run)") }
        lines += (item.problems ?? []).map { "\(item.name): \($0)" }
        return lines
    }

    private static func members(_ item: ApplicationStatus) -> [(String, Value)] {
        [
            ("application", .string(item.name.text)), ("active_at", JSONLines.text(item.active_at?.text)),
            ("epoch", .integer(item.epoch.number)), ("running", item.running.map(Value.bool) ?? .null),
            ("split_brain_risk", .bool(item.split_brain_risk)),
            ("clusters", .map(item.clusters.mapValues(Value.string))), ("rpo", item.rpo.map(Value.duration) ?? .null),
            ("last_point", JSONLines.text(item.last_point?.text)), ("last_point_at", item.last_point_at.map(Value.instant) ?? .null),
            ("protected", .bool(item.protected)), ("schedule", JSONLines.text(item.schedule?.text)),
            ("unprotected_since", item.unprotected_since.map(Value.instant) ?? .null),
            ("lock", JSONLines.text(item.lock?.text)),
            (
                "last_drill",
                item.last_drill.map {
                    [
                        "id": .string($0.id.text), "ready_at": .instant($0.ready_at), "recovery_point": .string($0.recovery_point.text),
                        "rto": .duration($0.rto),
                    ]
                } ?? .null
            ),
            (
                "forks",
                .list(
                    (item.forks ?? []).map {
                        [
                            "cluster": .string($0.cluster.text), "epoch": .integer($0.epoch.number), "state": .string($0.state.rawValue),
                            "at": $0.at.map(Value.instant) ?? .null, "place": JSONLines.text($0.place),
                            "volumes": .list($0.volumes.map(Value.string)),
                        ]
                    })
            ), ("self_fenced", item.self_fenced.map(Value.instant) ?? .null),
            ("returned", .list((item.returned ?? []).map { .string($0.text) })),
            ("problems", .list((item.problems ?? []).map(Value.string))),
        ]
    }
}
