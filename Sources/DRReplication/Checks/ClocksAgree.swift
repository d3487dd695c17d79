internal import DRModel

struct ClocksAgree: Check {
    static let id = "clocks-agree"
    static let summary = "No recovery point and no lock is from the future."

    func run(in context: CheckContext) async throws -> CheckResult {
        let limit = context.now + .seconds(5)
        var found: [String] = []
        for application in context.applications {
            for point in try await context.destination.points(of: application.name).sound where point.instant > limit {
                found.append("\(point.id) is from \(point.instant)")
            }
        }
        for end in context.ends {
            for lock in try await end.locks(of: Set(context.applications.map(\.name))) where lock.since > limit {
                found.append("the lock of \(lock.application) is from \(lock.since)")
            }
        }
        guard found.isEmpty else {
            return warning(
                "it is \(context.now) here, but \(found.summed)",
                fix: "set the clocks of both hosts: ages and RPO are not to be trusted until then")
        }
        return ok("nothing is from the future")
    }
}
