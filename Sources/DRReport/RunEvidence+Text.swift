internal import DRModel
internal import DRSupport

/// A report as sections of tables and lines: what Markdown and the page are both made of.
struct ReportPage {
    enum Block {
        case table([String], [[String]])
        case lines([String])
        case bars([(label: String, from: Double, to: Double, failed: Bool)])
    }

    let title: String
    private(set) var sections: [(title: String, block: Block)] = []

    init(_ evidence: RunEvidence) {
        let header = evidence.header
        title = "Run \(header.id)"
        func since(_ time: Instant) -> String { "+\((time - header.started).text)" }
        var facts = [
            ["runbook", header.runbook], ["outcome", evidence.outcome?.rawValue ?? "open"], ["who", header.who],
            ["mode", header.runningAs?.rawValue ?? "live"], ["started", "\(header.started)"],
            ["finished", evidence.finished.map { "\($0), after \(($0 - header.started).text)" } ?? "not yet"],
            ["parameters", header.parameters.json(.plain)], ["plan", header.plan ?? "none was given"],
        ]
        if let error = evidence.error { facts.append(["error", error.message]) }
        if !evidence.results.isNull, evidence.results != [:] { facts.append(["results", evidence.results.json(.plain)]) }
        if let doubt = evidence.doubt { add("THIS RECORD IS IN DOUBT", .lines([doubt])) }
        add("Run", .table(["", ""], facts))
        if !evidence.applications.isEmpty {
            add(
                "Applications",
                .table(
                    ["application", "state", "from", "live at", "epoch", "RPO", "RTO", "verified"],
                    evidence.applications.map { item in
                        [
                            item.name.text, item.state.rawValue, item.from?.text ?? "-", item.active_at?.text ?? "unknown",
                            item.epoch?.description ?? "-", item.rpo.map(\.description) ?? "unknown",
                            item.rto.map { (item.rto_at_least == true ? "at least " : "") + $0.text } ?? "unknown",
                            item.verified_at.map { "\($0)" } ?? "-",
                        ]
                    }))
            add(
                "",
                .table(
                    ["application", "recovery point", "RPO target", "RTO target", "former site"],
                    evidence.applications.map { item in
                        [
                            item.name.text, item.recovery_point ?? "-", Self.target(item.targets?.rpo, item.isRPOMet),
                            Self.target(item.targets?.rto, item.isRTOMet),
                            item.split_brain_risk.map { Self.formerSite($0, evidence.formerSite(of: item)) } ?? "-",
                        ]
                    }))
        }
        add("What a person has to look into", .lines(evidence.followUps.isEmpty ? ["nothing"] : evidence.followUps))
        if let recovery = evidence.recovery {
            add(
                "Time to recovery",
                .table(
                    ["detect", "decide", "waited", "machine", "in all"],
                    [
                        [
                            recovery.detect.map(\.text) ?? "unknown", recovery.decide.text, recovery.waited.text, recovery.machine.text,
                            (recovery.isAtLeast ? "at least " : "") + (recovery.ready - recovery.began).text,
                        ]
                    ]))
            add(
                "Critical path",
                .table(
                    ["begun", "took", "action"],
                    recovery.critical.map { [since($0.begun), (($0.ended ?? $0.begun) - $0.begun).text, $0.title] }))
        }
        if !evidence.checks.isEmpty {
            add(
                "Checks",
                .table(
                    ["asked", "", "check", "state", "value"],
                    evidence.checks.map { checked in
                        let result = checked.result
                        return [
                            since(checked.asked), checked.isAfter ? "after" : "before", result.id, result.state.rawValue, result.message,
                        ]
                    }))
        }
        for gate in evidence.gates {
            let said = gate.said.map { said -> [String] in
                let statement = said.approval.statement
                return [
                    since(said.time), statement.decision.rawValue, said.approval.identity, gate.counts(said) ? "yes" : "no",
                    [statement.comment, statement.breakGlass.map { "breaking the glass: \($0)" }].compactMap(\.self).joined(
                        separator: "; "),
                ]
            }
            let end = gate.error?.message ?? gate.closed.map { "passed after \(($0 - gate.opened).text)" } ?? "open"
            let counted = gate.counted.isEmpty ? "" : "counted: \(gate.counted.joined(separator: ", "))"
            let lines = [gate.message, gate.show.isNull ? "" : gate.show.json(.plain), end, counted]
            add("Gate \(gate.name)", .lines(lines.filter { !$0.isEmpty }))
            if !said.isEmpty { add("", .table(["", "", "who", "counted", "comment"], said)) }
        }
        add("Changes", .lines(evidence.effects.isEmpty ? ["none"] : evidence.effects.map(\.text)))
        if !evidence.undos.isEmpty {
            add("Undone", .table(["", "", ""], evidence.undos.map { [$0.state.rawValue, $0.name, $0.reason ?? ""] }))
        }
        add(
            "Timeline",
            .table(
                ["begun", "took", "action", ""],
                evidence.actions.map { action in
                    [
                        since(action.begun), action.ended.map { ($0 - action.begun).text } ?? "-", action.title,
                        action.error.map { "failed: \($0.message)" } ?? Self.open(action),
                    ]
                }))
        let whole = max(0.001, ((evidence.finished ?? evidence.records.last?.time ?? header.started) - header.started).inSeconds)
        add(
            "",
            .bars(
                evidence.actions.map { action in
                    let from = (action.begun - header.started).inSeconds / whole
                    return (action.title, from, ((action.ended ?? action.begun) - header.started).inSeconds / whole, action.error != nil)
                }))
        let files = header.sources.sorted { $0.key < $1.key }.map { [$0.value, String($0.key.split(separator: "=").last ?? "")] }
        add("What was run", .table(["SHA-256", "file"], files + [[header.configuration, "configuration"]]))
        add(
            "Record",
            .lines(
                ["\(evidence.records.count) records, head \(evidence.head)"]
                    + (evidence.signature.map { ["signed:"] + $0.split(separator: "\n").map(String.init) } ?? [])))
    }

    /// What is true of a call that has no answer.
    private static func open(_ action: RunEvidence.Action) -> String {
        guard action.ended == nil else { return "" }
        if action.isDropped { return "not carried out" }
        return action.isUnfinished ? "not finished; it changes nothing" : "no outcome"
    }

    private static func target(_ target: Duration?, _ isMet: Bool?) -> String {
        target.map { "\($0.text), " + (isMet.map { $0 ? "met" : "MISSED" } ?? "nobody knows") } ?? "none"
    }

    private static func formerSite(_ isAtRisk: Bool, _ former: FormerSite?) -> String {
        if isAtRisk { return "SPLIT BRAIN RISK: it was not seen cut off" }
        return switch former {
        case .fenced: "seen stopped there, and fenced"
        case .said: "said to be cut off, not seen"
        case .agent: "its agent had promised to stop it by then, not seen"
        case .drill: "serves on: this was a drill"
        case nil: "no risk is noted"
        }
    }

    private mutating func add(_ title: String, _ block: Block) { sections.append((title, block)) }
}

extension RunEvidence {
    /// For people, in a terminal or a wiki.
    public func markdown() -> String {
        let page = ReportPage(self)
        var text = "# \(MarkdownText.line(page.title))\n"
        for (title, block) in page.sections {
            if case .bars = block { continue }
            text += title.isEmpty ? "\n" : "\n## \(MarkdownText.line(title))\n\n"
            switch block {
            case .table(let heads, let rows):
                text += "| " + heads.joined(separator: " | ") + " |\n|" + String(repeating: "---|", count: heads.count) + "\n"
                for row in rows { text += "| " + row.map(MarkdownText.cell).joined(separator: " | ") + " |\n" }
            case .lines(let lines): text += lines.map { "- " + MarkdownText.line($0) + "\n" }.joined()
            case .bars: break
            }
        }
        return text
    }

    /// One page that needs nothing else.
    public func html() -> String {
        let page = ReportPage(self)
        var body = "<h1>\(escaped(page.title))</h1>\n"
        for (title, block) in page.sections {
            if !title.isEmpty { body += "<h2>\(escaped(title))</h2>\n" }
            switch block {
            case .table(let heads, let rows):
                body += "<div class=\"table\"><table>"
                if heads.contains(where: { !$0.isEmpty }) { body += "<tr>" + heads.map { "<th>\(escaped($0))</th>" }.joined() + "</tr>" }
                body += rows.map { "<tr>" + $0.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>\n" }.joined() + "</table></div>\n"
            case .lines(let lines): body += "<ul>" + lines.map { "<li>\(escaped($0))</li>\n" }.joined() + "</ul>\n"
            case .bars(let bars):
                body += "<div class=\"bars\">"
                for bar in bars {
                    body +=
                        "<div title=\"\(escaped(bar.label))\"><i class=\"\(bar.failed ? "bad" : "")\" style=\"left:\(percent(bar.from));"
                        + "width:\(percent(max(0.002, bar.to - bar.from)))\"></i></div>\n"
                }
                body += "</div>\n"
            }
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>\(escaped(page.title))</title>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <style>
            body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
            h1, h2, li { overflow-wrap: anywhere } h2 { margin-top: 2rem; font-size: 1.1rem }
            .table { overflow-x: auto; margin-bottom: 1rem } table { border-collapse: collapse }
            td, th { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; overflow-wrap: break-word }
            th { white-space: nowrap } td:last-child { min-width: 11rem; overflow-wrap: anywhere }
            .bars div { position: relative; height: 7px; margin: 1px 0; background: #f3f3f3 } .bars i { position: absolute; top: 0; bottom: 0; background: #47a }
            .bars i.bad { background: #c33 }
            </style></head><body>
            \(body)</body></html>

            """
    }

    /// For a build server: a case for each application, and one for the run.
    public func junit() -> String {
        func test(_ name: String, _ failure: String?) -> String {
            let inner = failure.map { "<failure message=\"\(escaped($0))\"/>" } ?? ""
            return "  <testcase classname=\"\(escaped(header.runbook))\" name=\"\(escaped(name))\">\(inner)</testcase>\n"
        }
        let isGood = outcome == .succeeded
        var cases = [test("run", isGood ? nil : "\(outcome?.rawValue ?? "open")\(error.map { ": \($0.message)" } ?? "")")]
        var failed = isGood ? 0 : 1
        for item in applications {
            let isMoved = item.state == .moved
            failed += isMoved ? 0 : 1
            cases.append(test(item.name.text, isMoved ? nil : "\(item.state.rawValue)\(item.reason.map { ": \($0)" } ?? "")"))
        }
        return
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"\(escaped(header.runbook))\" tests=\"\(cases.count)\" failures=\"\(failed)\">\n"
            + cases.joined() + "</testsuite>\n"
    }

    private func percent(_ part: Double) -> String { "\((part * 10_000).rounded() / 100)%" }

    private func escaped(_ text: String) -> String {
        text.visible.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;").replacing("\n", with: "&#10;").replacing("\t", with: "&#9;")
    }
}

/// Text of people and runbooks as one line of Markdown that says just that: no heading, table, list, link, image or markup of a page begins in it.
enum MarkdownText {
    static func cell(_ text: String) -> String {
        let words = text.visible.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }.joined(separator: " / ")
        var line = ""
        for character in words {
            if "\\`*[]<|~&".contains(character) { line.append("\\") }
            line.append(character)
        }
        return line
    }

    static func line(_ text: String) -> String {
        let line = cell(text)
        // What begins a block at the beginning of a line or a list item.
        if let first = line.first, "#-+=_:>".contains(first) { return "\\" + line }
        let digits = line.prefix { $0.isNumber }
        if !digits.isEmpty, let next = line.dropFirst(digits.count).first, next == "." || next == ")" {
            return digits + "\\" + line.dropFirst(digits.count)
        }
        return line
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
