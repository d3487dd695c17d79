internal import DRModel

struct RecoveryPointFresh: Check {
    static let id = "recovery-point-fresh"
    static let summary = "The newest verified recovery point is younger than the RPO target."
    static let next = "serve"

    func run(in context: CheckContext) async throws -> CheckResult {
        var ages: [String] = []
        var damaged: [String] = []
        for application in context.applications {
            guard try await context.standing(of: application).active != context.destination.name else { continue }
            let newest = try await context.newestPoint(application)
            let bad = newest.damaged.map { "\($0.name) cannot be used: \($0.error.message)" }
            damaged += bad
            guard let point = newest.whole?.point else {
                let message =
                    "\(context.destination.name) has no verified recovery point of \(application.name)"
                    + (bad.isEmpty ? "" : " that can be read: \(bad.listed)")
                guard context.source != nil else {
                    return failed(
                        message, fix: "nothing can be activated there without one: bring the source back",
                        next: "points \(application.name)")
                }
                // A planned failover makes one.
                let way = try await context.wayToCopy(application)
                return warning(message, fix: "\(way.fix); until then a disaster would lose everything", next: way.next)
            }
            let age = max(.zero, context.now - point.instant)
            ages.append("\(application.name): \(point.id), \(age.text) old")
            guard let target = application.rpo, age > target else { continue }
            let message = "\(point.id) of \(application.name) is \(age.text) old, its RPO target is \(target.text)"
            guard context.source != nil else {
                return failed(message, fix: "accept the loss explicitly, or bring the source back", next: "points \(application.name)")
            }
            let way = try await context.wayToCopy(application)
            return warning(message, fix: way.fix, next: way.next)
        }
        guard damaged.isEmpty else {
            return warning(
                "\(damaged.listed); the newest that can be read are \(ages.listed)",
                fix: "name that recovery point, or migrate again while the source is there", next: "points")
        }
        return ok(ages.isEmpty ? "nothing to activate" : ages.listed)
    }
}
