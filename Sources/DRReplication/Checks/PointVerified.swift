internal import DRModel

struct PointVerified: Check {
    static let id = "recovery-point-verified"
    static let summary = "The newest recovery point was read back not long ago, and is an instant."
    static let next = "points"

    private static let window: Duration = .seconds(7 * 86_400)
    /// A copy that is due is read within a day.
    private static let grace: Duration = .seconds(86_400)

    func run(in context: CheckContext) async throws -> CheckResult {
        var found: [String] = []
        var unread: [String] = []
        var seen: [String] = []
        var mendable: ApplicationName?
        for application in context.applications {
            let newest = try await context.newestPoint(application)
            guard let point = newest.whole?.point, let verified = point.verifiedAt else { continue }
            if let error = newest.mendable {
                found.append("\(error.message); \(context.storeName) has it sound")
                mendable = mendable ?? application.name
                continue
            }
            let age = max(.zero, context.now - verified)
            if age > Self.window { found.append("\(point.id) was read back \(age.text) ago") }
            if point.consistency == .fuzzy { found.append("\(point.id) is fuzzy: its files were written while they were copied") }
            if let age = try await sinceScrub(application, context), age > ReplicationEngine.scrubWindow + Self.grace {
                unread.append("no scrub has read the whole own copy of \(application.name) for \(age.text)")
            }
            seen.append("\(point.id): \(point.consistency.rawValue), read back \(age.text) ago")
        }
        if let mendable {
            return warning((found + unread).summed, fix: "bring it from there", next: "scrub \(mendable)")
        }
        guard found.isEmpty else {
            return warning(
                (found + unread).summed,
                fix: "migrate again, or drill: both read every byte; where the filesystem can reflink, copies are an instant")
        }
        guard unread.isEmpty else {
            return warning(unread.summed, fix: "`drrunbook serve` reads it once a week; or read it now", next: "scrub")
        }
        return ok(seen.isEmpty ? "no recovery point yet" : seen.summed)
    }

    /// Since the last scrub came to its end; since the oldest point came in where none did. Nil when there is no point.
    private func sinceScrub(_ application: Application, _ context: CheckContext) async throws -> Duration? {
        let last = try await context.destination.document(.scrubbed(application.name))?[context.storeName.text].integer
        if let last { return context.now - Instant(nanosecondsSince1970: last) }
        return try await context.destination.points(of: application.name).sound.last.map { context.now - $0.instant }
    }
}
