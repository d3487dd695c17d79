internal import DRModel

struct SamePlatform: Check {
    static let id = "same-platform"
    static let summary = "Both clusters are of one platform, kubernetes or openshift."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        let (a, b) = (try await context.requireSource().facts().platform, try await context.destination.facts().platform)
        guard a != b else { return ok("both are \(a)") }
        return failed(
            "\(context.sourceName) is \(a), \(context.destination.name) is \(b)",
            fix: "pair clusters of one platform: routes, deployment configs and security constraints do not exist on the other")
    }
}
