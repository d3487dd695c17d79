internal import DRModel

struct SourceActive: Check {
    static let id = "source-active"
    static let summary = "The applications are active at the source, and the records of both clusters agree."
    static let next = "status"

    func run(in context: CheckContext) async throws -> CheckResult {
        var live: [String] = []
        for application in context.applications {
            let standing = try await context.standing(of: application)
            let (epoch, active) = (standing.epoch, standing.active)
            if active == context.destination.name {
                live.append(application.name.text)
                continue
            }
            guard active == context.sourceName else {
                return failed(
                    "\(application.name) is active at \(active) since epoch \(epoch), not at \(context.sourceName)",
                    fix: "use a pair that leads away from \(active)")
            }
            guard context.source == nil || standing.epoch(at: context.sourceName) == epoch else {
                return failed(
                    "\(application.name) goes to \(active) in epoch \(epoch), but its activation there was not finished",
                    fix: "activate it at \(active) again")
            }
        }
        let moved = live.isEmpty ? "" : "; already at \(context.destination.name): \(live.listed)"
        let there = context.applications.map(\.name.text).filter { !live.contains($0) }
        let place = context.source == nil ? "as far as \(context.destination.name) knows" : "both clusters agree"
        return ok("active at \(context.sourceName): \(there.isEmpty ? "none" : there.listed)\(moved); \(place)")
    }
}
