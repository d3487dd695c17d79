struct IgnoredFailure: LintRule {
    static let id = "ignored-failure"
    static let severity = LintFinding.Severity.warning
    static let summary = "The result of a `pcall` or `attempt` around verbs is not looked at: a failure passes unseen."

    func check(_ source: LintSource) -> [LintFinding] {
        var findings: [LintFinding] = []
        source.chunk.visit(block: { statements in
            for statement in statements {
                switch statement.kind {
                case .expression(let call): judge(call, statement.line, source, into: &findings)
                case .local(let names, let values):
                    guard values.count == 1, let first = names.first, first.reads == 0 else { continue }
                    judge(values[0], statement.line, source, into: &findings)
                default: break
                }
            }
        })
        return findings
    }

    private func judge(_ expression: LuaExpression, _ line: Int, _ source: LintSource, into findings: inout [LintFinding]) {
        guard case .call(let callee, let arguments) = expression.kind else { return }
        let catcher: String
        switch callee.kind {
        case .global("pcall"): catcher = "pcall"
        case .global("xpcall"): catcher = "xpcall"
        default:
            guard callee.drMember == "attempt" else { return }
            catcher = "attempt"
        }
        let called = arguments.compactMap(\.drMember) + source.calls(in: arguments).map(\.name)
        guard let verb = called.first(where: source.vocabulary.isVerb) else { return }
        findings.append(
            source.finding(
                self, line, "whether \(verb) failed is not looked at",
                hint: "`local ok, e = \(catcher)(...)`, then `if not ok then`: say what is done then"))
    }
}
