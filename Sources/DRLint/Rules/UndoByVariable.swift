struct UndoByVariable: LintRule {
    static let id = "undo-by-variable"
    static let severity = LintFinding.Severity.warning
    static let summary =
        "An undo decides by a variable of the script: it says what the script believed, not what is there when the undo runs."

    func check(_ source: LintSource) -> [LintFinding] {
        source.calls.filter { $0.name == "undo" }.flatMap { call -> [LintFinding] in
            guard let function = call.arguments.first?.function else { return [] }
            let inner = Self.locals(declaredIn: function)
            var findings: [LintFinding] = []
            LuaChunk.visit(
                function.body,
                { statements in
                    for case .if(let branches, _) in statements.map(\.kind) {
                        for condition in branches.map(\.condition) {
                            guard let flag = Self.flag(in: condition), !inner.contains(ObjectIdentifier(flag)), !flag.assignments.isEmpty
                            else { continue }
                            findings.append(
                                source.finding(
                                    self, condition.line, "the undo decides by \(flag.name), which is set on line \(flag.assignments[0])",
                                    hint: "ask what is there: `while_active_at` in the options of undo, or `dr.status` in it"))
                        }
                    }
                }, { _ in })
            return findings
        }
    }

    // A local that is tested for itself.
    private static func flag(in condition: LuaExpression) -> LuaLocal? {
        switch condition.kind {
        case .local(let local): local
        case .unary("not", let value), .parentheses(let value): flag(in: value)
        case .binary("and", let left, let right), .binary("or", let left, let right): flag(in: left) ?? flag(in: right)
        case .binary("==", let left, let right), .binary("~=", let left, let right): flag(in: left) ?? flag(in: right)
        default: nil
        }
    }

    private static func locals(declaredIn function: LuaFunctionBody) -> Set<ObjectIdentifier> {
        var found = Set(function.parameters.map { ObjectIdentifier($0) })
        LuaChunk.visit(
            function.body,
            { statements in
                for statement in statements {
                    switch statement.kind {
                    case .local(let locals, _), .genericFor(let locals, _, _): found.formUnion(locals.map { ObjectIdentifier($0) })
                    case .numericFor(let local, _, _), .localFunction(let local, _): found.insert(ObjectIdentifier(local))
                    default: break
                    }
                }
            },
            { expression in
                if let inner = expression.function { found.formUnion(inner.parameters.map { ObjectIdentifier($0) }) }
            })
        return found
    }
}
