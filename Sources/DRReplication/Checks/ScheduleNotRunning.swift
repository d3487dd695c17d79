internal import DRModel

struct ScheduleNotRunning: Check {
    static let id = "schedule-not-running"
    static let summary = "Every schedule can copy the applications away from where they are active."
    static let next = "schedules"

    func run(in context: CheckContext) async throws -> CheckResult {
        var seen: [String] = []
        var damaged: [String] = []
        for cluster in context.ends {
            let listed = try await cluster.schedules()
            damaged += listed.problems
            for schedule in listed.sound {
                let covered = context.applications.filter { schedule.covers($0.name) }
                guard !covered.isEmpty else { continue }
                seen.append("\(schedule.name)\(schedule.suspended ? " (suspended)" : "")")
                guard !schedule.suspended, let pair = context.inventory.pair(schedule.pair) else { continue }
                for application in covered {
                    let active = try await context.standing(of: application).active
                    // It turns round with the application where its pair leads both ways.
                    guard active != pair.source, !pair.bothWays || active != pair.destination else { continue }
                    return warning(
                        "schedule \(schedule.name) copies \(application.name) from \(pair.source) only, but it is active at \(active)",
                        fix: "set bothWays: true on pair \(pair.name), or suspend the schedule while \(application.name) lives at \(active)"
                    )
                }
            }
        }
        guard damaged.isEmpty else {
            return warning("could not look: \(damaged.listed)", fix: "set the schedule up again, or remove its record")
        }
        return ok(seen.isEmpty ? "no schedule is set up" : seen.listed)
    }
}
