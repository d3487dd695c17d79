internal import DRManifest
internal import DRModel

struct JobsSettled: Check {
    static let id = "jobs-settled"
    static let summary = "No job is under way: one that began is not begun again elsewhere."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        var open: [String] = []
        for application in context.applications {
            for object in try await context.all(application) where object.key.kind == "Job" && object.key.group == "batch" {
                guard !LeftBehind.isIncluded(object), !LeftBehind.skipAnnotations.contains(where: { object.annotations[$0] == "true" })
                else { continue }
                let status = try Manifest(object).root["status"]
                if status?["completionTime"] == nil, status?["succeeded"] == nil { open.append(object.key.description) }
            }
        }
        guard open.isEmpty else {
            return warning(
                "not known to have ended, and left behind: \(open.summed)",
                fix:
                    "wait for it, or give it the annotation drrunbook/include: \"true\" if it may run again, drrunbook/skip: \"true\" if it need not"
            )
        }
        return ok("no job is under way")
    }
}
