import DRHost
import DRModel
import DRSupport
import Foundation
import Testing

/// G8 Whatever somebody misspells, the message says where it stands and what was most likely meant.
@Suite(.waitsForProcesses) struct NearestNameTests {
    /// The error of a runbook with this body, planned.
    static let runbooks: [(body: String, parts: [String])] = [
        (#"require "lib.sai""#, ["x.lua:2: there is no module \"lib.sai\" (did you mean \"lib.say\"?)", "lib.say", "protect"]),
        (#"require "protct""#, ["there is no module \"protct\" (did you mean \"protect\"?)"]),
        (#"require "lib/sai""#, ["there is no module \"lib.sai\" (did you mean \"lib.say\"?)"]),
        (
            #"dr.checks { pair = "east-west", warn_only = { capcity = "grows" } }"#,
            ["checks: there is no check \"capcity\" (did you mean \"capacity\"?)"]
        ),
        (
            #"dr.schedule { name = "s", pair = "east-west", applications = "all", weekly = { day = "sundy", at = "02:00" } }"#,
            ["field \"weekly\": \"sundy\" is no day of the week (did you mean \"sunday\"?)"]
        ),
        (
            #"dr.schedule { name = "s", pair = "east-west", applications = "all", weekly = { dy = "sunday", at = "02:00" } }"#,
            ["field \"weekly\": unknown key \"dy\" (did you mean \"day\"?)"]
        ),
        (
            #"dr.schedule { name = "s", pair = "east-west", applications = "all", monthly = { day = 32, at = "02:00" } }"#,
            ["field \"monthly\": 32 is no day of a month", "expected 1 to 31"]
        ),
        (
            #"dr.schedule { name = "s", pair = "east-west", applications = "all", daily = "25:00" }"#,
            ["field \"daily\": \"25:00\" is not a time of day", "expected HH:MM"]
        ),
        (
            #"dr.schedule { name = "s", pair = "east-west", applications = "all", interval = "15m", retain = { lst = 3 } }"#,
            ["field \"retain\": unknown key \"lst\" (did you mean \"last\"?)"]
        ),
        (
            #"dr.reprotect { pair = "east-west", applications = "all", interval = "15m", retain = { hourly = "2" } }"#,
            ["field \"retain\": hourly: expected a whole number of at least 0, got \"2\""]
        ),
        (
            #"dr.failover { pair = "east-west", applications = "all", mode = "plannd" }"#,
            ["field \"mode\": expected one of \"planned\", \"disaster\", got \"plannd\" (did you mean \"planned\"?)"]
        ),
        (
            #"dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidnce = "x", fenced = "power" } }"#,
            ["field \"source_down\": unknown key \"evidnce\" (did you mean \"evidence\"?)"]
        ),
        (
            #"dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "x", fenced = "powr" } }"#,
            ["field \"source_down\": fenced: expected one of", "(did you mean \"power\"?)"]
        ),
        (
            #"dr.failover { pair = "east-west", applications = "all", mode = "planned", recovery_point = "latst" }"#,
            ["field \"recovery_point\": expected \"latest\"", "got \"latst\" (did you mean \"latest\"?)"]
        ),
        (
            #"dr.drill { pair = "east-west", applications = "all", recovery_point = { at_or_befor = "2026-03-01T00:00:00Z" } }"#,
            ["field \"recovery_point\": unknown key \"at_or_befor\" (did you mean \"at_or_before\"?)"]
        ),
        (
            #"dr.drill { pair = "east-west", applications = "all", recovery_point = { at_or_before = "noon" } }"#,
            ["field \"recovery_point\": at_or_before: \"noon\" is not a time"]
        ),
        (
            #"dr.migrate { pair = "east-west", applications = "all", dedline = "5m" }"#,
            ["unknown field \"dedline\" (did you mean \"deadline\"?)"]
        ),
        (#"dr.step("copy", function() end, { deadline = "5 min" })"#, ["copy: field \"deadline\": \"5 min\" is not a duration"]),
        (#"dr.window { cron = "0 25 * * *", length = "2h" }"#, ["the hour of \"0 25 * * *\": expected numbers from 0 to 23, got \"25\""]),
        (#"dr.window { cron = "0 22 * *", length = "2h" }"#, ["expected five fields of cron", "got \"0 22 * *\""]),
        (#"dr.http { url = "https://x", in_drill = "skp" }"#, ["field \"in_drill\": expected \"skip\"", "got \"skp\""]),
        (
            #"dr.wait_ready { cluster = "east", kind = "StatefulSt", namespace = "shop-db", name = "ledger", timeout = "1s" }"#,
            ["east has no StatefulSt shop-db/ledger (did you mean \"StatefulSet\"?)"]
        ),
        (
            #"dr.wait_ready { cluster = "east", kind = "StatefulSet", namespace = "shop-db", name = "ledgr", timeout = "1s" }"#,
            ["east has no StatefulSet shop-db/ledgr (did you mean \"shop-db/ledger\"?)"]
        ),
        (#"dr.json.encod {}"#, ["dr.json: there is no \"encod\" (did you mean \"encode\"?)"]),
    ]

    @Test(arguments: runbooks)
    func `in a runbook`(_ body: String, _ parts: [String]) throws {
        let shop = try ShopFixture()
        try shop.write("runbooks/x.lua", "return dr.runbook { name = \"x\", run = function()\n\(body)\nend }\n")
        let before = try shop.fingerprint()
        let answer = try shop.drrunbook("plan", "runbooks/x.lua")
        #expect(answer.status == 2, "\(answer.output)\(answer.error)")
        for part in ["runbooks/x.lua:2: "] + parts { #expect(answer.error.contains(part), "\(answer.error)") }
        #expect(try shop.fingerprint() == before)
    }

    static let cases: [(body: String, parts: [String])] = [
        (#"sim:load "fixtures/shp.yaml""#, ["no fixture runbooks/fixtures/shp.yaml (did you mean \"shop.yaml\"?)"]),
        (#"require "lib.sai""#, ["there is no module \"lib.sai\" (did you mean \"lib.say\"?)"]),
        (#"require "dr.tst""#, ["there is no module \"dr.tst\" (did you mean \"dr.test\"?)"]),
        (#"local run = sim:run("protect.lua") t.ok(run.outcme ~= "failed")"#, ["there is no run.outcme (did you mean \"outcome\"?)"]),
        (
            #"local run = sim:run("failover.lua") t.ok(run.applications.ledgr)"#,
            ["there is no run.applications.ledgr (did you mean \"ledger\"?)"]
        ),
        (#"t.error(sim:run("protect.lua"), "timout")"#, ["t.error: there is no error code \"timout\" (did you mean \"timeout\"?)"]),
        (#"sim:fault { at = "stop", kind = "error", code = "timout" }"#, ["code: there is no \"timout\" (did you mean \"timeout\"?)"]),
        (#"sim:fault { at = "stop", kind = "crash", when = "aftr" }"#, ["when: there is no \"aftr\" (did you mean \"after\"?)"]),
        (
            #"sim:fault { at = "stop", kind = "source-unreachable", lasts = "forevr" }"#,
            ["lasts: there is no \"forevr\" (did you mean \"forever\"?)"]
        ),
        (#"sim:fault { at = "stop", kind = "slow", delay = "5 min" }"#, ["delay: \"5 min\" is not a duration"]),
        (#"sim:fault { at = "stop", kind = "error", nth = 0 }"#, ["nth: expected a whole number of at least 1, got 0"]),
        (#"sim:fault { at = "stop", kind = "error", again = "yes" }"#, ["again: expected true or false, got \"yes\""]),
        (
            #"sim:fault { at = "stop", kind = "error", application = "ledgr" }"#,
            ["there is no application \"ledgr\" (did you mean \"ledger\"?)"]
        ),
        (#"sim:approve("cutover", { "alice" }, { afer = "5m" })"#, ["sim:approve: unknown field \"afer\" (did you mean \"after\"?)"]),
        (
            #"sim:corrupt { application = "ledger", cluster = "west", points = "al" }"#,
            ["sim:corrupt: points: there is no \"al\" (did you mean \"all\"?)"]
        ),
        (
            #"sim:resume(sim:run("protect.lua"), { settld = "done" })"#,
            ["sim:resume: unknown field \"settld\" (did you mean \"settled\"?)"]
        ),
        (#"sim:resume(sim:run("protect.lua"), { settled = "don" })"#, ["settled: there is no \"don\" (did you mean \"done\"?)"]),
        (
            #"sim:answer("http", { url = "*" }, { error = "timout" })"#,
            ["sim:answer: there is no error code \"timout\" (did you mean \"timeout\"?)"]
        ),
        (#"sim:world { confg = "../dr.yaml" }"#, ["sim:world: unknown key \"confg\" (did you mean \"config\"?)"]),
        (#"sim:world { config = "../dr.yml" }"#, ["sim:world: there is no", "(did you mean \"dr.yaml\"?)"]),
        (#"sim:world { config = "../dr.yaml", now = "noon" }"#, ["sim:world: now: expected a time such as", "\"noon\""]),
        (#"sim:world { config = "../dr.yaml", active = "wst" }"#, ["active: no pair leads from east to wst (did you mean \"west\"?)"]),
        (
            #"sim:world { config = "../dr.yaml", clusters = { est = {} } }"#,
            ["clusters: there is no cluster \"est\" (did you mean \"east\"?)"]
        ),
        (
            #"sim:world { config = "../dr.yaml", clusters = { east = { volumes = { ["ledger-dta"] = "x" } } } }"#,
            ["clusters.east.volumes: there is no PersistentVolume \"ledger-dta\" (did you mean \"ledger-data\"?)"]
        ),
    ]

    @Test(arguments: cases)
    func `in a test`(_ body: String, _ parts: [String]) throws {
        let shop = try ShopFixture()
        try shop.write("runbooks/fixtures/shop.yaml", "config: ../../dr.yaml\n")
        try shop.write("runbooks/x_test.lua", "local t = require \"dr.test\"\nt.case(\"x\", function(sim)\n\(body)\nend)\n")
        let answer = try shop.drrunbook("test", "runbooks/x_test.lua")
        #expect(answer.status == 1, "\(answer.output)\(answer.error)")
        for part in ["runbooks/x_test.lua:3: "] + parts { #expect(answer.output.contains(part), "\(answer.output)") }
    }

    @Test func `what a run may lack is nil, and a fault or a gate that nothing came by is told with its case`() throws {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/x_test.lua",
            """
            local t = require "dr.test"
            t.case("lacks", function(sim)
              local run = sim:run("protect.lua")
              t.ok(run.error == nil and run.applications.ledger == nil)
            end)
            t.case("fault", function(sim)
              sim:fault { at = "migrte", kind = "error" }
              sim:run("protect.lua")
            end)
            t.case("gate", function(sim)
              sim:approve("cutovr", { "alice" })
              t.outcome(sim:run("gate.lua"), "succeeded")
            end)
            """)
        try shop.write(
            "runbooks/gate.lua",
            "return dr.runbook { name = \"gate\", run = function() dr.approve { name = \"cutover\", message = \"now?\" } end }\n")
        let answer = try shop.drrunbook("test", "runbooks/x_test.lua")
        #expect(answer.status == 1 && answer.output.contains("2 of 3 failed"), "\(answer.output)")
        #expect(answer.output.contains("runbooks/x_test.lua:6: the fault error at migrte never happened"), "\(answer.output)")
        #expect(answer.output.contains("no run stood at the gate cutovr (did you mean \"cutover\"?)"), "\(answer.output)")
    }

    static let commands: [(arguments: [String], part: String)] = [
        (["test", "runbooks", "--filter", "drilll"], "no case fits \"drilll\" (did you mean \"drill\"?)"),
        (["test", "runbooks/failover_tst.lua"], "there is no runbooks/failover_tst.lua (did you mean \"failover_test.lua\"?)"),
        (["explore", "runbooks/failover.lua", "--world", "dr.ymal"], "there is no fixture dr.ymal (did you mean \"dr.yaml\"?)"),
        (["run", "runbooks/failover.lua", "--params", "dr.yml"], "there is no file dr.yml with parameters (did you mean \"dr.yaml\"?)"),
        (["run", "runbooks/failover.lua", "--plan", "dr.yml"], "there is no plan dr.yml (did you mean \"dr.yaml\"?)"),
        (["import", "dr.yml"], "there is no file dr.yml that can be read (did you mean \"dr.yaml\"?)"),
        (["status", "--config", "dr.yml"], "there is no dr.yml here (did you mean \"dr.yaml\"?)"),
    ]

    @Test(arguments: commands)
    func `on the command line`(_ arguments: [String], _ part: String) throws {
        let shop = try ShopFixture()
        let answer = try shop.drrunbook(arguments)
        #expect(answer.status == 2 && answer.error.contains(part), "\(answer.error)")
    }
}
