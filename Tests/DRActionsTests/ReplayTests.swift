import DRModel
import Testing

@testable import DRActions

@Suite struct ReplayTests {
    // Hooks that call verbs, branches, inputs and a caught error: all that a history can hold.
    private let runbook = """
        local began, dice = dr.now(), dr.random()
        dr.step("copy", function() dr.migrate { pair = "east-west", applications = { "ledger" } } end)
        dr.parallel {
          function() dr.migrate { pair = "east-west", applications = { "ledger" } } dr.sleep("2s") end,
          function() dr.sleep("1s") dr.status { application = "storefront" } end,
        }
        local ok, e = pcall(dr.suspend_schedule, { name = "none" })
        dr.log("%s %s %s", tostring(ok), e.code, math.random(1000000))
        dr.failover { pair = "east-west", applications = "all", mode = "planned",
          on = { ready = function(app) dr.checks { pair = "east-west", applications = { app.name } } end } }
        dr.log("%s %s", tostring(began), dice)
        """
    private let failures = ["suspend none": DRError(.notFound, "no such schedule")]

    @Test func `G2 a run killed after any record and resumed asks the engine for the same actions with the same keys`() async throws {
        let whole = Stage(failures: failures)
        let expected = try await whole.run(runbook)
        #expect(expected.outcome == .succeeded)
        let count = whole.journal.entries.count
        #expect(count > 30)
        for cut in 0..<count {
            let stage = Stage(failures: failures, journal: whole.journal.cut(after: cut))
            let report = try await stage.resume()
            #expect(report.outcome == .succeeded, "cut after \(cut)")
            #expect(report.effects == expected.effects, "cut after \(cut)")
            for (key, call) in stage.engine.keys { #expect(whole.engine.keys[key] == call, "cut after \(cut): \(key)") }
            let logs = stage.logs.filter { $0.contains("2026") }
            // The first two records are the time and the number themselves: cut before them, they are drawn anew.
            if cut >= 2 { #expect(logs == whole.logs.filter { $0.contains("2026") }, "cut after \(cut)") }
        }
    }

    @Test func `hooks inside a failover may call verbs and still replay`() async throws {
        let whole = Stage(failures: failures)
        _ = try await whole.run(runbook)
        let index = try #require(whole.journal.entries.lastIndex { $0.verb == "checks" && $0.kind == .intent })
        let stage = Stage(failures: failures, journal: whole.journal.cut(after: index + 1))
        let report = try await stage.resume()
        #expect(report.outcome == .succeeded)
        #expect(stage.engine.calls == ["checks", "migrate ledger+storefront"])
    }

    @Test func `a changed runbook is refused at the first record that differs`() async throws {
        let whole = Stage(failures: failures)
        _ = try await whole.run(runbook)
        let changed = Stage.sources(runbook.replacing(#"{ "ledger" }"#, with: #"{ "storefront" }"#)).main.text
        let stage = Stage(failures: failures, journal: whole.journal.cut(after: 12).replacing(text: changed))
        await #expect { try await stage.resume() } throws: { ($0 as? DRError)?.code == .replayMismatch }
        #expect(stage.engine.calls.isEmpty)
    }

    @Test func `a script cannot catch a history that does not fit`() async throws {
        let whole = Stage()
        _ = try await whole.run("pcall(function() dr.now() end) dr.log('done')")
        let changed = Stage.sources("pcall(function() dr.random() end) dr.log('done')").main.text
        let stage = Stage(journal: whole.journal.cut(after: 2).replacing(text: changed))
        await #expect { try await stage.resume() } throws: { ($0 as? DRError)?.code == .replayMismatch }
    }

    @Test func `a run that has ended is not resumed`() async throws {
        let whole = Stage()
        _ = try await whole.run("dr.log('done')")
        await #expect { try await whole.resume() } throws: { ($0 as? DRError)?.code == .conflict }
    }

    @Test func `keys say where in the run a request stands`() async throws {
        let stage = Stage(failures: failures)
        _ = try await stage.run(runbook)
        let intents = stage.journal.entries.filter { $0.kind == .intent }
        #expect(intents.prefix(3).map(\.key) == ["0/3/1/do", "0.4-1/1/1/do", "0.4-2/1/1/do"])
        #expect(intents[0].path == ["copy"])
        #expect(Set(intents.map(\.key)).count == intents.count)
    }
}
