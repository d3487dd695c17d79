public import DRActions
public import DRLint
public import DRModel

/// What was found out about a runbook without running it.
public struct LintReport: Sendable {
    /// Nil when it does not load.
    public var declared: Runbook?
    /// Why it does not load.
    public var problem: DRError?
    public var findings: [LintFinding] = []

    /// It cannot be run as it is.
    public var isWrong: Bool { problem != nil || findings.contains { $0.severity == .error } }
}

extension Host {
    /// What can be known to be wrong with a runbook and its modules without running them: what keeps it from loading, and what the rules of `Linter`
    /// find on every path. Modules are looked at once, in `seen`.
    public func lint(_ runbook: String, seen: inout Set<String>) async -> LintReport {
        var report = LintReport()
        do {
            report.declared = try await inspect(runbook)
        } catch {
            report.problem = error as? DRError ?? DRError(.internal, "\(error)")
        }
        guard let sources = try? RunbookFile(runbook).sources() else { return report }  // `inspect` said why
        let linter = Linter(LintVocabulary(Reference(registry).shapes.map(LintVocabulary.Function.init)), applications: applicationNames)
        for module in [sources.main] + sources.modules.values.sorted(by: { $0.file < $1.file }) where seen.insert(module.file).inserted {
            report.findings += linter.findings(in: module.text, file: module.file).filter { finding in
                // Lua and the loader say the same better.
                guard let place = report.problem?.location, finding.severity == .error else { return true }
                return finding.rule != "syntax" && (place.file, place.line) != (finding.file, finding.line)
            }
        }
        return report
    }

    private var applicationNames: [String] { configuration.inventory.applications.map(\.name.text) }
}

extension LintVocabulary.Function {
    init(_ shape: FunctionShape) {
        let effect: LintVocabulary.Effect =
            switch shape.effect {
            case .observes: .observes
            case .changes: .changes
            case .outside: .outside
            case nil: .flow
            }
        self.init(
            name: shape.name, effect: effect, table: shape.table,
            fields: shape.fields.map { LintVocabulary.Field(name: $0.name, isRequired: $0.isRequired, choices: $0.choices) })
    }
}
