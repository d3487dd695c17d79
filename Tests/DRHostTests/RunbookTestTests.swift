import DRHost
import DRModel
import Foundation
import Testing

/// `drrunbook test`: runbooks in simulated worlds.
@Suite(.waitsForProcesses) struct RunbookTestTests {
    private let shop: ShopFixture

    init() throws { shop = try ShopFixture() }

    /// One case around `body`, run by the command.
    private func test(_ body: String, runbook: String? = nil, _ options: String...) throws -> ShopFixture.Answer {
        if let runbook { try shop.write("runbooks/own.lua", "return dr.runbook { name = \"own\", run = function(p)\n\(runbook)\nend }\n") }
        try shop.write(
            "runbooks/own_test.lua",
            "local t = require \"dr.test\"\nt.case(\"it\", function(sim)\n  sim:load \"fixtures/shop.yaml\"\n\(body)\nend)\n")
        return try shop.drrunbook(["test", "runbooks/own_test.lua"] + options)
    }

    @Test func `What init writes passes its own tests, and nothing on disk changes`() throws {
        let before = try shop.fingerprint()
        let answer = try shop.drrunbook("test")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
        #expect(answer.output.contains("12 passed"))
        #expect(try shop.fingerprint() == before)
    }

    @Test func `A case gives the same trace each time`() throws {
        func traces() throws -> [String] { try shop.drrunbook("test", "--json").lines.compactMap { $0["trace"].string } }
        let first = try traces()
        #expect(first.count == 12 && Set(first).count > 4)
        #expect(try traces() == first)
    }

    @Test func `A test without cases is told with what a case looks like, and a filter that nothing fits with the filter`() throws {
        try shop.write("runbooks/none_test.lua", "local t = require \"dr.test\"\n")
        let none = try shop.drrunbook("test", "runbooks/none_test.lua")
        #expect(none.status == 2)
        #expect(none.error.contains("error: runbooks/none_test.lua: no cases\n  hint: t.case(\"...\", function(sim) ... end) is one"))
        let filtered = try shop.drrunbook("test", "runbooks/failover_test.lua", "--filter", "no such case")
        #expect(filtered.status == 2 && filtered.error.contains("no case fits \"no such case\""))
    }

    @Test func `A test that is written like a runbook is told that verbs belong into runbooks`() throws {
        try shop.write("runbooks/wrong_test.lua", "\nreturn dr.runbook { name = \"x\", run = function() end }\n")
        let loaded = try shop.drrunbook("test", "runbooks/wrong_test.lua")
        #expect(loaded.status == 2)
        #expect(loaded.error.contains("runbooks/wrong_test.lua:2: dr.runbook belongs into a runbook, and this is a test"))
        let answer = try test("  dr.log(\"x\")")
        #expect(answer.status == 1 && answer.output.contains("runbooks/own_test.lua:4: dr.log belongs into a runbook"))
    }

    @Test func `A case that fails says where, what was found, and what had happened`() throws {
        let answer = try test("  local run = sim:run(\"failover.lua\")\n  t.active(sim, \"ledger\", \"east\")")
        #expect(answer.status == 1)
        #expect(answer.output.contains("runbooks/own_test.lua:5: t.active: expected ledger active at east, it is at west"))
        #expect(answer.output.contains("activate Application storefront @west"))
        #expect(answer.output.contains("1 of 1 failed"))
    }

    @Test(arguments: [
        ("  t.outcome(sim:run(\"failover.lua\"), \"suceeded\")", "\"suceeded\" is no outcome (did you mean \"succeeded\"?)"),
        ("  t.active(sim, \"legder\", \"east\")", "there is no application \"legder\" (did you mean \"ledger\"?)"),
        ("  sim:falt{}", "there is no sim.falt (did you mean \"fault\"?)"),
        ("  t.outcomes()", "there is no t.outcomes (did you mean \"outcome\"?)"),
        ("  sim:fault { at = \"stop\", kind = \"eror\" }", "kind: there is no \"eror\" (did you mean \"error\"?)"),
        ("  sim:fault { at = \"stop\", knd = \"error\" }", "unknown field \"knd\" (did you mean \"kind\"?)"),
        ("  sim:run(\"failovr.lua\")", "there is no runbook runbooks/failovr.lua"),
        ("  sim:run(\"failover.lua\", { planed = true })", "has no parameter \"planed\" (did you mean \"planned\"?)"),
        ("  sim.run(\"failover.lua\")", "with a colon"),
        ("  t.called(sim:run(\"failover.lua\"), { ur = \"*\" }, 0)", "unknown field \"ur\" (did you mean \"url\"?)"),
        ("  t.called(sim:run(\"failover.lua\"), { kind = \"exec\", url = \"*\" }, 0)", "a call of exec is told by: kind, name, argv"),
        ("  t.called(sim:run(\"failover.lua\"), { kind = \"htp\" }, 0)", "\"htp\" is no kind of call (did you mean \"http\"?)"),
        ("  sim:answer(\"http\", { metod = \"GET\" }, { status = 200 })", "unknown field \"metod\" (did you mean \"method\"?)"),
        ("  sim:answer(\"http\", { url = \"*\" }, { stauts = 200 })", "unknown field \"stauts\" (did you mean \"status\"?)"),
        ("  sim:partition(\"esat\")", "there is no cluster or store \"esat\" (did you mean \"east\"?)"),
        ("  sim:partition(\"east\", \"west\")", "east and west never talk to each other"),
    ])
    func `G8 a mistake in a test is told with its line and the nearest name`(body: String, words: String) throws {
        let answer = try test(body)
        #expect(answer.status == 1)
        #expect(answer.output.contains("own_test.lua:4") || answer.output.contains("failover.lua:"), "\(answer.output)")
        #expect(answer.output.contains(words), "\(answer.output)")
    }

    @Test func `A fault that never happens fails the case, because it proves nothing`() throws {
        let answer = try test("  sim:fault { at = \"failover/last-synk\", kind = \"error\" }\n  sim:run(\"failover.lua\")")
        #expect(answer.status == 1)
        #expect(answer.output.contains("never happened") && answer.output.contains("failover/last-sync"), "\(answer.output)")
    }

    @Test func `A fault that never happened is named beside what was found instead`() throws {
        let answer = try test(
            "  sim:fault { at = \"failover/last-synk\", kind = \"error\" }\n  t.outcome(sim:run(\"failover.lua\"), \"failed\")")
        #expect(answer.status == 1)
        #expect(
            answer.output.contains(
                "own_test.lua:5: t.outcome: expected failed, got succeeded; and the fault error at failover/last-synk never happened"),
            "\(answer.output)")
        let early = try test("  sim:fault { at = \"failover/last-sync\", kind = \"error\" }\n  t.fail(\"before any run\")")
        #expect(early.status == 1 && !early.output.contains("never happened"), "\(early.output)")
    }

    @Test func `A cluster and a store that do not reach each other are cut from nobody else`() throws {
        let answer = try test(
            """
              sim:partition("east", "vault")
              local run = sim:run("failover.lua")
              t.error(run, "store-unreachable")
              t.active(sim, "ledger", "east")
              run = sim:run("own.lua")
              t.outcome(run, "succeeded")
              sim:heal()
              t.outcome(sim:run("failover.lua"), "succeeded")
              sim:partition("vault", "west")
              t.error(sim:run("failback.lua"), "store-unreachable")
            """, runbook: "for _, site in ipairs { \"east\", \"west\" } do dr.list { cluster = site, kind = \"StatefulSet\" } end")
        #expect(answer.status == 0, "\(answer.output)")
    }

    @Test func `A site that a fixture does not name is like one that it names`() throws {
        try shop.write("runbooks/fixtures/named.yaml", "config: ../../dr.yaml\ncopied: 5m\nclusters: { west: { free: 1TiB } }\n")
        try shop.write(
            "runbooks/own_test.lua",
            """
            local t = require "dr.test"
            t.case("it", function(sim)
              sim:load "fixtures/named.yaml"
              local run = sim:run "own.lua"
              t.outcome(run, "succeeded")
            end)
            """)
        try shop.write(
            "runbooks/own.lua",
            """
            return dr.runbook { name = "own", run = function()
              for _, check in ipairs(dr.checks { pair = "east-west", applications = "all", raise = false }) do
                if check.state ~= "ok" and check.state ~= "skipped" then dr.fail(check.id .. ": " .. check.message) end
              end
            end }
            """)
        let answer = try shop.drrunbook("test", "runbooks/own_test.lua")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
    }

    @Test func `An outside call that nobody answers fails the case, though the runbook goes on`() throws {
        try shop.write("dr.yaml", try shop.read("dr.yaml") + "allow:\n  http: [\"https://lb.example.com/\"]\n")
        let call = "pcall(dr.http, { url = \"https://lb.example.com/pool\" })"
        let unanswered = try test("  t.outcome(sim:run(\"own.lua\"), \"succeeded\")", runbook: call)
        #expect(unanswered.status == 1)
        #expect(unanswered.output.contains("nobody said what http GET https://lb.example.com/pool answers"), "\(unanswered.output)")
        let answered = try test(
            "  sim:answer(\"http\", { url = \"*/pool\" }, { status = 200, json = { up = true } })\n  local run = sim:run(\"own.lua\")\n"
                + "  t.called(run, { url = \"*pool\", method = \"GET\" })", runbook: call)
        #expect(answered.status == 0, "\(answered.output)")
        let refused = try test(
            "  t.error(sim:run(\"own.lua\"), \"not-allowed\")", runbook: "dr.http { url = \"https://other.example.com/\" }")
        #expect(refused.status == 0, "what dr.yaml does not allow is refused in tests, too: \(refused.output)")
    }

    @Test func `A runbook of six hours takes no time, and branches wait beside each other`() throws {
        let answer = try test(
            "  t.outcome(sim:run(\"own.lua\"), \"succeeded\")",
            runbook: "dr.parallel { function() dr.sleep(\"6h\") dr.log(\"long\") end, function() dr.sleep(\"1h\") dr.log(\"short\") end }",
            "--json")
        #expect(answer.status == 0, "\(answer.output)")
        #expect(answer.lines.first?["virtual_time"] == .number(21600), "\(answer.output)")
    }

    @Test func `G10 a gate is passed by the people a test names, as dr.yaml's rules count them`() throws {
        try shop.write("dr.yaml", try shop.read("dr.yaml") + "approvals:\n  people: { alice: {}, bob: {} }\n")
        let runbook = "dr.approve { name = \"cutover\", message = \"go?\", quorum = 2 } dr.log(\"passed\")"
        #expect(try test("  t.waiting(sim:run(\"own.lua\"), \"cutover\")", runbook: runbook).status == 0)
        #expect(
            try test("  sim:approve(\"cutover\", { \"alice\" })\n  t.waiting(sim:run(\"own.lua\"), \"cutover\")", runbook: runbook).status
                == 0)
        let both = try test(
            "  sim:approve(\"cutover\", { \"alice\", \"bob\" })\n  local run = sim:run(\"own.lua\")\n  t.outcome(run, \"succeeded\")\n  t.logged(run, \"passed\")",
            runbook: runbook)
        #expect(both.status == 0, "\(both.output)")
        let no = try test("  sim:reject(\"cutover\", { \"bob\" })\n  t.error(sim:run(\"own.lua\"), \"rejected\")", runbook: runbook)
        #expect(no.status == 0, "\(no.output)")
        let stranger = try test("  sim:approve(\"cutover\", { \"mallory\" })\n  sim:run(\"own.lua\")", runbook: runbook)
        #expect(stranger.status == 1 && stranger.output.contains("mallory is none of the people"), "\(stranger.output)")
    }

    @Test func `G2 a call outside under way when the process dies is unknown until somebody settles it`() throws {
        try shop.write("dr.yaml", try shop.read("dr.yaml") + "allow:\n  http: [\"https://lb.example.com/\"]\n")
        let answer = try test(
            """
              sim:fault { at = "http", kind = "crash", when = "after" }
              sim:answer("http", { url = "*" }, { status = 200 })
              local run = sim:run("own.lua")
              t.outcome(run, "interrupted")
              run = sim:resume(run)
              t.outcome(run, "waiting")
              t.error(run, "unknown-outcome")
              run = sim:resume(run, { settled = "done" })
              t.outcome(run, "succeeded")
              t.called(run, { method = "POST" }, 1)
            """, runbook: "dr.http { method = \"POST\", url = \"https://lb.example.com/switch\" }")
        #expect(answer.status == 0, "\(answer.output)")
    }

    @Test func `An undo is seen as done, and a world may be written in the test`() throws {
        try shop.write(
            "runbooks/own.lua",
            """
            return dr.runbook { name = "own", run = function()
              dr.undo(function() dr.log("taken back") end, { name = "the banner" })
              dr.migrate { pair = "a-b", applications = "all" }
              dr.fail("no")
            end }
            """)
        try shop.write(
            "runbooks/own_test.lua",
            """
            local t = require "dr.test"
            t.case("it", function(sim)
              sim:world {
                clusters = { a = {}, b = { version = "v1.31.0" } }, objectStores = { "store" },
                applications = { shop = { namespaces = { "shop" }, rpo = "15m" } },
                pairs = { ["a-b"] = { source = "a", destination = "b", objectStore = "store" } },
                schedules = {},
              }
              local run = sim:run("own.lua")
              t.outcome(run, "failed")
              t.undone(run, "the banner")
              t.active(sim, "shop", "a")
            end)
            """)
        let answer = try shop.drrunbook("test", "runbooks/own_test.lua")
        #expect(answer.status == 0, "\(answer.output)\(answer.error)")
    }

    @Test func `G5 what went live in a drill is not copied back, and nobody is told to protect it`() throws {
        let answer = try test(
            """
              local run = sim:drill("failover.lua", { reason = "drill" })
              t.outcome(run, "succeeded")
              for _, line in ipairs(run.log) do t.ok(not line:find("protected", 1, true), line) end
              for name, a in pairs(run.applications) do t.ok(not a.next, name .. ": " .. tostring(a.next)) end
            """)
        #expect(answer.status == 0, "\(answer.output)")
    }

    @Test func `Results go to JUnit, one element a case`() throws {
        let answer = try test("  t.fail(\"a < b & c\")", "--junit", "out/junit.xml")
        #expect(answer.status == 1)
        let text = try shop.read("out/junit.xml")
        #expect(text.contains("<testsuites tests=\"1\" failures=\"1\">") && text.contains("a &lt; b &amp; c"))
        #expect(text.contains("<testcase classname=\"runbooks/own_test.lua\" name=\"it\""))
    }

    @Test func `G8 what cannot be run as a test ends with 2`() throws {
        #expect(try shop.drrunbook("test", "nothing").status == 2)
        #expect(try shop.drrunbook("test", "--filter", "no such case").status == 2)
        try shop.write("runbooks/own_test.lua", "local t = require \"dr.test\"\nt.case(\n")
        let broken = try shop.drrunbook("test", "runbooks/own_test.lua")
        #expect(broken.status == 2 && broken.error.contains("runbooks/own_test.lua:"), "\(broken.error)")
        #expect(try shop.drrunbook("lint", "runbooks/own_test.lua").status == 2)
        #expect(try shop.drrunbook("lint", "runbooks/failover_test.lua").output.contains("6 cases"))
    }
}
