internal import DRManifest
internal import DRModel

struct NamespacesSettled: Check {
    static let id = "namespaces-settled"
    static let summary = "No namespace of the applications is being removed at the destination."

    func run(in context: CheckContext) async throws -> CheckResult {
        let wanted = Set(context.applications.flatMap { $0.namespaces(at: context.destination.name) })
        let present = try await context.destination.objects(.keys(Set(wanted.map { ObjectKey(kind: "Namespace", name: $0) })))
        let ending = try present.map { try Manifest($0) }.filter { manifest in
            manifest.scalar(at: ["metadata", "deletionTimestamp"]) != nil || manifest.scalar(at: ["status", "phase"]) == "Terminating"
        }
        guard ending.isEmpty else {
            return failed(
                "being removed at \(context.destination.name): \(ending.map(\.key.name).listed)",
                fix: "wait until they are gone, or see what holds them")
        }
        return ok("none is being removed")
    }
}
