import ArgumentParser
import DRHost
import DRModel

struct Points: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists recovery points, newest first.",
        discussion: """
            VERIFIED: since then every byte that the point needs was read back here and was right; it is the oldest of these readings. A point that shares \
            data with earlier ones may need some that was read back before its own instant.

            EXAMPLE
              drrunbook points
              drrunbook points ledger
            """)

    @Argument(help: "Applications; all when none is named.")
    var applications: [ApplicationName] = []
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let (points, unreachable, answered) = try await host.points(of: applications)
            var table = Table("APPLICATION", "POINT", "AT", "INSTANT", "AGE", "CONSISTENCY", "VERIFIED")
            for point in points {
                table.add(
                    point.application.text, point.id.text, point.cluster.text, Runs.time(point.instant), point.age.text,
                    point.consistency.rawValue, point.verified_at.map(Runs.time) ?? "never")
                output.object("point", Self.members(point))
            }
            if points.isEmpty {
                output.say("no recovery points" + (unreachable.isEmpty ? "; `drrunbook serve` makes them" : " at the clusters that answer"))
            } else {
                output.table(table)
            }
            for error in unreachable { output.warning("\(error.message); its points are left out") }
            return answered ? .done : .unreachable
        }
    }

    private static func members(_ point: PointReport) -> [(String, Value)] {
        [
            ("id", .string(point.id.text)), ("application", .string(point.application.text)), ("cluster", .string(point.cluster.text)),
            ("instant", .instant(point.instant)), ("age", .duration(point.age)), ("consistency", .string(point.consistency.rawValue)),
            ("verified_at", point.verified_at.map(Value.instant) ?? .null),
        ]
    }
}
