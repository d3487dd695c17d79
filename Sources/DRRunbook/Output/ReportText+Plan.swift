import DRModel

/// What a plan says in a few lines: what moves, how long it would take, and why.
extension ReportText {
    /// `Plan: 6 applications move east -> west, 14 start, 14 stop`.
    static func total(_ report: RunReport) -> String {
        var moves: [String: Int] = [:]
        for item in report.applications where item.state == .moved {
            moves["\(item.from?.text ?? "?") -> \(item.active_at?.text ?? "?")", default: 0] += 1
        }
        let scaled = report.effects.filter { $0.verb == .scale }
        let starts = scaled.count { $0.from == "0" && $0.to != "0" }, stops = scaled.count { $0.to == "0" && $0.from != "0" }
        let parts =
            moves.sorted { $0.key < $1.key }.map { "\($0.value) application\($0.value == 1 ? " moves" : "s move") \($0.key)" }
            + [("start", starts), ("stop", stops)].filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        return "Plan: " + (parts.isEmpty ? "\(report.effects.count) changes" : parts.joined(separator: ", "))
    }

    /// What the predicted times rest on.
    static func basis(_ planned: PlannedTime) -> [String] {
        let runs = "\(planned.runs) past run\(planned.runs == 1 ? "" : "s")"
        guard planned.unknown.isEmpty else {
            let shown = planned.unknown.prefix(3).joined(separator: ", ") + (planned.unknown.count > 3 ? " ..." : "")
            return ["  RTO unknown: \(runs) of this host never showed \(shown)"]
        }
        guard !planned.criticalPath.isEmpty else { return [] }
        let way = planned.criticalPath.map { "\($0.action) ~\($0.duration.text)" }
        return ["  critical path, as \(runs) took: " + way.joined(separator: " > "), "  gates and windows are not counted"]
    }
}

extension ReportText {
    /// `assumed: runbooks/move.lua:12: migrate.applications.ledger.bytes_sent = 4096`, the first of each place.
    static func notes(_ notes: PlanNotes) -> [String] {
        var lines: [String] = []
        var places: [SourceLocation] = []
        let byPlace = Dictionary(grouping: notes.assumptions, by: \.location)
        for assumption in notes.assumptions where !places.contains(assumption.location) {
            places.append(assumption.location)
            let all = byPlace[assumption.location] ?? []
            lines += all.prefix(mostOfOnePlace).map { "assumed: \($0.location): \($0.what) = \($0.value)" }
            if all.count > mostOfOnePlace { lines.append("assumed: \(assumption.location): and \(all.count - mostOfOnePlace) more") }
        }
        return lines + notes.touches.map { "touched: \($0.location): \($0.cluster): \($0.what)" }
    }

    private static let mostOfOnePlace = 3
}

extension ReportText {
    /// What a failure would undo, in that order, and what stays as it is. Applications that are started again together share a line.
    static func failing(_ notes: PlanNotes) -> [String] {
        var lines: [(what: String, until: String?)] = []
        var rest = notes.compensations[...]
        while let first = rest.first {
            guard first.restarts else {
                let place = first.cluster.map { ", only while \(first.application?.text ?? "it") is live at \($0)" } ?? ""
                lines.append((first.name + place, first.until))
                rest = rest.dropFirst()
                continue
            }
            let together = rest.prefix { $0.restarts && $0.cluster == first.cluster && $0.until == first.until }
            rest = rest.dropFirst(together.count)
            let all = together.map { $0.application?.text ?? $0.name }
            lines.append(("start again at \(first.cluster?.text ?? "their cluster"): \(names(all))", first.until))
        }
        var text = lines.isEmpty ? [] : ["on failure, undone in this order:"]
        text += lines.prefix(mostUndone).map { "  \($0.what)" + ($0.until.map { " (until \($0))" } ?? "") }
        if lines.count > mostUndone { text.append("  and \(lines.count - mostUndone) more; `--json` has them all") }
        var clusters: [ClusterName] = []
        for stay in notes.stays where !clusters.contains(stay.cluster) { clusters.append(stay.cluster) }
        for cluster in clusters {
            let all = notes.stays.filter { $0.cluster == cluster }.map(\.application.text)
            text.append("never undone once live at \(cluster): \(names(all))")
        }
        return text
    }

    private static let mostUndone = 12

    private static func names(_ all: [String]) -> String {
        all.count > 5 ? all.prefix(4).joined(separator: ", ") + " and \(all.count - 4) more" : all.joined(separator: ", ")
    }
}
