internal import DRSupport

struct UnknownParameter: LintRule {
    static let id = "unknown-parameter"
    static let severity = LintFinding.Severity.error
    static let summary =
        "A parameter is read that the runbook does not declare: it is always nil, and a condition on it always goes the same way."

    func check(_ source: LintSource) -> [LintFinding] {
        source.runbooks.flatMap { runbook -> [LintFinding] in
            guard let parameters = runbook.parameters, !parameters.isWritten, let names = runbook.declared?.map({ $0.key?.string }) else {
                return []
            }
            let known = names.compactMap(\.self)
            // A name that is worked out may be any.
            guard known.count == names.count else { return [] }
            return parameters.reads.filter { !known.contains($0.name) }.map { read in
                source.finding(
                    self, read.line, "there is no parameter \(read.name)\(Spelling.hint(for: read.name, in: known))",
                    hint: known.isEmpty
                        ? "declare it: params = { \(read.name) = { type = \"string\" } }"
                        : "declared: \(known.sorted().joined(separator: ", "))")
            }
        }
    }
}
