internal import DRSupport

struct UnknownVerb: LintRule {
    static let id = "unknown-verb"
    static let severity = LintFinding.Severity.error
    static let summary = "`dr` has no function of that name."

    func check(_ source: LintSource) -> [LintFinding] {
        let known = source.vocabulary.functions.keys.sorted()
        var seen: Set<String> = []
        return source.mentions.filter { source.vocabulary.functions[$0.name] == nil && seen.insert("\($0.name):\($0.line)").inserted }.map {
            source.finding(
                self, $0.line, "there is no dr.\($0.name)\(Spelling.hint(for: $0.name, in: known))",
                hint: "`drrunbook explain` lists the verbs of this version")
        }
    }
}
