internal import DRSupport

struct GlobalName: LintRule {
    static let id = "global"
    static let severity = LintFinding.Severity.error
    static let summary = "A name that is neither a local nor part of Lua: mostly a slip, and nil when it is read."

    func check(_ source: LintSource) -> [LintFinding] {
        var written: [String: Int] = [:]
        var reads: [(String, Int)] = []
        source.chunk.visit(
            block: { statements in
                for case (.assign(let assigned, _), let line) in statements.map({ ($0.kind, $0.line) }) {
                    for case .global(let name) in assigned.map(\.kind) {
                        written[name] = min(written[name] ?? line, line)
                    }
                }
            },
            expression: { expression in
                if case .global(let name) = expression.kind { reads.append((name, expression.line)) }
            })
        let assigned = written.sorted { $0.value < $1.value }.map { name, line in
            source.finding(self, line, "\(name) becomes a global", hint: "write `local \(name)`: a global is seen by every file of the run")
        }
        var seen: Set<String> = []
        let known = LintVocabulary.globals.union(source.chunk.locals.map(\.name))
        let unknown = reads.filter { name, _ in
            !LintVocabulary.globals.contains(name) && written[name] == nil && seen.insert(name).inserted
        }.map { name, line in
            source.finding(
                self, line, "there is no \(name)\(Spelling.hint(for: name, in: known))",
                hint: source.vocabulary.functions[name].map { "write dr.\($0.name)" })
        }
        return assigned + unknown
    }
}
