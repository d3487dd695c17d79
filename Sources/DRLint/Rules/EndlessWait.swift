struct EndlessWait: LintRule {
    static let id = "endless-wait"
    static let severity = LintFinding.Severity.warning
    static let summary = "A loop waits for something and has no time-out: the run hangs on the day it does not come."

    func check(_ source: LintSource) -> [LintFinding] {
        var findings: [LintFinding] = []
        source.chunk.visit(block: { statements in
            for statement in statements {
                let condition: LuaExpression
                switch statement.kind {
                case .while(let value, _), .repeat(_, let value): condition = value
                default: continue
                }
                let calls = statement.blocks.flatMap { $0 }.flatMap { source.ownCalls(of: $0) }
                guard calls.contains(where: { $0.name == "sleep" }), !Self.looksAtTime(condition),
                    !calls.contains(where: { $0.name == "now" })
                else { continue }
                findings.append(
                    source.finding(
                        self, statement.line, "a loop that waits and has no time-out",
                        hint: "dr.wait_until({ timeout = \"10m\", every = \"5s\" }, function() ... end)"))
            }
        })
        return findings
    }

    // Counting rounds, or looking at the clock, ends it.
    private static func looksAtTime(_ condition: LuaExpression) -> Bool {
        if case .binary(let symbol, _, _) = condition.kind, ["<", ">", "<=", ">="].contains(symbol) { return true }
        return condition.children.contains(where: looksAtTime)
    }
}
