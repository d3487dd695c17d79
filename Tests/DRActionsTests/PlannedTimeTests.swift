import DRActions
import DRModel
import DRSupport
import Testing

/// How time passes in a plan, whose clock nothing but sleeps moves.
@Suite struct PlannedTimeTests {
    private func logs(ofPlan body: String) async throws -> [String] {
        let stage = Stage()
        let events = stage.events
        let runner = RunbookRunner(
            engine: stage.engine, outside: stage.outside, inventory: Stage.inventory, clock: stage.clock, random: CountingRandom(),
            journal: stage.journal, host: "here", process: 1, who: "test", predicted: true, executor: ThreadExecutor(name: "runbook")
        ) { event in events.withLock { $0.append(event) } }
        _ = try await runner.run(RunOrder(sources: Stage.sources(body), who: "test"))
        return stage.logs
    }

    @Test func `G4 branches of a plan sleep side by side, as they do in a run`() async throws {
        let logs = try await logs(
            ofPlan: """
                local begun = dr.now()
                local function at(name) dr.log("%s %s", name, tostring(dr.now() - begun)) end
                dr.parallel {
                  function() dr.sleep("2h") at("a") dr.sleep("1h") at("a") end,
                  function() dr.sleep("30m") at("b") dr.sleep("2h") at("b") end,
                }
                at("all")
                """)
        #expect(logs == ["b 30m", "a 2h", "b 2h30m", "a 3h", "all 3h"])
    }

    @Test func `G4 what waits for a condition beside a long sleep looks as often in a plan as in a run`() async throws {
        let logs = try await logs(
            ofPlan: """
                local looks = 0
                dr.parallel {
                  function() dr.sleep("2h") end,
                  function() pcall(dr.wait_until, { timeout = "1m", every = "10s" }, function() looks = looks + 1 end) end,
                }
                dr.log("%d", looks)
                """)
        #expect(logs == ["7"])
    }
}
