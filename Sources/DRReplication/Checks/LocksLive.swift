internal import DRModel

struct LocksLive: Check {
    static let id = "locks-live"
    static let summary = "No run died and left an application in the middle of something."
    static let next = "runs"

    func run(in context: CheckContext) async throws -> CheckResult {
        let names = Set(context.applications.map(\.name))
        var found: [String] = []
        for end in context.ends {
            for lock in try await end.locks(of: names) where !lock.counts && lock.holder.run != context.holder.run {
                found.append("\(lock.application) at \(end.name) by run \(lock.holder.run)")
            }
        }
        guard found.isEmpty else {
            return warning("left by a run that is gone: \(found.summed)", fix: "`drrunbook runs` tells whether it can be resumed")
        }
        return ok("no run left anything behind")
    }
}
