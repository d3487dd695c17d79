import DRActions
import DRModel
import DRSupport
import Testing

@Suite struct FlowTests {
    @Test func `parallel waits for all branches and gives their results in order`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            local a, b = dr.parallel { function() dr.sleep("2s") return "a" end, function() dr.sleep("1s") return "b" end }
            dr.log("%s%s", a, b)
            """)
        #expect(stage.logs == ["ab"])
    }

    @Test func `parallel raises one error that holds all`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            local ok, e = pcall(dr.parallel, { function() dr.fail("one") end, function() dr.fail("two") end, function() return 3 end })
            dr.log("%s %s %d", tostring(ok), e.code, #e.errors)
            """)
        #expect(stage.logs == ["false items-failed 2"])
    }

    @Test func `in_order follows after, backwards too, and skips what depends on a failure`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            local items = { { name = "c", after = { "b" } }, { name = "b", after = { "a" } }, "a", "free" }
            local seen = {}
            dr.in_order(items, { reverse = true }, function(item) seen[#seen + 1] = item.name end)
            dr.log(table.concat(seen, " "))
            local r = dr.in_order(items, { on_failure = "skip_dependents", raise = false }, function(item)
              if item.name == "a" then dr.fail("no") end
            end)
            dr.log("%s %s %s %s", r.a.state, r.b.state, r.c.state, r.free.state)
            r = dr.in_order(items, { on_failure = "skip_dependents", raise = false, reverse = true }, function(item)
              if item.name == "c" then dr.fail("no") end
            end)
            dr.log("%s %s (%s) %s %s", r.c.state, r.b.state, r.b.reason, r.a.state, r.free.state)
            """)
        #expect(stage.logs == ["c b a free", "failed skipped skipped done", "failed skipped (c failed) skipped done"])
    }

    @Test func `a cycle is named`() async throws {
        let report = try await Stage().run(
            #"dr.in_order({ { name = "a", after = { "b" } }, { name = "b", after = { "a" } } }, function() end)"#)
        #expect(report.error?.message.contains("a -> b -> a") == true)
    }

    @Test func `in_order begins the next item as soon as one has ended, and never more than were allowed`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            local now, most, order = 0, 0, {}
            local items = { "a", "b", "c", "d", "e" }
            dr.in_order(items, { parallel = 2 }, function(item)
              now = now + 1 most = math.max(most, now) order[#order + 1] = item.name
              if item.name == "a" then
                dr.wait_until({ timeout = "1m", every = "1s" }, function() return #order == 5 end)
              else
                dr.sleep("1s")
              end
              now = now - 1
            end)
            dr.log("%d at most, %s", most, table.concat(order, ""))
            """)
        try #require(report.outcome == .succeeded, "\(String(describing: report.error))")
        #expect(stage.logs == ["2 at most, abcde"])
        // Killed anywhere, the same items begin in the same order, each in the branch of its own.
        for cut in stride(from: 1, to: stage.journal.entries.count - 1, by: 3) {
            let again = Stage(journal: stage.journal.cut(after: cut))
            #expect(try await again.resume().outcome == .succeeded, "cut after \(cut)")
            #expect(again.logs.last == "2 at most, abcde", "cut after \(cut)")
        }
    }

    @Test func `retry waits, and gives up with the last error`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            local tries, began = 0, dr.now()
            local ok, e = pcall(dr.retry, { times = 3, every = "10s", backoff = 2 }, function() tries = tries + 1 dr.fail("try " .. tries) end)
            dr.log("%s %s %s", tostring(ok), e.message, tostring(dr.now() - began))
            """)
        #expect(stage.logs == ["false try 3 30s"])
    }

    @Test func `an action within retry tells which attempt it is, and so does a try of an undo`() async throws {
        let stage = Stage(failures: ["suspend shop": DRError(.io, "no answer"), "resume shop": DRError(.io, "no answer")])
        _ = try await stage.run(
            """
            dr.undo(function() dr.resume_schedule { name = "shop" } end)
            dr.retry({ times = 3 }, function()
              dr.parallel { function() dr.suspend_schedule { name = "shop" } end }
            end)
            """)
        let attempts = stage.events.withLock { events in
            events.compactMap { event -> String? in
                guard case .actionFinished(let action, _, _, _, _, _) = event.kind, action.action != "sleep" else { return nil }
                return "\(action.action) \(action.attempt)"
            }
        }
        #expect(
            attempts == [
                "suspend_schedule 1", "suspend_schedule 2", "suspend_schedule 3", "resume_schedule 1", "resume_schedule 2",
                "resume_schedule 3",
            ])
    }

    @Test func `wait_until asks until it is true or too late`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            local n = 0
            dr.log("%d", dr.wait_until({ timeout = "1m", every = "10s" }, function() n = n + 1 return n == 3 and n end))
            dr.wait_until({ timeout = "1m" }, function() return false end)
            """)
        #expect(stage.logs == ["3"])
        #expect(report.error?.code == .timeout)
    }

    @Test func `times and durations are values`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            local t = dr.time("2026-03-01T00:00:00Z")
            dr.log("%s %s %s %s", tostring(t + "15m"), tostring((t + "15m") - t), tostring(dr.duration("90s") < dr.duration("2m")), dr.duration("90s"):seconds())
            """)
        #expect(stage.logs == ["2026-03-01T00:15:00.000Z 15m true 90.0"])
    }

    @Test func `attempt catches, step names the path`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            local ok, e = dr.attempt("risky", function() dr.step("inner", function() dr.migrate { pair = "east-west", applications = "all" } end) dr.fail("x") end)
            dr.log("%s %s", tostring(ok), e.code)
            """)
        #expect(stage.logs == ["false failed"])
        #expect(stage.journal.entries.first { $0.kind == .intent }?.path == ["risky", "inner"])
    }

    @Test func `G7 more branches than allowed are refused before one of them runs`() async throws {
        let stage = Stage()
        let body = "local b = {} for i = 1, 11 do b[i] = function() dr.log('x') end end dr.parallel(b)"
        let report = try await stage.runner(limits: RunLimits(branches: 10)).run(RunOrder(sources: Stage.sources(body), who: "test"))
        #expect(report.error?.code == .limitExceeded)
        #expect(stage.logs.isEmpty)
    }

    @Test func `G7 a wait that never pauses is refused, because a plan would never end`() async throws {
        let report = try await Stage().run(#"dr.wait_until({ timeout = "1s", every = "0s" }, function() return false end)"#)
        #expect(report.error?.code == .invalidInput)
        #expect(report.error?.message.contains("at least 10ms") == true)
    }
}
