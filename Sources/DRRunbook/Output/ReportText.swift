import DRModel

/// How a run or plan ended, for people: the outcome, the applications, what to do next.
struct ReportText {
    let report: RunReport
    let isPlan: Bool
    let config: String

    func write(to output: Output) {
        let style = output.style
        if isPlan {
            writeEffects(to: output)
            for line in Self.notes(report.notes) { output.say(line) }
            for line in Self.failing(report.notes) { output.say(line) }
        }
        if !report.applications.isEmpty {
            output.say()
            output.table(Self.applications(report.applications, isPlan: isPlan))
        }
        if let planned = report.planned, !report.applications.isEmpty { for line in Self.basis(planned) { output.say(line) } }
        for item in report.applications where item.reason != nil || item.next != nil {
            if let reason = item.reason { output.say("  \(item.name): \(reason)") }
            if let next = item.next { output.say("  \(item.name): next: \(next)") }
        }
        for item in report.applications { for line in Self.targets(item) { output.say("  \(item.name): \(line)") } }
        for undo in report.undos where undo.state != .undone { output.say("  not undone: \(Self.line(undo))") }
        output.say()
        output.say(outcome(style))
        if let error = report.error, output.lines == nil { output.problem(error) }
        if let next { output.say("next: \(next)") }
    }

    private static func targets(_ item: RunReport.Item) -> [String] {
        func missed(_ name: String, _ target: Duration?, _ isMet: Bool?) -> String? {
            isMet == false ? target.map { "the \(name) target of \($0.text) was missed" } : nil
        }
        return [missed("RPO", item.targets?.rpo, item.isRPOMet), missed("RTO", item.targets?.rto, item.isRTOMet)].compactMap(\.self)
    }

    /// `undone   stop ledger`.
    static func line(_ undo: RunReport.Undo) -> String {
        let word = undo.state.rawValue
        return word + String(repeating: " ", count: max(0, 9 - word.count)) + undo.name + (undo.reason.map { ": \($0)" } ?? "")
    }

    static func applications(_ items: [RunReport.Item], isPlan: Bool = false) -> Table {
        // Nothing of a plan was verified by it; what it predicts has a `~`.
        var table = Table("APPLICATION", "STATE", "FROM", "LIVE AT", "EPOCH", "RPO", "RTO", "SENT", isPlan ? "POINT" : "VERIFIED")
        func predicted(_ text: String, _ isExact: Bool = false) -> String { isPlan && !isExact ? "~" + text : text }
        for item in items {
            table.add(
                item.name.text, item.state.rawValue, item.from?.text ?? "-", item.active_at?.text ?? "-", item.epoch?.description ?? "-",
                item.rpo.map { predicted($0.description, $0.isCertain) } ?? "-",
                item.rto.map { (item.rto_at_least == true ? ">= " : "") + predicted($0.text) } ?? "-",
                item.bytes_sent.map { predicted($0.description) } ?? "-",
                isPlan ? item.recovery_point ?? "-" : item.verified_at.map(Runs.time) ?? "-")
        }
        return table
    }

    private func writeEffects(to output: Output) {
        output.say()
        output.say(report.effects.isEmpty ? "nothing would change" : "\(report.effects.count) changes, in this order:")
        output.say(
            report.effects.enumerated().map { index, effect in
                let number = String(index + 1)
                return String(repeating: " ", count: max(0, 4 - number.count)) + number + "  " + effect.text
            })
        if !report.effects.isEmpty { output.say(Self.total(report)) }
    }

    private func outcome(_ style: Style) -> String {
        let isAtLeast = report.applications.contains { $0.rto_at_least == true }
        let time = report.rto.map { ", RTO \(isAtLeast ? "at least " : "")\($0.text)" } ?? ""
        if isPlan {
            switch report.outcome {
            case .succeeded: return style.good("possible") + (report.rto.map { ", predicted RTO \($0.text)" } ?? "")
            case .targetMissed: return style.warning("possible, but a target would be missed")
            case .refused: return style.bad("would be refused")
            default: return style.bad("would fail")
            }
        }
        switch report.outcome {
        case .succeeded: return style.good("succeeded") + time
        case .targetMissed: return style.warning("succeeded, but a target was missed") + time
        case .waiting: return style.warning("waiting")
        case .stopped: return style.warning("stopped")
        case .refused: return style.bad("refused") + ": nothing was changed"
        case .partial: return style.bad("partial") + ": something is half done, see above"
        case .failed: return style.bad("failed")
        }
    }

    /// The exact next command, where there is one.
    private var next: String? {
        let options = config == "dr.yaml" ? "" : " --config \(config)"
        if isPlan { return nil }
        switch report.outcome {
        case .waiting where report.error?.code == .waiting:
            var from = ""
            if case .instant(let opens)? = report.error?.details?["opens"], report.error?.details?["gate"].string == nil {
                from = "    from \(Runs.time(opens)) on; with --wait it waits until then"
            }
            return report.error?.hint.map { $0 + options + from }
        case .waiting: return "drrunbook resume \(report.run)\(options)"
        case .stopped where report.isHeld:
            return "drrunbook resume \(report.run)\(options)    drrunbook stop \(report.run) --undo\(options)"
        case .partial, .failed: return "drrunbook status\(options)    drrunbook show \(report.run)\(options)"
        default: return nil
        }
    }
}
