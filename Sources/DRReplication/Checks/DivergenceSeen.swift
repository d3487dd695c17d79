internal import DRModel

struct DivergenceSeen: Check {
    static let id = "divergence-seen"
    static let summary = "No cluster holds data that it wrote by itself after it had lost an application."
    static let next = "status"

    func run(in context: CheckContext) async throws -> CheckResult {
        var found: [String] = []
        for end in context.ends {
            for application in context.applications {
                guard let mark = try await end.document(.deposed(application.name)) else { continue }
                found.append("\(application.name) at \(end.name), where it lost epoch \(mark["epoch"].integer ?? 0)")
            }
        }
        guard found.isEmpty else {
            return warning(
                "may hold data that nobody else has: \(found.listed)",
                fix: "look into its volumes there before it goes live again; they are then kept in .dr/divergent")
        }
        return ok("nobody wrote by himself")
    }
}
