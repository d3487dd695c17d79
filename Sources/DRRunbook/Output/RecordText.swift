import DRModel

/// A record for people: when, what, how it went, and the changes it made.
struct RecordText {
    private let record: JournalRecord
    private let offset: Duration

    init(_ record: JournalRecord, since start: Instant) {
        self.record = record
        offset = record.time - start
    }

    func lines(_ output: Output) -> [String] { texts(output).flatMap { $0.quotedFromSecond("                    ") } }

    private func texts(_ output: Output) -> [String] {
        let entry = record.entry
        let time = "+\(offset.text)"
        let head = String(repeating: " ", count: max(0, 8 - time.count)) + time + "  "
        let what = (entry.path + [entry.verb]).filter { !$0.isEmpty }.joined(separator: " > ")
        switch entry.kind {
        case .intent: return output.verbose ? ["\(head)begin    \(what) \(entry.payload.json(.plain))"] : []
        case .outcome: return outcome(head, what, output)
        case .input: return output.verbose ? ["\(head)input    \(what) = \(entry.payload.json(.plain))"] : []
        case .log: return ["\(head)log      \(entry.payload.string ?? entry.payload.json(.plain))"]
        case .approval:
            guard let said = try? entry.payload.decoded(as: Approval.self) else { return ["\(head)approval that cannot be read"] }
            let alone = said.statement.breakGlass.map { ", breaking the glass: \($0)" } ?? ""
            return ["\(head)\(said.statement.decision.rawValue)  \(said.statement.gate) by \(said.identity)\(alone)"]
        case .note where entry.verb == "results": return ["\(head)results  \(entry.payload.json(.plain))"]
        case .note: return ["\(head)\(entry.payload["state"].string ?? "note")   \(entry.payload["name"].string ?? "")"]
        case .cancelled, .stopped: return ["\(head)stopped  \(entry.payload["kind"].string ?? "") by \(entry.payload["who"].string ?? "")"]
        case .resumed:
            var text = "\(head)resumed"
            if let who = entry.payload["who"].string { text += "  by \(who)" }
            var given: [String] = []
            if case .duration(let more) = entry.payload["extended"] { given.append("\(more.text) more for each deadline") }
            if case .duration(let more) = entry.payload["aging"] {
                given.append("data that is \(more.text) older than in its plan allowed")
            }
            return [given.isEmpty ? text : "\(text), with \(given.joined(separator: " and "))"]
                + [record].settledCalls.map { "                    settled \($0.text)" }
        case .finished: return ["\(head)finished \(entry.payload["outcome"].string ?? "")"]
        }
    }

    private func outcome(_ head: String, _ what: String, _ output: Output) -> [String] {
        let payload = record.entry.payload
        let error = payload["error"]
        let subject = subject(payload)
        var lines = [head + (error.isNull ? output.style.good("ok") + "       " : output.style.bad("failed") + "   ") + what + subject]
        if let message = error["message"].string { lines.append("                    \(message)") }
        let effects = (try? payload["effects"].decoded(as: [Effect].self)) ?? []
        lines += effects.map { "                    \($0.text)" }
        return lines
    }

    private func subject(_ payload: Value) -> String {
        payload["result"]["application"].string.map { " \($0)" } ?? ""
    }
}
