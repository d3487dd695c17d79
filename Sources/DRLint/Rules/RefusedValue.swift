struct RefusedValue: LintRule {
    static let id = "refused-value"
    static let severity = LintFinding.Severity.error
    static let summary =
        "A value that stands written out and that the verb does not take: \"5 min\" for a duration, a misspelt word, a pattern that is none of cron's."

    func check(_ source: LintSource) -> [LintFinding] {
        var findings: [LintFinding] = []
        for call in source.calls {
            let written = written(in: call, source.vocabulary)
            let constants = written.compactMapValues { LintConstant.of($0) }
            let needed = source.vocabulary.functions[call.name]?.fields.filter(\.isRequired) ?? []
            let isWhole = needed.allSatisfy { written[$0.name] != nil } && call.table(source.vocabulary)?.count == constants.count
            for refusal in source.vocabulary.judge(call.name, constants, isWhole) {
                let line = refusal.field.flatMap { written[$0]?.line } ?? call.line
                let field = refusal.field.map { "\($0): " } ?? ""
                findings.append(source.finding(self, line, "\(call.name): \(field)\(refusal.message)", hint: refusal.hint))
            }
        }
        return findings
    }

    // By name: the fields of its table, or its arguments.
    private func written(in call: DRCall, _ vocabulary: LintVocabulary) -> [String: LuaExpression] {
        var written: [String: LuaExpression] = [:]
        if let fields = call.table(vocabulary) {
            for field in fields { if let name = field.key?.string { written[name] = field.value } }
        } else {
            for (name, value) in zip(vocabulary.functions[call.name]?.arguments ?? [], call.arguments) { written[name] = value }
        }
        return written
    }
}
