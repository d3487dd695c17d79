internal import DRManifest
internal import DRModel

struct NoForeignObjects: Check {
    static let id = "no-foreign-objects"
    static let summary = "Nothing of somebody else stands at the destination where the applications would."

    func run(in context: CheckContext) async throws -> CheckResult {
        var looked = 0
        var unseen: [String] = []
        for application in context.applications {
            let standing = try await context.standing(of: application)
            guard standing.active != context.destination.name else { continue }
            // What was ever active here is its own.
            let record = standing.effectiveRecord(at: context.destination.name)
            guard record.active != context.destination.name else { continue }
            let owned = Set(record.owned)
            guard let keys = try await keys(of: application, context, &unseen) else { continue }
            let new = Set(keys.filter { !CarriedObjects.isShared($0) && !owned.contains($0.reference) })
            looked += new.count
            if let key = try await context.destination.objects(.keys(new)).first?.key {
                return failed(
                    "\(context.destination.name) already has \(key), which \(application.name) did not make",
                    fix: "remove or rename it at \(context.destination.name), or take it out of the application")
            }
        }
        guard unseen.isEmpty else {
            return warning(
                "could not look: \(unseen.listed)", fix: "what is in the way is found again, and refused, when the point is made live")
        }
        return ok(looked == 0 ? "nothing new would be created" : "none of \(looked) objects exists at \(context.destination.name)")
    }

    /// Nil where nobody can say, with the reason among `unseen`.
    private func keys(of application: Application, _ context: CheckContext, _ unseen: inout [String]) async throws -> [ObjectKey]? {
        if let manifests = try await context.arriving(application) { return manifests.map(\.key) }
        let newest = try await context.newestPoint(application)
        guard let damage = newest.damaged.first else { return [] }
        unseen.append(damage.error.message)
        return nil
    }
}
