struct LateUndo: LintRule {
    static let id = "late-undo"
    static let severity = LintFinding.Severity.warning
    static let summary = "An undo is registered after what it undoes: a run that dies in between leaves it done for ever."

    // These are taken back by hand; the others have an end of their own.
    private static let undoable: Set = ["exec", "http", "patch", "suspend_schedule", "resume_schedule", "notify"]

    func check(_ source: LintSource) -> [LintFinding] {
        var findings: [LintFinding] = []
        source.chunk.visit(block: { statements in
            let steps = statements.map { statement in
                source.ownCalls(of: statement).filter { $0.name == "undo" || Self.undoable.contains($0.name) }
            }
            for (index, statement) in statements.enumerated() where steps[index].contains(where: { $0.name == "undo" }) {
                // With something to undo after it, it belongs to that.
                guard steps[(index + 1)...].first(where: { !$0.isEmpty }).map({ $0.contains { $0.name == "undo" } }) ?? true,
                    let before = steps[..<index].last(where: { !$0.isEmpty })?.first(where: { $0.name != "undo" })
                else { continue }
                findings.append(
                    source.finding(
                        self, statement.line, "the undo of \(before.name) (line \(before.line)) is registered after it",
                        hint: "register it before: it asks by itself, when it runs, whether there is something to undo"))
            }
        })
        return findings
    }
}

extension LintSource {
    /// The calls in a statement itself and in its blocks; not those in functions it makes.
    func ownCalls(of statement: LuaStatement) -> [DRCall] {
        var own: [DRCall] = []
        func walk(_ expression: LuaExpression) {
            if case .call(let callee, let arguments) = expression.kind, let name = callee.drMember {
                own.append(DRCall(name: name, arguments: arguments, line: callee.line, functions: [], within: []))
            }
            expression.children.forEach(walk)
        }
        func walk(_ statement: LuaStatement) {
            statement.expressions.forEach(walk)
            for block in statement.blocks { block.forEach(walk) }
        }
        walk(statement)
        return own
    }
}
