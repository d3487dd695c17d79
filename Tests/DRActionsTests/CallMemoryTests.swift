import DRModel
import DRSupport
import LuaBridge
import Testing

@testable import DRActions

/// What a run keeps of the runbooks that it called.
@Suite struct CallMemoryTests {
    private func session(_ inner: String) throws -> RunSession {
        let sources = RunbookSources(
            main: .init(
                file: "main.lua",
                text: """
                    local inner = require "inner"
                    return dr.runbook { name = "main", run = function() for i = 1, 100 do dr.call(inner, { number = i }) end end }
                    """),
            modules: [
                "inner": .init(
                    file: "inner.lua",
                    text: """
                        return dr.runbook { name = "inner", params = { number = { type = "integer" } }, run = function(p) \(inner) end }
                        """)
            ])
        let clock = SteppedClock()
        let record = try RunRecord(
            run: "run-1", journal: ListJournal(), history: [], clock: clock, random: CountingRandom(from: 1),
            ledger: RunLedger(inventory: Stage.inventory, started: clock.now(), predicted: true), predicted: true, limit: 1000,
            previous: { _, _ in .null }, events: { _ in })
        let loader = RunbookLoader(
            sources: sources, registry: .standard, inventory: Stage.inventory, outside: NoOutside(), approvals: ApprovalRules(),
            limits: RunLimits(), seed: 1, coverage: nil)
        let (session, _) = try loader.load(record)
        try session.start([:])
        try session.step()
        return session
    }

    @Test func `a called runbook is kept while something of it waits for the run's end, and else not`() throws {
        #expect(try session(#"dr.log("%d", p.number)"#).calls.count == 1)
        #expect(try session("if p.number > 97 then dr.finally(function() end) end").calls.count == 4)
    }
}
