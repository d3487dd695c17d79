struct RepeatedOutside: LintRule {
    static let id = "repeated-outside"
    static let severity = LintFinding.Severity.error
    static let summary = "A call outside that must not be made twice stands in what may run several times: it raises there."

    private static let repeating: Set = ["retry", "wait_until", "undo"]
    private static let harmless: Set = ["GET", "HEAD"]

    func check(_ source: LintSource) -> [LintFinding] {
        source.calls.compactMap { call in
            guard call.name == "exec" || call.name == "http", let around = call.within.last(where: Self.repeating.contains),
                let fields = call.table(source.vocabulary)
            else { return nil }
            func value(_ name: String) -> LuaExpression? { fields.first { $0.key?.string == name }?.value }
            if let idempotent = value("idempotent") {
                guard case .false = idempotent.kind else { return nil }
            }
            if call.name == "http" {
                guard let method = value("method") else { return nil }
                guard let text = method.string, !Self.harmless.contains(text) else { return nil }
            }
            return source.finding(
                self, call.line, "\(call.name) in \(around) may be made twice",
                hint: "say `idempotent = true` if doing it twice does no harm, or move it out of the \(around)")
        }
    }
}
