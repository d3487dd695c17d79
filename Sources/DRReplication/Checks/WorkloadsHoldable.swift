internal import DRManifest
internal import DRModel

struct WorkloadsHoldable: Check {
    static let id = "workloads-holdable"
    static let summary = "Everything that runs can be put at rest, and stays so until its volumes are in place."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        var restless: [String] = []
        var count = 0
        for application in context.applications {
            for object in try await context.carried(application) {
                if try HeldWorkload(object) != nil {
                    count += 1
                } else if object.isCustomResource || object.key.kind == "Job", object.annotations[Manifest.holdAnnotation] != "none" {
                    restless.append(object.key.description)
                }
            }
        }
        guard restless.isEmpty else {
            return warning(
                "not known how to put at rest: \(restless.listed)",
                fix: "say it in the annotation \(Manifest.holdAnnotation), such as \"spec.shutdown=true\", or \"none\" where nothing runs")
        }
        return ok(count == 1 ? "1 workload, which can be put at rest" : "\(count) workloads, all of which can be put at rest")
    }
}
