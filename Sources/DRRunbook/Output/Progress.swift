import DRModel
import DRSupport

/// A run for people, as it happens: a line for each action that has ended; on a terminal also one for what is under way.
final class Progress: Sendable {
    private let output: Output
    private let isPlan: Bool
    /// Actions under way, in the order in which they began; for a terminal, which shows the last.
    private let underWay = Lock<[ActionEvent]>([])

    init(_ output: Output, isPlan: Bool) {
        self.output = output
        self.isPlan = isPlan
    }

    func tell(_ event: RunEvent) {
        if let lines = output.lines {
            lines.write(event, isPlan: isPlan)
            return
        }
        underWay.withLock { underWay in
            clear()
            Output.standard(self.lines(event, &underWay))
            if let current = underWay.last, output.style.isTerminal {
                // One row of any terminal: a longer line could not be taken back.
                Output.write(output.style.faint("  ...      \(Self.title(current))".prefix(78).description), to: 1)
            }
        }
    }

    private func clear() { if output.style.isTerminal { Output.write("\r\u{1B}[K", to: 1) } }

    private func lines(_ event: RunEvent, _ underWay: inout [ActionEvent]) -> [String] {
        let style = output.style
        switch event.kind {
        case .runStarted(let runbook, let summary):
            let what = isPlan ? "plan of \(runbook)" : "\(runbook), run \(event.run)"
            return [style.bold(what) + (event.replayed ? ", carried on" : "")] + (summary.map { ["  \($0)"] } ?? [])
        case .actionStarted(let action):
            if !event.replayed, style.isTerminal { underWay.append(action) }
            return []
        case .actionFinished(let action, let result, let error, let duration, let effects, _):
            if style.isTerminal { underWay.removeAll { $0.key == action.key } }
            if event.replayed { return ["  \(style.faint("before"))   \(Self.title(action))"] }
            // A gate of a plan was told when it was met.
            if isPlan, action.action == "approve", error == nil { return [] }
            return finished(action, result, error, duration, effects)
        case .log(let text, _):
            return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { "           \(style.faint("|")) \($0)" }
        case .gateOpened(let gate, let missing):
            return ["  \(style.warning("gate"))     \(gate.name.inOneLine): \(missing)"] + gate.message.quoted("           ")
        case .gateClosed(let gate, let by, let error):
            return ["  \(style.warning("gate"))     \(gate.name): \(error?.message ?? "passed by \(by.joined(separator: ", "))")".inOneLine]
        case .undo(let undo):
            let state = undo.state == .undone ? style.good(undo.state.rawValue) : style.bad(undo.state.rawValue)
            return ["  \(state)   \(undo.name)" + (undo.reason.map { ": \($0)" } ?? "")]
        case .warning(let text):
            return ["  \(style.warning("warning"))  \(text)"]
        case .runFinished:
            return []
        }
    }

    private func finished(
        _ action: ActionEvent, _ result: Value?, _ error: DRError?, _ duration: Duration, _ effects: [Effect]
    ) -> [String] {
        let style = output.style
        var lines: [String] = []
        let title = Self.title(action)
        let time = duration < .milliseconds(50) ? "" : "  " + style.faint((isPlan ? "~" : "") + duration.text)
        if let error {
            lines.append("  \(style.bad("failed"))   \(title)\(time)")
            lines += "\(error.message)".split(whereSeparator: \.isNewline).map { "           \($0)" }
        } else {
            lines.append("  \(style.good("ok"))       \(title)\(time)")
        }
        for case .string(let text) in result?["warnings"].list ?? [] { lines.append("  \(style.warning("warning"))  \(text)") }
        if isPlan || output.verbose { lines += effects.map { "             \($0.text)" } }
        if action.action == "checks" { lines += CheckLines.lines(result, error, style, verbose: output.verbose) }
        return lines
    }

    /// `ledger > stop ledger`: where in the runbook, what, and to whom.
    static func title(_ action: ActionEvent) -> String {
        let subjects: [String]
        if let name = action.input["application"].string {
            subjects = [name]
        } else {
            subjects = action.input["applications"].list?.compactMap(\.string) ?? action.input["name"].string.map { [$0] } ?? []
        }
        var title = ([action.action] + subjects).joined(separator: " ")
        if action.input["final"].bool == true { title += " (last sync)" }
        if case .duration(let duration) = action.input["duration"] { title += " \(duration.text)" }
        return (action.path.filter { !subjects.contains($0) } + [title]).joined(separator: " > ")
    }
}

/// Checks that are not fine; with `verbose` all of them.
enum CheckLines {
    static func lines(_ result: Value?, _ error: DRError?, _ style: Style, verbose: Bool) -> [String] {
        let list = result?.list ?? result?["checks"].list ?? error?.details?.list ?? error?.details?["checks"].list ?? []
        return list.flatMap { check -> [String] in
            guard let state = check["state"].string, verbose || state == "failed" || state == "warning", let id = check["id"].string else {
                return []
            }
            let word = state == "failed" ? style.bad(state) : state == "warning" ? style.warning(state) : state
            var lines = ["             \(word) \(id): \(check["message"].string ?? "")"]
            if state != "ok", let fix = check["fix"].string { lines.append("               fix: \(fix)") }
            return lines
        }
    }
}
