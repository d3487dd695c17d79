struct VerbOutsideRun: LintRule {
    static let id = "verb-outside-run"
    static let severity = LintFinding.Severity.error
    static let summary = "A verb is called while the file loads: nothing may happen before `run`."

    func check(_ source: LintSource) -> [LintFinding] {
        source.calls.filter { $0.functions.isEmpty && source.vocabulary.isVerb($0.name) }.map {
            source.finding(
                self, $0.line, "\($0.name) is called while the file loads", hint: "call it in `run`, or in a function that `run` calls")
        }
    }
}
