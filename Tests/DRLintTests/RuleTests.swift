import DRSupport
import Testing

@testable import DRLint

/// Each rule beside a text that it is about, and one that is right.
@Suite struct RuleTests {
    private static let vocabulary = LintVocabulary([
        .init(
            name: "failover", effect: .changes, table: 0,
            fields: [
                .init(name: "pair", isRequired: true), .init(name: "applications"), .init(name: "mode"),
                .init(name: "on"),
            ]),
        .init(name: "migrate", effect: .changes, table: 0, fields: [.init(name: "pair", isRequired: true), .init(name: "applications")]),
        .init(name: "drill", effect: .changes, table: 0, fields: [.init(name: "pair")]),
        .init(name: "cleanup", effect: .changes, table: 0, fields: [.init(name: "drill")]),
        .init(name: "status", effect: .observes, table: 0, fields: [.init(name: "application")]),
        .init(name: "exec", effect: .outside, table: 0, fields: [.init(name: "argv"), .init(name: "idempotent")]),
        .init(name: "http", effect: .outside, table: 0, fields: [.init(name: "url"), .init(name: "method"), .init(name: "idempotent")]),
        .init(name: "patch", effect: .changes, table: 0, fields: [.init(name: "name")]),
        .init(name: "runbook", effect: .flow, table: 0, fields: [.init(name: "name"), .init(name: "params"), .init(name: "run")]),
        .init(name: "retry", effect: .flow, table: 0, fields: [.init(name: "times")]),
        .init(name: "wait_until", effect: .flow, table: 0, fields: [.init(name: "timeout", isRequired: true)]),
        .init(name: "undo", effect: .flow, table: 1, fields: [.init(name: "while_active_at")]),
        .init(name: "step", effect: .flow, table: 2, fields: []), .init(name: "attempt", effect: .flow, table: nil, fields: []),
        .init(name: "finally", effect: .flow, table: nil, fields: []), .init(name: "log", effect: .flow, table: nil, fields: []),
        .init(name: "sleep", effect: .flow, table: nil, fields: [], arguments: ["duration"]),
        .init(name: "now", effect: .flow, table: nil, fields: []),
        .init(name: "duration", effect: .flow, table: nil, fields: [], arguments: ["text"]),
        .init(name: "window", effect: .observes, table: 0, fields: [.init(name: "opens"), .init(name: "closes")]),
    ]) { function, values, isWhole in
        // As a host judges by the declarations of its verbs: here durations, a closed list, and a rule for two fields together.
        for field in ["duration", "timeout", "text"] {
            switch values[field] {
            case .text("5 min")?, .text("5min")?, .integer(-5)?:
                return [.init(field: field, message: "no duration", hint: "write 5s")]
            default: break
            }
        }
        if let mode = values["mode"], mode != .text("planned"), mode != .text("disaster") {
            return [.init(field: "mode", message: "no mode", hint: nil)]
        }
        return function == "window" && isWhole && values.count == 1 ? [.init(field: nil, message: "half a window", hint: nil)] : []
    }

    private static func findings(_ text: String, inRun: Bool = true) -> [LintFinding] {
        let whole = inRun ? "return function() \(text) end" : text
        return Linter(vocabulary, applications: ["ledger", "storefront"], modules: ["lib.say", "drain"]).findings(in: whole, file: "a.lua")
    }

    static let wrong: [(rule: String, text: String)] = [
        ("unknown-verb", "dr.failovr {}"), ("unknown-verb", "local f = dr.mirgate; f()"),
        ("unknown-field", "dr.failover { pair = 'p', aplications = 'all' }"), ("unknown-field", "dr.failover { applications = 'all' }"),
        ("refused-value", "dr.failover { pair = 'p', mode = 'plannd' }"),
        ("refused-value", "dr.failover { pair = 'p', mode = { 'planned' } }"),
        ("refused-value", "dr.sleep '5 min'"), ("refused-value", "dr.sleep(-5)"), ("refused-value", "dr.duration(('5min'))"),
        ("refused-value", "dr.wait_until({ timeout = '5 min' }, function() end)"), ("refused-value", "dr.window { opens = 'x' }"),
        ("unknown-module", "local say = require 'lib.sai' dr.log(say)"),
        ("unknown-module", "dr.step('s', function() require('drian') end)"),
        ("unknown-field", "dr.wait_until({}, function() end)"),
        ("unknown-field", "dr.migrate()"), ("unknown-field", "dr.undo(function() end, { while_active = 'west' })"),
        ("repeated-outside", "dr.retry({}, function() dr.exec { argv = {} } end)"),
        ("repeated-outside", "dr.retry({}, function() dr.step('s', function() dr.http { url = 'u', method = 'POST' } end) end)"),
        ("repeated-outside", "dr.undo(function() dr.exec { argv = {}, idempotent = false } end)"),
        ("text-duration", "local r = dr.status{}.rpo; if r > '15m' then dr.log('late') end"),
        ("text-duration", "if '2026-01-01T00:00:00Z' < dr.now() then dr.log('x') end"),
        ("global", "conut = 1"), ("global", "dr.log(pars(1))"), ("global", "function helper() end"),
        ("ignored-failure", "pcall(function() dr.migrate { pair = 'p' } end)"), ("ignored-failure", "pcall(dr.migrate, { pair = 'p' })"),
        ("ignored-failure", "local _ = pcall(dr.migrate, { pair = 'p' })"),
        ("ignored-failure", "dr.attempt('x', function() dr.exec { argv = {} } end)"),
        ("late-undo", "dr.exec { argv = { 'drain' } } dr.undo(function() dr.exec { argv = { 'undrain' }, idempotent = true } end)"),
        ("late-undo", "local r = dr.patch { name = 'x' } if r then dr.undo(function() dr.patch { name = 'x' } end) end"),
        (
            "undo-by-variable",
            "local moved = false dr.undo(function() if not moved then dr.log('back') end end) dr.migrate { pair = 'p' } moved = true"
        ),
        ("late-cleanup", "local d = dr.drill {} dr.http { url = 'u' } dr.cleanup { drill = d }"),
        ("late-cleanup", "local d = dr.drill {} assert(d.rto) dr.cleanup { drill = d }"),
        ("endless-wait", "while not dr.status{}.protected do dr.sleep('5s') end"),
        ("endless-wait", "repeat dr.sleep('5s') until dr.status{}.protected"),
        ("unknown-application", "dr.migrate { pair = 'p', applications = { 'ledger', 'storefrnt' } }"),
        ("unknown-application", "dr.status { application = 'ledgr' }"),
        ("missing-wave", "dr.failover { pair = 'p', applications = { 'ledger' } } dr.failover { pair = 'p', applications = { 'ledger' } }"),
        ("unused-local", "local result = dr.status {}"),
        ("syntax", "dr.log("),
    ]

    @Test(arguments: RuleTests.wrong)
    func `what is wrong is found, by its rule`(_ rule: String, _ text: String) {
        #expect(Self.findings(text).map(\.rule).contains(rule))
    }

    @Test(arguments: [
        "dr.failover { pair = 'p', applications = 'all', mode = 'planned', on = { ready = function(app) dr.log(app.name) end } }",
        "local fields = { pair = 'p' } dr.failover(fields)", "local name = 'pair' dr.failover { [name] = 'p' }",
        "dr.retry({ times = 2 }, function() dr.http { url = 'u' } dr.http { url = 'u', method = 'POST', idempotent = true } end)",
        "if dr.status{}.rpo > dr.duration('15m') then dr.log('15m') end",
        "local state = dr.status{}.state; if state == 'ok' then dr.log('x') end",
        "local count = 1 count = count + 1 dr.log('%d', count)",
        "local ok, e = pcall(dr.migrate, { pair = 'p' }) if not ok then dr.log(e.code) end",
        "pcall(dr.log, 'x')", "local ok = dr.attempt('x', function() dr.exec { argv = {} } end) assert(ok)",
        "dr.undo(function() dr.exec { argv = {}, idempotent = true } end) dr.exec { argv = {} }",
        "dr.exec { argv = { 'look' } } dr.undo(function() dr.patch { name = 'x' } end) dr.patch { name = 'x' }",
        "dr.undo(function() local s = dr.status {} if s.active_at == 'west' then dr.log('stays') end end)",
        "local d = dr.drill {} dr.finally(function() dr.cleanup { drill = d } end) dr.http { url = 'u' }",
        "local d = dr.drill {} dr.log('ready %s', d.rto) for k, v in pairs(d.namespaces) do dr.log('%s %s', k, v) end dr.cleanup { drill = d }",
        "dr.wait_until({ timeout = '10m' }, function() return dr.status{}.protected end)",
        "local n = 0 while n < 10 do dr.sleep('5s') n = n + 1 end",
        "dr.failover { pair = 'p', applications = { 'ledger' } } dr.failover { pair = 'p', applications = { 'storefront' } }",
        "local name = 'other' dr.migrate { pair = 'p', applications = { name, 'ledger' } } dr.status { application = name }",
        "dr.log { application = 'other' }",
        "local say, drain, dr = require 'lib/say', require('drain'), require 'dr' dr.log(say, drain)", "local n = 'x' dr.log(require(n))",
        "local t = '5 min' dr.sleep(t) dr.wait_until({ timeout = t }, function() end) dr.sleep('5s')",
        "local w = { opens = 'x' } dr.window(w) local k = 'closes' dr.window { opens = 'x', [k] = 'y' } dr.window { opens = 'x', closes = k }",
        "for _, name in ipairs({ 'a' }) do dr.log(name) end", "local file <close> = nil",
    ])
    func `what is right has no finding`(_ text: String) {
        #expect(Self.findings(text) == [])
    }

    @Test func `a parameter nobody reads is found, and one that is handed on is not`() {
        func runbook(_ body: String) -> [String] {
            Self.findings(
                "return dr.runbook { name = 'x', params = { reason = { type = 'string' }, ttl = {} }, run = function(p) \(body) end }",
                inRun: false
            ).map(\.message)
        }
        #expect(runbook("dr.log(p.reason)") == ["parameter ttl is never read"])
        #expect(runbook("dr.log(p.reason .. p.ttl)") == [])
        #expect(runbook("local function f(x) return x end dr.log(f(p))") == [])
        #expect(runbook("dr.log('x')") == ["parameter reason is never read", "parameter ttl is never read"])
    }

    @Test func `a parameter that is read and not declared is found with the nearest name, unless what is declared cannot be known`() {
        func found(_ params: String, _ body: String) -> [String] {
            Self.findings("return dr.runbook { name = 'x', \(params) run = function(p) \(body) end }", inRun: false)
                .filter { $0.rule == "unknown-parameter" }.map(\.message)
        }
        let declared = "params = { planned = { type = 'boolean' } },"
        #expect(
            found(declared, "dr.log('%s', p.planed and 'planned' or 'disaster')") == [
                "there is no parameter planed (did you mean \"planned\"?)"
            ])
        #expect(found(declared, "dr.step('s', function() dr.log(p.planed) end) dr.log(p.planned)").count == 1)
        #expect(found("", "dr.log(p.reason)") == ["there is no parameter reason"])
        #expect(found(declared, "dr.log(p.planned)") == [])
        #expect(found(declared, "p.started = dr.now() dr.log(p.started)") == [])
        #expect(found("params = require('lib.params'),", "dr.log(p.reason)") == [])
        #expect(found("params = { [name] = {} },", "dr.log(p.reason)") == [])
        #expect(found(declared, "local function f(p) return p.any end dr.log(f({}))") == [])
    }

    @Test func `an application is only found to be unknown where some are known`() {
        let text = "return function() dr.status { application = 'ledgr' } end"
        #expect(Linter(Self.vocabulary).findings(in: text, file: "a.lua") == [])
        #expect(
            Linter(Self.vocabulary, applications: ["ledger"]).findings(in: text, file: "a.lua").map(\.message) == [
                "status: there is no application \"ledgr\" (did you mean \"ledger\"?)"
            ])
    }

    @Test func `a module is only found to be unknown where what there is is known, with the nearest name`() {
        let text = "return require 'lib.sai'"
        #expect(Linter(Self.vocabulary).findings(in: text, file: "a.lua") == [])
        #expect(
            Linter(Self.vocabulary, modules: ["lib.say"]).findings(in: text, file: "a.lua").map(\.message) == [
                "there is no module \"lib.sai\" (did you mean \"lib.say\"?)"
            ])
    }

    @Test func `a refused value is told at its own line, with its verb and field, and what is judged is what stands there`() {
        let found = Self.findings("dr.wait_until({\n timeout = '5 min' },\n function() end)")
        #expect(found.map { "\($0.line): \($0.message) (\($0.hint ?? ""))" } == ["2: wait_until: timeout: no duration (write 5s)"])
        let seen = Lock<[(values: [String: LintConstant], isWhole: Bool)]>([])
        let vocabulary = LintVocabulary([.init(name: "v", effect: .changes, table: 0, fields: [.init(name: "a"), .init(name: "b")])]) {
            _, values, isWhole in
            seen.withLock { $0.append((values, isWhole)) }
            return []
        }
        let text =
            "return function(p) dr.v { a = { 1, -2, 1.5, true, { x = 'y' } }, b = function() end } dr.v { a = 0x10, b = p.x } dr.v(p) end"
        #expect(Linter(vocabulary).findings(in: text, file: "a.lua") == [])
        let whole: LintConstant = .list([.integer(1), .integer(-2), .number(1.5), .bool(true), .table(["x": .text("y")])])
        #expect(seen.withLock { $0.map(\.values) } == [["a": whole, "b": .function], [:], [:]])
        #expect(seen.withLock { $0.map(\.isWhole) } == [true, false, false])
    }

    @Test func `verbs of a file that loads are found, those in functions are not`() {
        #expect(Self.findings("local s = dr.status {}\nreturn function() return dr.status {}, s end", inRun: false).map(\.line) == [1])
    }

    @Test func `a comment allows a rule on its line, alone on the next, and no other`() {
        let text =
            "return function()\n-- lint: allow global: set by the host\nx = 1\ny = 1 -- lint: allow global\nz = 1 -- lint: allow late-undo\nend"
        #expect(Self.findings(text, inRun: false).map(\.line) == [5])
    }

    @Test func `findings say the line, the nearest name and what to do`() {
        #expect(
            Self.findings("\n\ndr.failover { pair = 'p',\n aplications = 'all' }").first
                == LintFinding(
                    rule: "unknown-field", severity: .error, file: "a.lua", line: 4,
                    message: "failover: there is no field \"aplications\" (did you mean \"applications\"?)",
                    hint: "`drrunbook explain failover` shows its fields"))
    }

    @Test func `every rule is shown by a text that is wrong`() {
        let shown = Set(Self.wrong.map(\.rule)).union(["unused-parameter", "unknown-parameter", "verb-outside-run", "syntax"])
        #expect(shown == Set(Linter.reference.map(\.id)).union(["syntax"]))
    }
}
