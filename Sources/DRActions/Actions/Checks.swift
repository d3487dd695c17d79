internal import DRModel

struct Checks: DRAction {
    static let spec = ActionSpec(
        "checks", summary: "Asks whether applications can be moved, and says what to mend.", effect: .observes,
        example: #"dr.checks { pair = "east-west", applications = "all", skip = { capacity = "west grows on demand" } }"#)

    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications.", default: nil) var applications: ApplicationSet?
    @Parameter("Only these checks.") var only: [String]?
    @Parameter("Checks left out, each with the reason.") var skip: [String: String]?
    @Parameter("Checks that only warn, each with the reason.") var warn_only: [String: String]?
    @Parameter("Raise `checks-failed` when one fails.", default: true) var raise: Bool
    @Parameter("Over the pair's other direction.", default: false) var reversed: Bool
    @Parameter("Ask nothing of the source: it is lost.", default: false) var without_source: Bool

    func perform(in context: ActionContext) async throws -> [CheckResult] {
        let names = applications?.names ?? context.inventory.applications.map(\.name).sorted()
        let order = CheckOrder(
            pair: pair.name, reversed: reversed, applications: names, only: only, skip: skip ?? [:], warnOnly: warn_only ?? [:],
            withoutSource: without_source)
        let results = try await context.engine.checks(order, context.call)
        let failed = results.filter { $0.state == .failed }
        guard raise, !failed.isEmpty else { return results }
        throw DRError(
            .checksFailed, (failed.count == 1 ? "a check failed: " : "\(failed.count) checks failed: ") + Self.summary(of: failed),
            hint: failed.first { $0.fix != nil }.flatMap(Self.hint), details: try Value(encoding: results))
    }

    private static func hint(_ result: CheckResult) -> String? {
        result.fix.map { fix in fix + (result.next.map { "; then: \($0)" } ?? "") }
    }

    // One cause often fails several checks: it is told once, with their names.
    private static func summary(of failed: [CheckResult]) -> String {
        var told: [(message: String, checks: [String])] = []
        for result in failed {
            if let index = told.firstIndex(where: { $0.message == result.message }) {
                told[index].checks.append(result.id)
            } else {
                told.append((result.message, [result.id]))
            }
        }
        return told.map { "\($0.checks.joined(separator: ", ")): \($0.message)" }.joined(separator: "; ")
    }
}
