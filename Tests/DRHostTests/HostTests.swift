import DRActions
import DRHost
import DRLint
import DRModel
import DRSupport
import Foundation
import Testing

/// DRHost as an embedder uses it.
@Suite struct HostTests {
    @Test func `nothing goes live unless somebody said yes, whatever the runbook does`() async throws {
        let shop = try ShopFixture()
        let host = try shop.host()
        defer { host.close() }
        let report = try await host.run(shop.file("runbooks/failover.lua"), mayActivate: false)
        #expect(report.outcome == .failed)
        #expect(report.error?.code == .notAllowed)
        #expect(!report.effects.contains { $0.verb == .activate })
        let status = try await host.status()
        #expect(status.map(\.active_at) == ["east", "east"])
        #expect(status.map(\.running) == [true, true])
    }

    @Test func `events tell a run from its first to its last`() async throws {
        let shop = try ShopFixture()
        let host = try shop.host()
        defer { host.close() }
        let told = Lock<[String]>([])
        let report = try await host.run(shop.file("runbooks/protect.lua"), mayActivate: false) { event in
            let word =
                switch event.kind {
                case .runStarted(let runbook, _): "started \(runbook)"
                case .actionStarted(let action): "begin \(action.action)"
                case .actionFinished(let action, _, let error, _, _, _): "\(error == nil ? "end" : "failed") \(action.action)"
                case .log: "log"
                case .warning(let text): "warning \(text)"
                case .runFinished(let report): "finished \(report.outcome)"
                default: "other"
                }
            told.withLock { $0.append(word) }
        }
        #expect(report.outcome == .succeeded)
        let words = told.withLock { $0 }
        #expect(
            words == [
                "started protect the shop", "begin pair", "end pair", "begin schedule", "end schedule", "begin checks", "end checks",
                "begin migrate", "end migrate", "log", "log", "finished succeeded",
            ])
        #expect(try host.runs().map(\.id) == [report.run])
        #expect(try host.show(report.run).records.last?.entry.kind == .finished)
    }

    @Test func `points are listed with their cluster, newest first`() async throws {
        let shop = try ShopFixture()
        let host = try shop.host()
        defer { host.close() }
        for _ in 0..<2 { #expect(try await host.run(shop.file("runbooks/protect.lua"), mayActivate: false).outcome == .succeeded) }
        let (points, unreachable, answered) = try await host.points()
        #expect(answered && unreachable.isEmpty)
        #expect(points.map(\.application) == ["ledger", "ledger", "storefront", "storefront"])
        #expect(points[0].instant > points[1].instant)
        #expect(points.allSatisfy { $0.cluster == "west" && $0.verified_at != nil })
    }

    @Test func `G8 lint finds verbs that there are none of, in code that has not run`() async throws {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/odd.lua",
            """
            -- dr.commented is no mention, nor "dr.quoted"
            local text = "dr.quoted" .. [[ dr.long
              dr.longer ]] .. 'it''s dr.odd'
            return dr.runbook { name = "odd", run = function()
              if false then dr.failovr { pair = "east-west" } end
              other.dr.thing()
              local t = "a"..dr.mirgate
            end }
            """)
        try shop.replace("runbooks/odd.lua", "'it''s dr.odd'", "'dr.odd'")
        let host = try shop.host()
        defer { host.close() }
        var seen: Set<String> = []
        let report = await host.lint(shop.file("runbooks/odd.lua"), seen: &seen)
        #expect(report.problem == nil && report.isWrong)
        #expect(
            report.findings.map { "\($0.line) \($0.message)" } == [
                "2 local text is never read", "5 there is no dr.failovr (did you mean \"failover\"?)", "6 there is no other",
                "7 there is no dr.mirgate (did you mean \"migrate\"?)", "7 local t is never read",
            ])
    }

    @Test func `G8 lint shows a text that does not load once, in the words of Lua`() async throws {
        let shop = try ShopFixture()
        try shop.write("runbooks/odd.lua", "return dr.runbook {\n  name = \"odd\"\n  run = 1 }")
        let host = try shop.host()
        defer { host.close() }
        var seen: Set<String> = []
        let report = await host.lint(shop.file("runbooks/odd.lua"), seen: &seen)
        #expect(report.problem?.location?.line == 3 && report.findings == [])
    }
}
