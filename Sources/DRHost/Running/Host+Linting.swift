public import DRActions
public import DRLint
public import DRModel
internal import DROutside

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
        let linter = Linter(vocabulary, applications: applicationNames, modules: sources.names)
        for module in [sources.main] + sources.modules.values.sorted(by: { $0.file < $1.file }) where seen.insert(module.file).inserted {
            report.findings += linter.findings(in: module.text, file: module.file).filter { finding in
                // Lua and the loader say the same better.
                guard let place = report.problem?.location, finding.severity == .error else { return true }
                return finding.rule != "syntax" && (place.file, place.line) != (finding.file, finding.line)
            }
        }
        return report
    }

    // Values that stand written out are judged as a plan would judge them.
    private var vocabulary: LintVocabulary {
        let (reference, allow) = (Reference(registry), configuration.allow)
        let surroundings = ParameterSurroundings(inventory: configuration.inventory, approvals: configuration.approvals)
        return LintVocabulary(reference.shapes.map(LintVocabulary.Function.init)) { function, constants, isWhole in
            let values = constants.mapValues { Value($0) }
            var found = reference.refusals(of: function, values, isWhole: isWhole, in: surroundings)
            for (field, value) in values.sorted(by: { $0.key < $1.key }) {
                guard let error = allow.refusal(of: function, field, value) else { continue }
                found.append((field: field, error: error))
            }
            found.removeAll { $0.error.isOfApplications(in: $0.field) }
            return found.map { LintVocabulary.Refusal(field: $0.field, message: $0.error.message, hint: $0.error.hint) }
        }
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
            fields: shape.fields.map { LintVocabulary.Field(name: $0.name, isRequired: $0.isRequired) }, arguments: shape.arguments)
    }
}

extension DRError {
    // These names have a rule of their own, which sees them one by one.
    fileprivate func isOfApplications(in field: String?) -> Bool {
        code == .unknownName && (field == "application" || field == "applications")
    }
}

extension Value {
    fileprivate init(_ constant: LintConstant) {
        switch constant {
        case .bool(let flag): self = .bool(flag)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = .number(number)
        case .text(let text): self = .string(text)
        case .list(let items): self = .list(items.map { Value($0) })
        case .table(let members): self = .map(members.mapValues { Value($0) })
        case .function: self = .function
        }
    }
}
