internal import DRModel

struct WorkloadsHoldable: Check {
    static let id = "workloads-holdable"
    static let summary = "Everything that runs can be held at rest until its volumes are in place."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        var live: [String] = []
        for application in context.applications {
            live += try await context.carried(application).map(\.key).filter { ["DaemonSet", "Job"].contains($0.kind) }.map(\.description)
        }
        guard live.isEmpty else {
            return warning(
                "\(live.listed) would start as soon as the manifests are there, and cannot be stopped first",
                fix: "make it a Deployment or CronJob, or give it the annotation stork.libopenstorage.org/skip-resource: \"true\"")
        }
        return ok("all workloads have replicas or can be suspended")
    }
}
