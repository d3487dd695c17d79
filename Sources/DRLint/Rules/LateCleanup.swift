struct LateCleanup: LintRule {
    static let id = "late-cleanup"
    static let severity = LintFinding.Severity.warning
    static let summary = "A drill is cleaned up only when all before it went well: after a failure its clones stay until their lease ends."

    func check(_ source: LintSource) -> [LintFinding] {
        var findings: [LintFinding] = []
        source.chunk.visit(block: { statements in
            let steps = statements.map { source.ownCalls(of: $0) }
            guard let opened = steps.firstIndex(where: { $0.contains { $0.name == "drill" } }),
                let closed = steps.lastIndex(where: { $0.contains { $0.name == "cleanup" } }), closed > opened + 1
            else { return }
            // What may raise in between: a verb, or a verdict of the script itself.
            let between = statements[(opened + 1)..<closed]
            let guarded = steps[opened...closed].contains { $0.contains { $0.name == "finally" } }
            guard !guarded, between.contains(where: { source.mayRaise($0) }) else { return }
            let line = steps[closed].first { $0.name == "cleanup" }?.line ?? statements[closed].line
            findings.append(
                source.finding(
                    self, line, "the drill is cleaned up only if nothing fails after line \(statements[opened].line)",
                    hint: "`dr.finally(function() dr.cleanup { drill = drill } end)` right after the drill"))
        })
        return findings
    }
}

extension LintSource {
    fileprivate func mayRaise(_ statement: LuaStatement) -> Bool {
        if ownCalls(of: statement).contains(where: {
            vocabulary.isVerb($0.name) || ["step", "call", "retry", "wait_until", "fail", "parallel"].contains($0.name)
        }) {
            return true
        }
        var raises = false
        LuaChunk.visit([statement], { _ in }) { expression in
            if case .call(let callee, _) = expression.kind, case .global(let name) = callee.kind, name == "assert" || name == "error" {
                raises = true
            }
        }
        return raises
    }
}
