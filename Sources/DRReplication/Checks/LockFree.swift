internal import DRModel

struct LockFree: Check {
    static let id = "lock-free"
    static let summary = "No other run holds one of the applications."
    static let next = "lock list"

    func run(in context: CheckContext) async throws -> CheckResult {
        let names = Set(context.applications.map(\.name))
        for cluster in context.ends {
            for lock in try await cluster.locks(of: names) where lock.counts && lock.holder.run != context.holder.run {
                return failed(
                    "\(lock.application) is locked at \(cluster.name) by run \(lock.holder.run) of \(lock.holder.runbook) "
                        + "(\(lock.holder.host), process \(lock.holder.process)) since \(lock.since)",
                    fix: "wait until it ends, or see `drrunbook show \(lock.holder.run)`")
            }
        }
        return ok("nobody else holds \(names.sorted().map(\.text).listed)")
    }
}
