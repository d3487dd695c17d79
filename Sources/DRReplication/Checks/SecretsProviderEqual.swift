internal import DRModel

struct SecretsProviderEqual: Check {
    static let id = "secrets-provider-equal"
    static let summary = "Both clusters keep secrets with the same provider."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        let a = try await context.requireSource().facts().secretsProvider
        let b = try await context.destination.facts().secretsProvider
        guard a != b else { return ok("both use \(a ?? "none")") }
        return failed(
            "\(context.sourceName) uses \(a ?? "none"), \(context.destination.name) uses \(b ?? "none")",
            fix: "use one secrets provider: an encrypted volume cannot be opened without its key")
    }
}
