internal import DRModel

struct SchedulesApart: Check {
    static let id = "schedules-apart"
    static let summary = "No two schedules copy one application over one pair."
    static let next = "schedules"

    func run(in context: CheckContext) async throws -> CheckResult {
        var found: [String] = []
        for application in context.applications {
            let running = try await context.schedules(of: application).filter { !$0.suspended && $0.pair == context.pair }
            if running.count > 1 { found.append("\(application.name) by \(running.map(\.name.text).joined(separator: " and "))") }
        }
        guard found.isEmpty else {
            return warning(
                "copied twice over \(context.pair): \(found.listed)",
                fix: "leave each application to one schedule: the most generous retention wins")
        }
        return ok("each application is in one schedule at most")
    }
}
