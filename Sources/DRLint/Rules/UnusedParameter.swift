struct UnusedParameter: LintRule {
    static let id = "unused-parameter"
    static let severity = LintFinding.Severity.warning
    static let summary = "A parameter is declared and never read: whoever gives it believes that it does something."

    func check(_ source: LintSource) -> [LintFinding] {
        source.calls.filter { $0.name == "runbook" }.flatMap { call -> [LintFinding] in
            guard let fields = call.table(source.vocabulary), case .table(let declared)? = value("params", in: fields)?.kind,
                let run = value("run", in: fields)?.function
            else { return [] }
            guard let used = run.parameters.first.map({ Self.fields(of: $0, in: run) }) ?? [] else { return [] }
            return declared.compactMap { field in
                guard let name = field.key?.string, !used.contains(name) else { return nil }
                return source.finding(self, field.line, "parameter \(name) is never read")
            }
        }
    }

    private func value(_ name: String, in fields: [LuaField]) -> LuaExpression? { fields.first { $0.key?.string == name }?.value }

    // The fields that are read of it; nil when it is handed on as a whole.
    private static func fields(of local: LuaLocal, in function: LuaFunctionBody) -> Set<String>? {
        var names: Set<String> = []
        var direct = 0
        LuaChunk.visit(function.body, { _ in }) { expression in
            guard case .index(let value, let key) = expression.kind, case .local(let found) = value.kind, found === local,
                let name = key.string
            else { return }
            names.insert(name)
            direct += 1
        }
        return local.reads > direct ? nil : names
    }
}
