internal import DRModel

struct PointVerified: Check {
    static let id = "recovery-point-verified"
    static let summary = "The newest recovery point was read back not long ago, and is an instant."
    static let next = "points"

    private static let window: Duration = .seconds(7 * 86_400)

    func run(in context: CheckContext) async throws -> CheckResult {
        var found: [String] = []
        var seen: [String] = []
        for application in context.applications {
            guard let point = try await context.newestPoint(application).whole?.point, let verified = point.verifiedAt else { continue }
            let age = max(.zero, context.now - verified)
            if age > Self.window { found.append("\(point.id) was read back \(age.text) ago") }
            if point.consistency == .fuzzy { found.append("\(point.id) is fuzzy: its files were written while they were copied") }
            seen.append("\(point.id): \(point.consistency.rawValue), read back \(age.text) ago")
        }
        guard found.isEmpty else {
            return warning(
                found.summed, fix: "migrate again, or drill: both read every byte; where the filesystem can reflink, copies are an instant")
        }
        return ok(seen.isEmpty ? "no recovery point yet" : seen.summed)
    }
}
