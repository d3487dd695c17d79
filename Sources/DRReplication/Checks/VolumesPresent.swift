internal import DRModel

struct VolumesPresent: Check {
    static let id = "volumes-present"
    static let summary = "The data of every claimed volume is there."
    static let asksSource = true

    func run(in context: CheckContext) async throws -> CheckResult {
        let source = try context.requireSource()
        var missing: [String] = []
        var found: [String] = []
        for application in context.applications {
            for volume in try await context.volumes(application) {
                do {
                    if let facts = try await source.volumes.stat(volume) {
                        found.append("\(volume) (\(facts.allocated))")
                    } else {
                        missing.append(volume.text)
                    }
                } catch let error as DRError where error.code == .volumeUnsupported {
                    // It is there; `volumes-supported` says the rest.
                    found.append(volume.text)
                }
            }
        }
        guard missing.isEmpty else {
            return failed("missing at \(source.name): \(missing.listed)", fix: "each volume is volumes/NAME/ or volumes/NAME.img")
        }
        return ok(found.isEmpty ? "no volumes" : found.listed)
    }
}
