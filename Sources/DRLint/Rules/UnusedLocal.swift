struct UnusedLocal: LintRule {
    static let id = "unused-local"
    static let severity = LintFinding.Severity.warning
    static let summary = "A local is never read: a result nobody looks at, or a slip in a name."

    func check(_ source: LintSource) -> [LintFinding] {
        source.chunk.locals.filter { $0.reads == 0 && ($0.role == .variable || $0.role == .function) && !$0.name.hasPrefix("_") }.map {
            source.finding(self, $0.line, "local \($0.name) is never read", hint: "leave it out, or begin its name with _")
        }
    }
}
