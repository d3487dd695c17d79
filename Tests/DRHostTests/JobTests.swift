import DRActions
import DRHost
import DRModel
import Foundation
import Testing

/// Runbooks by the clock.
@Suite struct JobTests {
    // A Saturday, 22:59:30 UTC.
    private let begun = Instant(nanosecondsSince1970: 1_772_319_570_000_000_000)

    private func clock(_ jobs: String) throws -> JobClock {
        let text = """
            clusters: { east: { directory: east }, west: { directory: west } }
            jobs:
            \(jobs)

            """
        return try JobClock(try Configuration.read(text, file: "dr.yaml", folder: "/team").jobs, begun: begun)
    }

    @Test func `A job is due once for each of its times, and what was missed meanwhile is one`() throws {
        var clock = try clock("  hourly: { runbook: a.lua, cron: \"0 * * * *\" }")
        #expect(clock.due(at: begun) == nil)
        #expect(clock.next(after: begun) == begun + .seconds(30))
        #expect(clock.due(at: begun + .seconds(29)) == nil)
        #expect(clock.due(at: begun + .seconds(30))?.name == "hourly")
        #expect(clock.due(at: begun + .seconds(31)) == nil)
        #expect(clock.due(at: begun + .seconds(30 + 5 * 3600))?.name == "hourly")
        #expect(clock.due(at: begun + .seconds(31 + 5 * 3600)) == nil)
    }

    @Test func `Of several that are due the one whose time came first goes first, and zones are counted`() throws {
        var clock = try clock(
            "  late: { runbook: a.lua, cron: \"5 23 * * *\" }\n  early: { runbook: b.lua, cron: \"2 0 * * *\", zone: \"+01:00\" }")
        let later = begun + .seconds(600)
        #expect(clock.due(at: later)?.name == "early")
        #expect(clock.due(at: later)?.name == "late")
        #expect(clock.due(at: later) == nil)
    }

    @Test func `A job in a zone runs at its time of day when clocks are put forward and back`() throws {
        var clock = try clock("  nightly: { runbook: a.lua, cron: \"30 2 * * *\", zone: Europe/Berlin }")
        for (before, due) in [("2026-03-29T01:29:59Z", "2026-03-29T01:30:00Z"), ("2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z")] {
            _ = clock.due(at: try Instant(rfc3339: before))
            #expect(clock.next(after: try Instant(rfc3339: before)) == (try Instant(rfc3339: due)))
            #expect(clock.due(at: try Instant(rfc3339: due))?.name == "nightly")
        }
        // Shown a second time.
        #expect(clock.due(at: try Instant(rfc3339: "2026-10-25T01:30:00Z")) == nil)
    }

    @Test func `G8 a pattern and a zone that are none are found when dr yaml is read`() {
        let wrong: [(String, String)] = [
            ("cron: \"61 * * * *\"", "jobs.x.cron: "), ("cron: \"0 3 * * *\", zone: Mars", "jobs.x.zone: "),
            (
                "cron: \"0 3 * * *\", zone: Europe/Berln",
                "jobs.x.zone: there is no time zone \"Europe/Berln\" on this host (did you mean \"Europe/Berlin\"?)"
            ),
        ]
        for (fields, place) in wrong {
            let error = #expect(throws: ConfigurationError.self) { try clock("  x: { runbook: a.lua, \(fields) }") }
            #expect(error?.problems.first?.message.hasPrefix(place) == true, "\(error?.description ?? "")")
        }
    }

    @Test func `A job that would move applications is refused, and one that copies them is a run in the journal`() async throws {
        let shop = try ShopFixture()
        try shop.write(
            "dr.yaml",
            try shop.read("dr.yaml")
                + "jobs:\n  move: { runbook: runbooks/failover.lua, cron: \"0 3 * * *\" }\n  copy: { runbook: runbooks/protect.lua, cron: \"0 3 * * *\" }\n"
        )
        let host = try shop.host()
        defer { host.close() }
        for (job, outcome) in [("move", RunOutcome.failed), ("copy", .succeeded)] {
            let declared = try #require(host.configuration.jobs.first { $0.name == job })
            guard case .ran(_, let report, _) = await host.run(declared) else {
                Issue.record("\(job) did not run")
                continue
            }
            #expect(report.outcome == outcome, "\(report.error?.description ?? "")")
            #expect(try host.show(report.run).summary.outcome == outcome)
        }
        let status = try await host.status()
        #expect(status.allSatisfy { $0.active_at == "east" && $0.running == true })
    }
}
