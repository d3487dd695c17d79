import DRModel
import DRSupport
import Testing

@Suite struct MoveTests {
    private let failover = #"return dr.failover { pair = "east-west", applications = "all", mode = "planned" }"#

    @Test func `a planned failover stops in reverse order, syncs once and starts in order`() async throws {
        let stage = Stage()
        let report = try await stage.run(failover)
        #expect(report.outcome == .succeeded)
        #expect(
            stage.engine.calls == [
                "status", "checks", "stop storefront", "stop ledger", "migrate ledger+storefront final", "start ledger planned",
                "start storefront planned", "migrate ledger+storefront",
            ])
        #expect(report.applications.map(\.name.text) == ["ledger", "storefront"])
        #expect(report.applications.allSatisfy { $0.state == .moved && $0.active_at == "west" && $0.rpo == .exact(.zero) })
    }

    @Test func `what moved is copied back where it was when the runbook has ended, and a copy that fails is what is to be done next`()
        async throws
    {
        let body = failover + " "
        let protected = Stage()
        _ = try await protected.run("local f = " + failover.dropFirst("return ".count) + #" dr.log("switch the entrance") return f"#)
        #expect(protected.engine.calls.last == "migrate ledger+storefront")
        let failing = Stage(failures: ["migrate ledger+storefront": DRError(.clusterUnreachable, "east does not answer")])
        let report = try await failing.run(body)
        #expect(report.outcome == .succeeded)
        #expect(
            report.applications.allSatisfy {
                $0.state == .moved && $0.next?.contains("not protected at west: east does not answer") == true
            })
    }

    @Test func `there and back in one run protects the way it ended, and a run that fails copies nothing back`() async throws {
        let there = #"dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }"#
        let both = Stage()
        _ = try await both.run(there + #" dr.failback { pair = "east-west", applications = { "ledger" } }"#)
        #expect(both.engine.calls.suffix(1) == ["migrate ledger"])
        #expect(both.engine.calls.count { $0.hasPrefix("migrate") } == 4)
        let failed = Stage()
        _ = try await failed.run(there + #" error("no")"#)
        #expect(!failed.engine.calls.contains("migrate ledger"))
    }

    @Test func `a failure in the last sync starts again what was stopped, in order`() async throws {
        let stage = Stage(failures: ["migrate ledger+storefront final": DRError(.sourceUnreachable, "east does not answer")])
        let report = try await stage.run(failover)
        #expect(stage.engine.calls.suffix(3) == ["migrate ledger+storefront final", "restart ledger", "restart storefront"])
        #expect(report.outcome == .failed)
        #expect(report.error?.code == .sourceUnreachable)
    }

    @Test func `G12 a start that fails after another application went live ends partial, and says who is where`() async throws {
        let stage = Stage(failures: ["start storefront planned": DRError(.damaged, "a chunk is damaged")])
        let report = try await stage.run(failover)
        #expect(report.outcome == .partial)
        #expect(report.error?.code == .itemsFailed)
        let ledger = try #require(report.applications.first { $0.name == "ledger" })
        #expect(ledger.state == .moved && ledger.active_at == "west")
        let storefront = try #require(report.applications.first { $0.name == "storefront" })
        #expect(storefront.state == .failed && storefront.next != nil)
        #expect(!stage.engine.calls.contains("restart ledger"))
    }

    @Test func `a start that fails before anything is live puts everything back`() async throws {
        let stage = Stage(failures: ["start ledger planned": DRError(.damaged, "a chunk is damaged")])
        let report = try await stage.run(failover)
        #expect(stage.engine.calls.suffix(2) == ["restart ledger", "restart storefront"])
        #expect(report.error?.code == .damaged)
    }

    @Test func `what an earlier quiesce stopped is put back by it, once and in order, not by the failover that failed`() async throws {
        let stage = Stage(failures: ["start ledger planned": DRError(.damaged, "a chunk is damaged")])
        let report = try await stage.run("dr.quiesce { pair = \"east-west\", applications = \"all\" } \(failover)")
        #expect(stage.engine.calls.filter { $0.hasPrefix("restart") } == ["restart ledger", "restart storefront"])
        #expect(report.undos.map(\.state) == [.undone, .undone])
    }

    @Test func `G9 a disaster asks nothing of the source`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "fire", fenced = "none" } }
            """)
        #expect(
            stage.engine.calls == [
                "status without east", "checks without source", "points", "start ledger disaster", "start storefront disaster",
            ])
        #expect(report.applications.first?.rpo == .atMost(.seconds(30)))
    }

    @Test(arguments: ["disaster", "planned"]) func `G12 a fuzzy point of one application is refused before any of them is stopped or live`(
        _ mode: String
    )
        async throws
    {
        let stage = Stage()
        stage.engine.state.withLock { $0.fuzzy = ["storefront"] }
        let words =
            mode == "disaster"
            ? #"source_down = { evidence = "fire", fenced = "power" }"#
            : #"recovery_point = { at_or_before = dr.now() + "5m" }, accept_data_loss = "1h""#
        let call = #"dr.failover { pair = "east-west", applications = "all", mode = "\#(mode)", \#(words)"#
        let report = try await stage.run(call + " }")
        #expect(report.error?.code == .dataLoss)
        #expect(report.error?.message.contains("point-e1-g2 of storefront is fuzzy") == true, "\(report.error?.message ?? "")")
        #expect(report.error?.message.contains("point-e1-g1 of storefront, 0s old") == true, "\(report.error?.message ?? "")")
        #expect(report.error?.hint?.contains("at_or_before") == true)
        #expect(stage.engine.calls.allSatisfy { !$0.hasPrefix("st") || $0.hasPrefix("status") }, "\(stage.engine.calls)")
        let accepted = Stage()
        accepted.engine.state.withLock { $0.fuzzy = ["storefront"] }
        #expect(try await accepted.run(call + ", accept_fuzzy = true }").outcome == .succeeded)
    }

    @Test func `G12 the time to recovery of a disaster counts from the start of the run, or from when the outage began`() async throws {
        func move(_ since: String) async throws -> RunReport {
            try await Stage().run(
                """
                dr.sleep("4m")
                dr.failover { pair = "east-west", applications = { "ledger" }, mode = "disaster",
                  source_down = { evidence = "fire", fenced = "power"\(since) } }
                """)
        }
        let within = try await move("")
        #expect(within.outcome == .succeeded && within.rto ?? .zero >= .seconds(240), "\(within)")
        // The target is five minutes.
        let missed = try await move(", since = dr.now() - \"6m\"")
        #expect(missed.outcome == .targetMissed && missed.rto ?? .zero >= .seconds(360), "\(missed)")
        let later = try await move(", since = dr.now() + \"6m\"")
        #expect(later.error?.code == .invalidInput && later.error?.message.contains("since: expected a time that has been") == true)
        let wrong = try await move(", since = \"yesterday\"")
        #expect(wrong.error?.code == .invalidInput && wrong.error?.message.contains("since") == true)
    }

    @Test func `a disaster without a word on how the source was cut off is refused before it begins`() async throws {
        let stage = Stage()
        let report = try await stage.run(#"dr.failover { pair = "east-west", applications = "all", mode = "disaster" }"#)
        #expect(report.error?.code == .invalidInput)
        #expect(report.error?.message.contains("source_down") == true)
        #expect(stage.engine.calls.isEmpty)
    }

    @Test func `what is already there succeeds and changes nothing`() async throws {
        let stage = Stage()
        _ = try await stage.run(failover)
        let before = stage.engine.calls.count
        let again = Stage(journal: ListJournal())
        again.engine.state.withLock { $0.activeAt = ["ledger": "west", "storefront": "west"] }
        let report = try await again.run("local f = \(failover.dropFirst(7)) dr.log('%s', tostring(f.changed))")
        #expect(before == 8)
        #expect(report.outcome == .succeeded)
        #expect(again.engine.calls == ["status"])
        #expect(again.logs == ["false"])
    }

    @Test func `a failback goes over the reversed pair and copies before it stops`() async throws {
        let stage = Stage()
        stage.engine.state.withLock { $0.activeAt = ["ledger": "west", "storefront": "west"] }
        let report = try await stage.run(#"dr.failback { pair = "east-west", applications = "all" }"#)
        #expect(report.outcome == .succeeded)
        #expect(
            stage.engine.calls == [
                "status", "checks", "migrate ledger+storefront", "stop storefront", "stop ledger", "migrate ledger+storefront final",
                "start ledger planned", "start storefront planned", "migrate ledger+storefront",
            ])
        #expect(report.applications.allSatisfy { $0.active_at == "east" })
    }

    @Test func `hooks are called for each application at their moments`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            local function say(moment) return function(app) dr.log("%s %s", moment, app.name) end end
            dr.failover { pair = "east-west", applications = "all", mode = "planned",
              on = { stopping = say "stopping", stopped = say "stopped", starting = say "starting", ready = say "ready" } }
            """)
        #expect(
            stage.logs == [
                "stopping storefront", "stopped storefront", "stopping ledger", "stopped ledger", "starting ledger", "ready ledger",
                "starting storefront", "ready storefront",
            ])
    }

    @Test func `a failing hook before anything is live undoes the stop`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            dr.failover { pair = "east-west", applications = "all", mode = "planned", on = { stopped = function() dr.fail("drain failed") end } }
            """)
        #expect(stage.engine.calls.suffix(2) == ["stop storefront", "restart storefront"])
        #expect(report.error?.message == "drain failed")
    }

    @Test func `G12 a planned move from a source that cannot be reached says so and does nothing`() async throws {
        let stage = Stage()
        stage.engine.state.withLock { $0.unreachable = ["east"] }
        let report = try await stage.run(failover)
        #expect(report.error?.code == .sourceUnreachable)
        #expect(report.error?.location?.file == "test.lua")
        #expect(stage.engine.calls == ["status"])
        #expect(report.effects.isEmpty)
    }

    @Test func `G3 an application without any recovery point is found before another one goes live`() async throws {
        let stage = Stage()
        stage.engine.state.withLock { $0.withoutPoint = ["storefront"] }
        let report = try await stage.run(
            #"dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "fire", fenced = "power" } }"#
        )
        #expect(report.error?.code == .noRecoveryPoint)
        #expect(stage.engine.calls == ["status without east", "checks without source", "points"])
        #expect(report.effects.isEmpty)
    }

    @Test func `G1 G12 an application that somebody else moved is said to be there, and nobody is told to start it`() async throws {
        let elsewhere: Value = ["application": "ledger", "active": "west", "epoch": 2]
        let fenced = DRError(.fenced, "ledger is active at west since epoch 2; east is fenced", details: elsewhere)
        let stage = Stage(failures: ["migrate ledger+storefront final": fenced, "restart ledger": fenced])
        let report = try await stage.run(failover)
        let ledger = try #require(report.applications.first { $0.name == "ledger" })
        #expect(ledger.active_at == "west" && ledger.epoch == Epoch(2))
        #expect(ledger.next?.contains("do not start it") == true)
        #expect(report.outcome == .failed)
    }

    @Test func `G12 an undo that finds its application moved by somebody else says where it is, and not that it is stopped`() async throws {
        let stage = Stage()
        let engine = stage.engine
        engine.state.withLock { state in
            state.hold = { [weak engine] in engine?.state.withLock { $0.activeAt["ledger"] = "west" } }
            state.failures["migrate storefront"] = DRError(.failed, "enough")
        }
        let report = try await stage.run(
            """
            dr.quiesce { pair = "east-west", applications = { "ledger" } }
            dr.migrate { pair = "east-west", applications = { "ledger" } }
            dr.fail("enough")
            """)
        let ledger = try #require(report.applications.first { $0.name == "ledger" })
        #expect(ledger.active_at == "west" && ledger.state == .skipped, "\(report)")
        #expect(ledger.next?.contains("do not start it") == true)
        #expect(report.outcome != .partial)
    }

    @Test func `G12 why there is no risk is in the list of applications, in the words of the engine`() async throws {
        let planned = try await Stage().run(failover)
        #expect(planned.applications.map(\.former) == [.fenced, .fenced])
        let said = try await Stage().run(
            #"dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "fire", fenced = "power" } }"#
        )
        #expect(said.applications.map(\.former) == [.said, .said])
    }

    @Test func `G12 a move left behind in a coroutine is no success`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            local co = coroutine.wrap(function()
              dr.failover { pair = "east-west", applications = "all", mode = "planned", on = { stopped = function() coroutine.yield() end } }
            end)
            co()
            """)
        #expect(report.outcome == .partial)
        #expect(report.error?.message.contains("failover was begun and never carried to its end") == true)
    }

    @Test func `G7 a runbook's globals do not reach the flows`() async throws {
        let stage = Stage()
        _ = try await stage.run(
            """
            pcall = function() return true, {} end
            ipairs = function() return function() end end
            table.concat, table.unpack, table.pack, string.format, error, pairs, tostring = nil, nil, nil, nil, nil, nil, nil
            \(failover)
            """)
        #expect(stage.engine.calls.count == 8)
    }

    @Test func `the same move twice at once is judged once`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            local function move() \(failover) end
            dr.parallel { move, move }
            """)
        #expect(report.outcome == .succeeded, "\(report)")
    }

    private let apart = #"return dr.failover { pair = "east-west", applications = "all", mode = "planned", after = { storefront = {} } }"#

    @Test func `applications of one wave stop side by side, each in a branch of its own, and start one after the other`() async throws {
        let stage = Stage()
        let report = try await stage.run(apart)
        #expect(report.outcome == .succeeded)
        func steps(_ verb: String) -> [String] {
            stage.journal.entries.filter { $0.verb == verb }.map { "\($0.kind.rawValue) \($0.path.last ?? "")" }
        }
        #expect(steps("stop").prefix(2) == ["intent ledger", "intent storefront"])
        #expect(steps("start") == ["intent ledger", "outcome ledger", "intent storefront", "outcome storefront"])
    }

    @Test func `a stop that fails beside others puts all of the wave back, and one cause of all is the cause`() async throws {
        let lost = DRError(.sourceUnreachable, "east does not answer")
        let one = Stage(failures: ["stop ledger": DRError(.workloadFailed, "it does not stop")])
        let report = try await one.run(apart)
        #expect(report.outcome == .failed && report.error?.code == .workloadFailed)
        #expect(Set(one.engine.calls.suffix(2)) == ["restart ledger", "restart storefront"])
        let both = Stage(failures: ["stop ledger": lost, "stop storefront": lost])
        let gone = try await both.run(apart)
        #expect(gone.error?.code == .sourceUnreachable && gone.error?.message.contains("2 applications failed") == true)
        let mixed = Stage(failures: ["stop ledger": lost, "stop storefront": DRError(.timeout, "no answer")])
        #expect(try await mixed.run(apart).error?.code == .itemsFailed)
    }
}
