internal import DRModel

struct NoForeignObjects: Check {
    static let id = "no-foreign-objects"
    static let summary = "Nothing of somebody else stands at the destination where the applications would."

    func run(in context: CheckContext) async throws -> CheckResult {
        var looked = 0
        for application in context.applications {
            let standing = try await context.standing(of: application)
            guard standing.active != context.destination.name else { continue }
            // What was ever active here is its own.
            let record = standing.effectiveRecord(at: context.destination.name)
            guard record.active != context.destination.name else { continue }
            let owned = Set(record.owned)
            for key in try await keys(of: application, context) where key.kind != "Namespace" && !owned.contains(key.reference) {
                looked += 1
                guard try await context.destination.object(key) != nil else { continue }
                return failed(
                    "\(context.destination.name) already has \(key), which \(application.name) did not make",
                    fix: "remove or rename it at \(context.destination.name), or take it out of the application")
            }
        }
        return ok(looked == 0 ? "nothing new would be created" : "none of \(looked) objects exists at \(context.destination.name)")
    }

    private func keys(of application: Application, _ context: CheckContext) async throws -> [ObjectKey] {
        if context.source != nil { return try await context.carried(application).map(\.key) }
        guard let point = try await context.newestPoint(application) else { return [] }
        return try CarriedObjects.of(try await context.destination.volumes.manifests(of: point)).map(\.key)
    }
}
