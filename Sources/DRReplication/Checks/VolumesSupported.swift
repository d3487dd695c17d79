internal import DRModel

struct VolumesSupported: Check {
    static let id = "volumes-supported"
    static let summary = "Every claimed volume is of a kind that can be copied."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        let source = try context.requireSource()
        var kinds: [String] = []
        for application in context.applications {
            for volume in try await context.volumes(application) {
                do {
                    if let facts = try await source.volumes.stat(volume) { kinds.append("\(volume): \(facts.kind.rawValue)") }
                } catch let error as DRError where error.code == .volumeUnsupported {
                    return failed(error.message, fix: error.hint ?? "remove what cannot be copied from the volume")
                }
            }
        }
        return ok(kinds.isEmpty ? "no volumes" : kinds.listed)
    }
}
