internal import DRModel
internal import DRSupport

extension Cluster {
    /// Throws `unknown-name` for a rule that this cluster does not have.
    func requireRules(_ asked: SnapshotRules) throws {
        guard let rules else { return }
        for rule in [asked.pre, asked.post].compactMap(\.self) where !rules.contains(rule) { throw unknownRule(rule) }
    }

    func unknownRule(_ rule: RuleName) -> DRError {
        let known = (rules ?? []).map(\.text)
        return DRError(
            .unknownName, "cluster \(name) has no rule \"\(rule)\"\(Spelling.hint(for: rule.text, in: known))",
            hint: known.isEmpty ? "declare it in dr.yaml: clusters.\(name).rules" : "its rules are \(known.listed)")
    }
}

extension ReplicationEngine {
    /// Runs `body` while the application is quiet at the source. Whatever comes of it, the application goes on; when that fails too, both are told.
    func holding<Result>(
        _ application: ApplicationName, by rules: SnapshotRules, at source: any Cluster, _ effects: EffectLog,
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard !rules.isEmpty else { return try await body() }
        func note(_ rule: RuleName?) {
            if let rule { effects.record(Effect(.call, kind: "rule", name: rule.text, at: source.name)) }
        }
        try await source.hold(application, by: rules)
        note(rules.pre)
        failpoint("engine.rules.held")
        let result: Result
        do { result = try await body() } catch {
            do { _ = try await source.letGo(application) } catch let second as DRError {
                guard let first = error as? DRError else { throw error }
                throw first.with(second, holding: application, at: source.name)
            }
            throw error
        }
        _ = try await source.letGo(application)
        note(rules.post)
        failpoint("engine.rules.let-go")
        return result
    }
}
