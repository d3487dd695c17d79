import DRActions
import DRModel

/// A gate for the people who are to decide: the question, the facts shown with it, who has spoken, how long it is open.
struct GateText {
    let gate: OpenGate

    func lines(_ output: Output) -> [String] {
        var lines = ["gate \(output.style.bold(gate.name))"] + gate.message.split(separator: "\n").map { "  \($0)" }
        if let facts = gate.show.map, !facts.isEmpty {
            let width = facts.keys.map(\.count).max() ?? 0
            for (name, value) in facts.sorted(by: { $0.key < $1.key }) {
                lines.append("    \(name)\(String(repeating: " ", count: width - name.count))  \(value.string ?? value.json(.plain))")
            }
        } else if !gate.show.isNull, gate.show.map == nil {
            lines.append("    \(gate.show.string ?? gate.show.json(.plain))")
        }
        for (approval, objection) in zip(gate.approvals, gate.objections) {
            lines.append(
                "  \(approval.statement.decision.rawValue)  \(approval.identity)" + (objection.map { ": does not count, \($0)" } ?? ""))
        }
        let until = gate.until.map { ", until \(Runs.time($0))" } ?? ""
        if let refusal = gate.refusal {
            lines.append("  \(refusal.message)")
        } else {
            lines.append("  " + (gate.missing.map { "waits for \($0)\(until)" } ?? "open: enough people have approved"))
        }
        return lines
    }

    var members: [(String, Value)] {
        [
            ("gate", .string(gate.name)), ("message", .string(gate.message)), ("show", gate.show), ("opened", .instant(gate.opened)),
            ("until", gate.until.map(Value.instant) ?? .null), ("missing", JSONLines.text(gate.missing)),
            ("approvals", .list(gate.approvals.map(JSONLines.value))), ("objections", .list(gate.objections.map(JSONLines.text))),
        ]
    }
}
