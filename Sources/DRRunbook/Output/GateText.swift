import DRActions
import DRModel
import DRSupport

/// A gate for the people who are to decide: the question, the facts shown with it, who has spoken, how long it is open.
struct GateText {
    let gate: OpenGate

    func lines(_ output: Output) -> [String] {
        var lines = ["gate \(output.style.bold(gate.name.inOneLine))"] + gate.message.quoted("  ")
        if let facts = gate.show.map, !facts.isEmpty {
            let width = facts.keys.map(\.count).max() ?? 0
            for (name, value) in facts.sorted(by: { $0.key < $1.key }) {
                let text = (value.string ?? value.json(.plain)).inOneLine
                lines.append("    \(name.inOneLine)\(String(repeating: " ", count: width - name.count))  \(text)")
            }
        } else if !gate.show.isNull, gate.show.map == nil {
            lines.append("    \((gate.show.string ?? gate.show.json(.plain)).inOneLine)")
        }
        for (approval, objection) in zip(gate.approvals, gate.objections) {
            lines.append(Self.line(approval, objection))
        }
        let until = gate.until.map { ", until \(Runs.time($0))" } ?? ""
        if let refusal = gate.refusal {
            lines.append("  \(refusal.message.inOneLine)")
        } else {
            lines.append("  " + (gate.missing.map { "waits for \($0)\(until)" } ?? Self.passed(gate)))
        }
        return lines
    }

    /// Who said what, and why it does not count.
    static func line(_ approval: Approval, _ objection: String?) -> String {
        let statement = approval.statement
        var text = "  \(statement.decision.rawValue)  \(approval.identity.inOneLine)"
        if let objection { text += ": does not count, \(objection.inOneLine)" }
        if let reason = statement.breakGlass { text += ", breaking the glass: \(reason.inOneLine)" }
        return text + (statement.comment.map { ", \"\($0.inOneLine)\"" } ?? "")
    }

    private static func passed(_ gate: OpenGate) -> String {
        let isBroken = gate.approvals.contains { $0.statement.decision == .approve && $0.statement.breakGlass != nil }
        return isBroken
            ? "open: somebody broke the glass, which stands in every report of the run" : "open: enough people have approved"
    }

    var members: [(String, Value)] {
        [
            ("gate", .string(gate.name)), ("message", .string(gate.message)), ("show", gate.show), ("opened", .instant(gate.opened)),
            ("until", gate.until.map(Value.instant) ?? .null), ("missing", JSONLines.text(gate.missing)),
            ("approvals", .list(gate.approvals.map(JSONLines.value))), ("objections", .list(gate.objections.map(JSONLines.text))),
        ]
    }
}
