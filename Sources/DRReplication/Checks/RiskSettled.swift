internal import DRModel

struct RiskSettled: Check {
    static let id = "risk-settled"
    static let summary = "No application may still be written to at two clusters."
    static let next = "status"

    func run(in context: CheckContext) async throws -> CheckResult {
        var open: [String] = []
        for application in context.applications {
            let standing = try await context.standing(of: application)
            if standing.leading.split_brain_risk {
                open.append("\(application.name), active at \(standing.active) since epoch \(standing.epoch)")
            }
        }
        guard open.isEmpty else {
            return warning(
                "its former cluster was never seen to be cut off: \(open.listed)",
                fix: "see that nothing of it runs there, then replicate back to it: the first copy fences it")
        }
        return ok("no application is at risk of two writers")
    }
}
