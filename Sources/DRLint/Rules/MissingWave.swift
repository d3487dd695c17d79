struct MissingWave: LintRule {
    static let id = "missing-wave"
    static let severity = LintFinding.Severity.warning
    static let summary = "Applications are moved by lists of names, and one of the configuration is in none of them."

    private static let moving: Set = ["failover", "failback", "activate", "quiesce"]

    func check(_ source: LintSource) -> [LintFinding] {
        let lists = source.calls.filter { Self.moving.contains($0.name) }.map { call in
            (call, call.table(source.vocabulary)?.first { $0.key?.string == "applications" }?.value)
        }
        var named: Set<String> = []
        for (_, applications) in lists {
            // Names that are worked out, or "all", leave nothing to say.
            guard case .table(let fields)? = applications?.kind else { return [] }
            for field in fields {
                guard field.key == nil, let name = field.value.string else { return [] }
                named.insert(name)
            }
        }
        let missing = source.applications.filter { !named.contains($0) }
        guard let first = lists.first?.0, !missing.isEmpty, !named.isDisjoint(with: source.applications), lists.count > 1 else { return [] }
        return [
            source.finding(
                self, first.line, "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") in no wave",
                hint: "add \(missing.count == 1 ? "it" : "them") to a list of applications, or say `-- lint: allow \(Self.id)`")
        ]
    }
}
