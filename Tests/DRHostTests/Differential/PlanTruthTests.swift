import DRModel
import Testing

/// What generated cases found once: a plan that did not tell the truth.
@Suite struct PlanTruthTests {
    typealias Case = PlanDifferentialTests.Case

    private static let migrate = #"dr.migrate { pair = "east-west", applications = "all" }"#
    private static let disaster =
        #"dr.failover { pair = "east-west", applications = { "ledger" }, mode = "disaster", accept_data_loss = "10h", source_down = { evidence = "dark", fenced = "power" } }"#

    /// What the plan's runbook logged; the run must have logged the same.
    private func planned(_ what: Case) async throws -> [String] {
        let (found, plan, _) = try await PlanDifferentialTests.difference(what)
        #expect(found == nil)
        return plan.logs.map(\.text)
    }

    @Test func `G4 a plan's runbook sees the locks that its run would hold`() async throws {
        let logs = try await planned(
            Case(Self.migrate + #" local l = dr.status { application = "ledger" }.lock dr.log("%s", l ~= nil)"#))
        #expect(logs == ["true"])
    }

    @Test func `G4 points that a plan makes are as old as their order says`() async throws {
        let logs = try await planned(
            Case(
                Self.migrate + " " + Self.migrate
                    + #" for _, p in ipairs(dr.recovery_points { pair = "east-west", applications = "all" }) do dr.log("%s", p.id) end"#))
        #expect(logs == ["storefront-e1-g2", "ledger-e1-g2", "storefront-e1-g1", "ledger-e1-g1"])
    }

    @Test func `G4 what a plan sets aside of a deposed site stands in its status`() async throws {
        let logs = try await planned(
            Case(
                past: [Self.migrate, Self.disaster],
                #"dr.failback { pair = "east-west", applications = { "ledger" } } "#
                    + #"for _, f in ipairs(dr.status { application = "ledger" }.forks or {}) do dr.log("%s %s", f.state, f.volumes[1]) end"#
            ))
        #expect(logs == ["kept ledger-v1"])
    }

    @Test func `G4 people who would be told once are told once in the plan, too`() async throws {
        let logs = try await planned(
            Case(
                #"for i = 1, 2 do local n = dr.notify { to = "oncall", text = "a" } local sent = n.sent dr.log("%s", sent) end"#))
        #expect(logs == ["true", "false"])
    }

    @Test func `G9 where one cluster is lost a call outside finds another for its record, in the plan as in the run`() async throws {
        var what = Case(#"local ok, e = pcall(dr.exec, { argv = { "tool" } }) dr.log("%s", ok or e.code)"#)
        what.site.dark = "west"
        #expect(try await planned(what) == ["true"])
    }

    @Test
    func `G4 gates and windows are taken as passed, and what stands behind them is done as planned, from the point before the newest`()
        async throws
    {
        let logs = try await planned(
            Case(
                past: [Self.migrate, Self.migrate],
                #"dr.approve { name = "a", message = "go on?" } dr.window { opens = dr.now() - "1h", closes = dr.now() + "10h" } "#
                    + #"local d = dr.drill { pair = "east-west", applications = { "ledger" }, recovery_point = previous("ledger") } "#
                    + #"dr.log("%s", d.applications.ledger.recovery_point) dr.cleanup { drill = d.id } "#
                    + #"dr.approve { name = "b", message = "and on?" } "# + Self.migrate
                    + #" local p = dr.previous { runbook = "before.lua" } dr.log("%s", p and p.outcome)"#))
        #expect(logs.first == "ledger-e1-g1" && logs.count == 2)
    }

    @Test func `G4 gates that wait for people are taken as passed in branches, too, however long others of the run sleep`() async throws {
        let logs = try await planned(
            Case(
                past: [Self.migrate],
                #"dr.parallel { function() dr.approve { name = "a", message = "go on?", on_timeout = "wait" } dr.log("a") end, "#
                    + #"function() dr.sleep("2h") dr.approve { name = "b", message = "and on?", on_timeout = "wait" } dr.log("b") end }"#))
        #expect(logs.sorted() == ["a", "b"])
    }
}
