internal import DRSupport

struct UnknownModule: LintRule {
    static let id = "unknown-module"
    static let severity = LintFinding.Severity.error
    static let summary =
        "`require` is given the name of a file that is not there: it raises when it is reached, perhaps in the middle of a move."

    func check(_ source: LintSource) -> [LintFinding] {
        guard let modules = source.modules else { return [] }
        var findings: [LintFinding] = []
        source.chunk.visit(expression: { expression in
            guard case .call(let callee, let arguments) = expression.kind, case .global("require") = callee.kind,
                let name = arguments.first?.string?.replacing("/", with: "."), name != "dr", !modules.contains(name)
            else { return }
            findings.append(
                source.finding(
                    self, expression.line, "there is no module \"\(name)\"\(Spelling.hint(for: name, in: modules))",
                    hint: "modules are files beside the runbook and in lib/ there, by their names without .lua"))
        })
        return findings
    }
}
