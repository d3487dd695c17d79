internal import DRModel

struct Scheduled: Check {
    static let id = "scheduled"
    static let summary = "A schedule copies every application, often enough for its RPO target."
    static let next = "apply"

    func run(in context: CheckContext) async throws -> CheckResult {
        var found: [String] = []
        var ways: [(fix: String, next: String)] = []
        for application in context.applications {
            let all = try await context.schedules(of: application)
            guard let first = all.first else {
                found.append("nothing copies \(application.name)")
                ways.append(try await context.wayToCopy(application))
                continue
            }
            let running = all.filter { !$0.suspended }
            if running.isEmpty {
                found.append("schedule \(first.name) of \(application.name) is suspended")
                ways.append(try await context.wayToCopy(application))
                continue
            }
            guard let target = application.rpo else { continue }
            let intervals = running.compactMap { schedule in if case .interval(let interval) = schedule.policy { interval } else { nil } }
            if let shortest = intervals.min(), shortest > target {
                found.append("\(application.name) is copied every \(shortest.text), its RPO target is \(target.text)")
            } else if intervals.isEmpty, target < .seconds(86_400) {
                found.append("\(application.name) is copied by the day, its RPO target is \(target.text)")
            }
        }
        guard found.isEmpty else {
            // What is not copied at all comes before what is copied too seldom.
            let way = ways.first ?? ("declare a schedule of another name with a shorter interval in dr.yaml", Self.next)
            return warning(found.summed, fix: way.fix, next: way.next)
        }
        return ok("each application is copied often enough for its target")
    }
}
