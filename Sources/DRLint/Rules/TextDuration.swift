struct TextDuration: LintRule {
    static let id = "text-duration"
    static let severity = LintFinding.Severity.error
    static let summary = "A time, duration or size is compared with a text: it raises, or compares letters."

    private static let comparisons: Set = ["<", ">", "<=", ">=", "==", "~="]

    func check(_ source: LintSource) -> [LintFinding] {
        var findings: [LintFinding] = []
        source.chunk.visit(expression: { expression in
            guard case .binary(let symbol, let left, let right) = expression.kind, Self.comparisons.contains(symbol) else { return }
            guard let text = [left, right].compactMap(\.string).first(where: Self.isMeasure) else { return }
            let isTime = text.contains("T")
            findings.append(
                source.finding(
                    self, expression.line, "\"\(text)\" is compared as a text",
                    hint: "write dr.\(isTime ? "time" : "duration")(\"\(text)\")"))
        })
        return findings
    }

    private static func isMeasure(_ text: String) -> Bool {
        text.wholeMatch(of: #/\d+(\.\d+)?(ms|s|m|h|d|w)/#) != nil || text.wholeMatch(of: #/\d{4}-\d\d-\d\dT.*/#) != nil
    }
}
