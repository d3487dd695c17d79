internal import DRModel

struct RecordsReadable: Check {
    static let id = "records-readable"
    static let summary = "No record of ours at either cluster is damaged."
    static let next = "status"

    func run(in context: CheckContext) async throws -> CheckResult {
        var damaged: [String] = []
        for end in context.ends {
            damaged += try await end.schedules().problems + (try await end.pairs().problems)
            for application in context.applications { damaged += try await end.points(of: application.name).problems }
        }
        guard damaged.isEmpty else {
            return warning(
                damaged.summed, fix: "mend the disk; migrate again, and set schedules and pairs up anew: others are not affected")
        }
        return ok("all records can be read")
    }
}
