struct UnusedParameter: LintRule {
    static let id = "unused-parameter"
    static let severity = LintFinding.Severity.warning
    static let summary = "A parameter is declared and never read: whoever gives it believes that it does something."

    func check(_ source: LintSource) -> [LintFinding] {
        source.runbooks.flatMap { runbook -> [LintFinding] in
            guard runbook.parameters?.isHandedOn != true else { return [] }
            let used = Set(runbook.parameters?.reads.map(\.name) ?? [])
            return (runbook.declared ?? []).compactMap { field in
                guard let name = field.key?.string, !used.contains(name) else { return nil }
                return source.finding(self, field.line, "parameter \(name) is never read")
            }
        }
    }
}
