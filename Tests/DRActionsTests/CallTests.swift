import DRActions
import DRModel
import DRSupport
import Testing

/// Runbooks that call runbooks.
@Suite struct CallTests {
    private let drain = """
        return dr.runbook {
          name = "drain", params = { schedule = { type = "string", required = true }, wait = { type = "duration", default = "2s" } },
          run = function(p)
            dr.undo(function() dr.resume_schedule { name = dr.params.schedule } end, { name = "inner" })
            dr.suspend_schedule { name = p.schedule }
            dr.sleep(p.wait)
            dr.parallel { function() dr.log("%s %s", dr.params.schedule, p.wait) end, function() dr.status { application = "ledger" } end }
            return p.schedule .. " is quiet", 2
          end,
        }
        """
    private let outer = """
        local a, b = dr.call(require "drain", { schedule = "shop" })
        dr.log("%s %d", a, b)
        """

    private func sources(_ body: String, _ modules: [String: String]) -> RunbookSources {
        // What is required at the top of the file is there inside `run`, too.
        let main = Stage.sources(body, declared: #"{ reason = { type = "string", default = "none" } }"#).main
        let requires = modules.keys.sorted().map { "local _ = require \"\($0)\" " }.joined()
        return RunbookSources(
            main: .init(file: main.file, text: requires + main.text),
            modules: modules.reduce(into: [:]) { $0[$1.key] = .init(file: "\($1.key).lua", text: $1.value) })
    }

    private func run(_ stage: Stage, _ body: String, _ modules: [String: String]) async throws -> RunReport {
        try await stage.runner().run(RunOrder(sources: sources(body, modules), who: "test"))
    }

    @Test func `a called runbook gets its parameters, checked, and gives back what it returns`() async throws {
        let stage = Stage()
        let report = try await run(stage, outer + "\ndr.log(dr.params.reason)", ["drain": drain])
        try #require(report.outcome == .succeeded, "\(String(describing: report.error))")
        #expect(stage.logs == ["shop 2s", "shop is quiet 2", "none"])
        #expect(stage.engine.calls == ["suspend shop", "status"])
        #expect(stage.journal.entries.first { $0.verb == "suspend_schedule" }?.path == ["drain"])
    }

    @Test(arguments: [
        (#"dr.call(require "drain")"#, "parameter \"schedule\" is missing: expected a string"),
        (#"dr.call(require "drain", { schedule = 1 })"#, "parameter \"schedule\": expected a string, got a number"),
        (#"dr.call(require "drain", { shedule = "x" })"#, "drain has no parameter \"shedule\" (did you mean \"schedule\"?)"),
        (#"dr.call({ run = function() end })"#, "call: expected a runbook, got a table"),
        (#"dr.call(nil)"#, "call: expected a runbook, got nil"),
        (
            #"dr.call(require "drain", { schedule = "x" }, { dedline = "1s" })"#,
            "call: unknown field \"dedline\" (did you mean \"deadline\"?)"
        ),
    ])
    func `G8 a call that does not fit is told at its line, before anything is done`(call: String, message: String) async throws {
        let stage = Stage()
        let report = try await run(stage, call, ["drain": drain])
        #expect(report.error?.message == message)
        #expect(report.error?.location?.description == "test.lua:5")
        #expect(stage.engine.calls.isEmpty)
    }

    @Test func `G2 a run killed after any record of a called runbook and resumed does each thing once, with the same keys`() async throws {
        let modules = ["drain": drain]
        let body = outer + "\n" + #"dr.quiesce { pair = "east-west", applications = { "ledger" } } dr.fail("enough")"#
        let whole = Stage()
        let expected = try await run(whole, body, modules)
        #expect(expected.undos.map(\.name) == ["stop ledger", "inner"])
        let count = whole.journal.entries.count
        #expect(count > 15)
        for cut in 0..<count {
            let stage = Stage(journal: whole.journal.cut(after: cut))
            let report = try await stage.resume()
            #expect(report.outcome == expected.outcome && report.undos == expected.undos, "cut after \(cut)")
            #expect(report.effects == expected.effects, "cut after \(cut)")
            for (key, call) in stage.engine.keys { #expect(whole.engine.keys[key] == call, "cut after \(cut): \(key)") }
        }
    }

    @Test func `undos of caller and called are gone through in reverse order, with the parameters of their own`() async throws {
        let stage = Stage()
        let body = """
            dr.undo(function() dr.log("first, %s", dr.params.reason) end, { name = "first" })
            dr.call(require "drain", { schedule = "shop" })
            dr.undo(function() dr.log("last") end, { name = "last" })
            dr.finally(function() dr.log("finally, %s", dr.params.reason) end)
            dr.fail("enough")
            """
        let report = try await run(stage, body, ["drain": drain])
        #expect(report.undos.map(\.name) == ["last", "inner", "first"])
        #expect(stage.engine.calls == ["suspend shop", "status", "resume shop"])
        #expect(stage.logs == ["shop 2s", "last", "first, none", "finally, none"])
    }

    @Test func `settle in a called runbook leaves alone what its caller registered`() async throws {
        let inner = """
            return dr.runbook { name = "inner", run = function()
              dr.undo(function() end, { name = "inner" })
              dr.step("more", function() dr.undo(function() end, { name = "too" }) end)
              dr.settle()
            end }
            """
        let stage = Stage()
        let body = #"dr.undo(function() end, { name = "outer" }) dr.call(require "inner") dr.fail("enough")"#
        #expect(try await run(stage, body, ["inner": inner]).undos.map(\.name) == ["outer"])
        let again = Stage()
        let settled =
            #"dr.undo(function() end, { name = "outer" }) dr.call(require "drain", { schedule = "s" }) dr.settle() dr.fail("enough")"#
        #expect(try await run(again, settled, ["drain": drain]).undos.isEmpty)
    }

    @Test func `what a called runbook ensures holds when it has ended, and not later`() async throws {
        let inner = """
            return dr.runbook { name = "home", ensures = { active = { ledger = "east" } }, run = function() end }
            """
        let move = #"dr.failover { pair = "east-west", applications = "all", mode = "planned" }"#
        let before = Stage()
        #expect(try await run(before, #"dr.call(require "home") "# + move, ["home": inner]).outcome == .succeeded)
        let after = Stage()
        let report = try await run(after, move + #" dr.call(require "home")"#, ["home": inner])
        #expect(report.error?.message == "ensures: ledger is live at west, expected east")
        #expect(report.outcome == .partial)
    }

    @Test func `a runbook that calls itself, or whose file requires itself, is refused with the cycle`() async throws {
        let a = #"local me me = dr.runbook { name = "a", run = function() dr.call(me) end } return me"#
        let report = try await run(Stage(), #"dr.call(require "a")"#, ["a": a])
        #expect(report.error?.message == "runbooks call each other: a -> a")
        #expect(report.error?.code == .runbook)
        let b = #"local c = require "c" return dr.runbook { name = "b", run = function() dr.call(c) end }"#
        let c = #"local b = require "b" return dr.runbook { name = "c", run = function() dr.call(b) end }"#
        await #expect {
            try await run(Stage(), "", ["b": b, "c": c])
        } throws: { "\($0)".contains("modules require each other: b -> c -> b") }
    }

    @Test func `a runbook cannot be declared within a run, and a file declares one`() async throws {
        let report = try await Stage().runner().run(
            RunOrder(
                sources: RunbookSources(
                    main: Stage.sources(#"dr.call(require("dra" .. "in"), { schedule = "x" })"#).main,
                    modules: ["drain": .init(file: "drain.lua", text: drain)]), who: "test"))
        #expect(report.error?.message.contains("a runbook is declared when its file is loaded") == true)
        await #expect {
            try await run(Stage(), "", ["two": "dr.runbook { name = 'a', run = function() end } " + drain])
        } throws: { "\($0)".contains("a file declares one runbook") }
    }

    @Test func `the deadline of a call puts the run down, and it is not caught`() async throws {
        let stage = Stage()
        let report = try await run(
            stage, #"pcall(dr.call, require "drain", { schedule = "x", wait = "2m" }, { deadline = "1m" }) dr.log("on")"#, ["drain": drain])
        #expect(report.isHeld)
        #expect(report.error?.message.contains("the deadline of 1m of drain was reached") == true)
    }

    @Test func `running_as tells what is being run`() async throws {
        let (live, drill) = (Stage(), Stage(runningAs: .drill))
        _ = try await live.run("dr.log(dr.running_as)")
        _ = try await drill.run("dr.log(dr.running_as)")
        #expect(live.logs == ["live"] && drill.logs == ["drill"])
    }
}
