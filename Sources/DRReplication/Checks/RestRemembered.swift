internal import DRManifest
internal import DRModel

struct RestRemembered: Check {
    static let id = "rest-remembered"
    static let summary = "What is at rest on purpose is known, and stays at rest."

    func run(in context: CheckContext) async throws -> CheckResult {
        var resting: [String] = []
        for application in context.applications {
            for manifest in try await context.arriving(application) ?? [] {
                // What we hold ourselves is not at rest on purpose.
                if let workload = try HeldWorkload(manifest.object), workload.isHeld { resting.append(manifest.key.description) }
            }
        }
        let stopped = try await stoppedByUs(context)
        resting.removeAll(where: stopped.contains)
        return ok(resting.isEmpty ? "nothing is at rest on purpose" : "at rest on purpose, and stays so: \(resting.summed)")
    }

    private func stoppedByUs(_ context: CheckContext) async throws -> Set<String> {
        var held: Set<String> = []
        for application in context.applications {
            let record = try await context.source?.record(of: application.name)
            held.formUnion((record?.originals ?? [:]).keys.compactMap { ObjectKey(reference: $0)?.description })
        }
        return held
    }
}
