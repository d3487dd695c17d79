import DRHost
import DRLint
import DRModel
import Foundation
import Testing

/// G8 What stands written out in a call is judged by lint as a plan judges it, on paths that no plan takes.
@Suite(.waitsForProcesses) struct RefusedValueTests {
    static let refused: [(call: String, field: String)] = [
        (#"dr.sleep "5 min""#, "duration"), (#"dr.duration("5min")"#, "text"), (#"dr.time "yesterday""#, "text"),
        (#"dr.wait_until({ timeout = "5 min" }, function() end)"#, "timeout"),
        (#"dr.retry({ every = "10 s" }, function() end)"#, "every"), (#"dr.retry({ on = { "timout" } }, function() end)"#, "on"),
        (#"dr.retry({ times = "3" }, function() end)"#, "times"),
        (#"dr.in_order({ "a" }, { on_failure = "stp" }, function() end)"#, "on_failure"),
        (#"dr.step("s", function() end, { deadline = "5 min" })"#, "deadline"),
        (#"dr.undo(function() end, { while_active_at = "wst" })"#, "while_active_at"),
        (#"dr.previous { outcome = "suceeded" }"#, "outcome"),
        (#"dr.migrate { pair = "east-west", applications = "all", deadline = "5 min" }"#, "deadline"),
        (#"dr.migrate { pair = "eastwest", applications = "all" }"#, "pair"),
        (#"dr.migrate { pair = "east-west", applications = "al" }"#, "applications"),
        (#"dr.failover { pair = "east-west", applications = "all", mode = "plannd" }"#, "mode"),
        (#"dr.failover { pair = "east-west", applications = "all", mode = "planned", deadlines = { strt = "1m" } }"#, "deadlines"),
        (#"dr.failover { pair = "east-west", applications = "all", mode = "planned", on = { redy = function() end } }"#, "on"),
        (
            #"dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "x", fenced = "powr" } }"#,
            "source_down"
        ),
        (#"dr.drill { pair = "east-west", applications = "all", recovery_point = { at_or_before = "noon" } }"#, "recovery_point"),
        (#"dr.get { cluster = "wst", kind = "Service", name = "x" }"#, "cluster"),
        (#"dr.window { cron = "0 25 * * *", length = "2h" }"#, "cron"),
        (#"dr.window { opens = "2026-03-01", closes = "2026-03-02T04:00:00Z" }"#, "opens"),
        (#"dr.schedule { name = "s", pair = "east-west", applications = "all", weekly = { day = "sundy", at = "02:00" } }"#, "weekly"),
        (#"dr.schedule { name = "s", pair = "east-west", applications = "all", daily = "02:00", zone = "Europe/Berln" }"#, "zone"),
        (#"dr.reprotect { pair = "east-west", applications = "all", interval = "15m", retain = { lst = 1 } }"#, "retain"),
        (#"dr.http { url = "https://allowed.example.com/x", expect = "2x" }"#, "expect"),
        (#"dr.http { url = "https://other.example.com/" }"#, "url"), (#"dr.exec { argv = { "psq" } }"#, "argv"),
        (#"dr.notify { to = "oncal", text = "x" }"#, "to"), (#"dr.secret "PAGER_TOKN""#, "name"),
    ]

    private static func shop() throws -> ShopFixture {
        let shop = try ShopFixture()
        let allowed = """
            allow: { exec: [{ name: psql, path: /usr/bin/psql, args: ["*"] }], http: ["https://allowed.example.com/"], secrets: [PAGER_TOKEN] }
            notify: { oncall: { webhook: "https://pager.example.com/x" } }

            """
        try shop.write("dr.yaml", try shop.read("dr.yaml") + allowed)
        return shop
    }

    private static func findings(_ calls: [String], _ shop: ShopFixture) async throws -> [LintFinding] {
        let lines = calls.map { "if p.x then local _ = \($0) end" }.joined(separator: "\n")
        try shop.write(
            "runbooks/x.lua",
            "return dr.runbook { name = \"x\", params = { x = { type = \"boolean\" } }, run = function(p)\n\(lines)\nend }\n")
        let host = try shop.host()
        defer { host.close() }
        var seen: Set<String> = []
        let report = await host.lint(shop.file("runbooks/x.lua"), seen: &seen)
        #expect(report.problem == nil)
        return report.findings
    }

    @Test func `each is found once, at its line, by its field, with what the plan would say`() async throws {
        let shop = try Self.shop()
        let found = try await Self.findings(Self.refused.map(\.call), shop).filter { $0.rule != "missing-wave" }
        #expect(found.map(\.rule) == Self.refused.map { _ in "refused-value" }, "\(found.map { "\($0.line) \($0.rule) \($0.message)" })")
        #expect(found.map(\.line) == Array(2...(Self.refused.count + 1)))
        for (finding, (call, field)) in zip(found, Self.refused) {
            #expect(finding.message.contains(": \(field): ") && finding.severity == .error, "\(call): \(finding.message)")
        }
        #expect(try await Self.findings([Self.refused[0].call], shop).first?.message == "sleep: duration: \"5 min\" is not a duration")
    }

    @Test func `a plan that comes by refuses each of them`() async throws {
        let shop = try Self.shop()
        let host = try shop.host()
        defer { host.close() }
        for (call, _) in Self.refused {
            try shop.write("runbooks/x.lua", "return dr.runbook { name = \"x\", run = function()\nlocal _ = \(call)\nend }\n")
            let report = try await host.plan(shop.file("runbooks/x.lua"))
            #expect(
                report.outcome != .succeeded && report.error?.location?.line == 2,
                "\(call): \(report.outcome) \(report.error?.message ?? "")")
        }
    }

    @Test func `what holds for several fields together is judged where nothing is worked out`() async throws {
        let found = try await Self.findings(
            [
                #"dr.window { cron = "0 22 * * 6" }"#, #"dr.approve { name = "g", message = "m", quorum = 0 }"#,
                #"dr.approve { name = "g", message = "m", groups = { "dbas" } }"#,
                #"dr.window { cron = p.x, opens = "2026-03-01T00:00:00Z" }"#,
            ], try Self.shop())
        #expect(found.map(\.line) == [2, 3, 4] && Set(found.map(\.rule)) == ["refused-value"], "\(found.map(\.message))")
        #expect(found.map(\.message).first == "window: field \"length\" is missing: expected a duration")
    }

    @Test func `what a plan would take is not found`() async throws {
        let sound = [
            #"dr.sleep "5m""#, #"dr.sleep(dr.duration("1h30m"))"#, #"dr.step("s", function() end, { deadline = "5m" })"#,
            #"dr.window { cron = "*/15 22 * * 1-5", length = "2h", zone = "+02:00" }"#,
            #"dr.http { method = "POST", url = "https://allowed.example.com/" .. tostring(p.x), headers = { A = dr.secret("PAGER_TOKEN") }, expect = { 200, "3xx" }, in_plan = { status = 200 } }"#,
            #"dr.exec { argv = { "psql", "-c", "checkpoint" }, in_drill = { code = 0 }, verify = function() end }"#,
            #"dr.notify { to = "oncall", text = "x", details = { a = { 1, 2 } } }"#,
            #"dr.retry({ times = 3, every = "10s", backoff = 1.5, on = { "timeout", "io" } }, function() end)"#,
            #"dr.checks { pair = { name = "east-west" }, only = { "capacity" }, skip = {} }"#,
            #"dr.failover { pair = "east-west", applications = { "ledger", "storefront" }, mode = "planned", after = { storefront = { "ledger" } }, on = { ready = function() end } }"#,
            #"dr.schedule { name = "s", pair = "east-west", applications = "all", monthly = { day = 31, at = "2:15" }, retain = { last = 1 } }"#,
            #"dr.json.encode { a = 1 }"#, #"dr.log("5 min")"#, #"dr.results { duration = "5 min" }"#,
        ]
        let found = try await Self.findings(sound, try Self.shop()).filter { $0.rule != "missing-wave" }
        #expect(found == [], "\(found.map { "\($0.line) \($0.message)" })")
    }
}
