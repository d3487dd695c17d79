internal import DRModel

struct ClaimsBound: Check {
    static let id = "claims-bound"
    static let summary = "Every claim names its volume, and that volume's object exists."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        var count = 0
        for application in context.applications {
            let objects = try await context.carried(application)
            let claimed = try ClaimedVolumes(of: objects)
            if !claimed.unbound.isEmpty {
                return failed(
                    "not bound at \(context.sourceName): \(claimed.unbound.map(\.description).listed)",
                    fix: "set spec.volumeName to the name of the PersistentVolume")
            }
            let present = Set(objects.map(\.key))
            let missing = claimed.volumes.map(ObjectKey.volume).filter { !present.contains($0) }
            if !missing.isEmpty {
                return failed(
                    "claims of \(application.name) name what is not at \(context.sourceName): \(missing.map(\.description).listed)",
                    fix: "add the PersistentVolume, or correct spec.volumeName")
            }
            count += claimed.volumes.count
        }
        return ok(count == 0 ? "no claims" : "\(count) volume\(count == 1 ? "" : "s") claimed, all bound")
    }
}
