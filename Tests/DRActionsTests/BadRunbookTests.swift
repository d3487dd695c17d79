import DRActions
import DRModel
import DRSupport
import Testing

@Suite struct BadRunbookTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let body: String
        let code: ErrorCode
        let parts: [String]
        var testDescription: String { body }
    }

    @Test(arguments: [
        Case(body: #"return dr.migrate { pair = "east-west" }"#, code: .invalidInput, parts: ["field \"applications\" is missing"]),
        Case(
            body: #"return dr.failover { pair = "east-west", applications = "all" }"#, code: .invalidInput,
            parts: ["field \"mode\" is missing"]),
        Case(body: "dr.migrat { }", code: .runbook, parts: ["there is no dr.migrat", "did you mean \"migrate\""]),
        Case(
            body: #"dr.migrate { pair = "east-west", aplications = "all" }"#, code: .invalidInput,
            parts: ["migrate", "unknown field \"aplications\"", "did you mean \"applications\""]),
        Case(
            body: #"dr.migrate { pair = "east-west", applications = 7 }"#, code: .invalidInput,
            parts: ["field \"applications\"", "expected a list of application names, or \"all\"", "got a number"]),
        Case(body: #"dr.migrate { pair = "east-west" }"#, code: .invalidInput, parts: ["field \"applications\" is missing"]),
        Case(
            body: #"dr.migrate { pair = "east-wst", applications = "all" }"#, code: .unknownName,
            parts: ["there is no pair \"east-wst\"", "did you mean \"east-west\""]),
        Case(
            body: #"dr.migrate { pair = "east-west", applications = { "leger" } }"#, code: .unknownName,
            parts: ["there is no application \"leger\"", "did you mean \"ledger\""]),
        Case(body: #"dr.migrate { pair = "east-west", applications = {} }"#, code: .invalidInput, parts: ["the list is empty"]),
        Case(body: #"dr.sleep("soon")"#, code: .invalidInput, parts: ["\"soon\" is not a duration"]),
        Case(
            body: #"dr.failover { pair = "east-west", applications = "all", mode = "fast" }"#, code: .invalidInput,
            parts: ["field \"mode\"", "\"planned\", \"disaster\"", "\"fast\""]),
        Case(
            body: #"dr.failover { pair = "east-west", applications = "all", mode = "planned", on = { redy = print } }"#,
            code: .invalidInput,
            parts: ["there is no hook \"redy\"", "did you mean \"ready\""]),
        Case(body: #"dr.previos { runbook = "x" }"#, code: .runbook, parts: ["there is no dr.previos", "previous"]),
        Case(body: #"local x = dr.now() < "2026-01-01T00:00:00Z""#, code: .script, parts: ["compare", "time"]),
        Case(body: "local t = nil; t.x = 1", code: .script, parts: ["index a nil value"]),
    ])
    func `G8 a wrong call says what, where and what was meant, and changes nothing`(_ wrong: Case) async throws {
        let stage = Stage()
        let report = try await stage.run(wrong.body)
        let error = try #require(report.error)
        #expect(error.code == wrong.code)
        for part in wrong.parts { #expect(error.description.contains(part), "\(error)") }
        #expect(error.location == SourceLocation(file: "test.lua", line: 5))
        #expect(report.effects.isEmpty)
        #expect(stage.engine.calls.isEmpty)
    }

    @Test(arguments: [
        ("in_order", "parallel = -1", ["parallel", "a whole number of at least 1", "-1"]),
        ("in_order", "parallel = 0", ["parallel", "a whole number of at least 1", "0"]),
        ("in_order", "parallel = 1.5", ["parallel", "a whole number of at least 1", "1.5"]),
        ("in_order", "parallel = \"all\"", ["parallel", "a whole number of at least 1", "all"]),
        ("in_order", "parallel = \"2\"", ["parallel", "a whole number of at least 1", "\"2\""]),
        ("in_order", "raise = \"no\"", ["raise", "true or false", "no"]),
        ("in_order", "reverse = 1", ["reverse", "true or false", "1"]),
        ("in_order", "on_failure = \"contineu\"", ["on_failure", "did you mean \"continue\""]),
        ("retry", "on = \"failed\"", ["on", "a list of error codes", "failed"]),
        ("retry", "on = { \"timeoutt\" }", ["on", "timeoutt", "did you mean \"timeout\""]),
        ("retry", "on = { 7 }", ["on", "a list of error codes", "7"]),
        ("retry", "on = { code = \"timeout\" }", ["on", "a list of error codes"]),
        ("retry", "backoff = \"x\"", ["backoff", "a number of at least 1", "x"]),
        ("retry", "backoff = 0", ["backoff", "a number of at least 1", "0"]),
        ("retry", "every = \"soon\"", ["every", "\"soon\" is not a duration"]),
        ("retry", "times = 0", ["times", "a whole number of at least 1", "0"]),
        ("wait_until", "timeout = \"soon\"", ["timeout", "\"soon\" is not a duration"]),
        ("wait_until", "timeout = \"1m\", every = \"soon\"", ["every", "\"soon\" is not a duration"]),
    ])
    func `G8 a wrong option of a flow is told at the call, before anything is done`(flow: String, option: String, parts: [String])
        async throws
    {
        let stage = Stage()
        let work = #"function() dr.migrate { pair = "east-west", applications = { "ledger" } } return true end"#
        let report = try await stage.run(
            flow == "in_order" ? "dr.in_order({ \"a\", \"b\" }, { \(option) }, \(work))" : "dr.\(flow)({ \(option) }, \(work))")
        let error = try #require(report.error)
        #expect(error.code == .invalidInput, "\(error)")
        for part in [flow] + parts { #expect(error.description.contains(part), "\(error)") }
        #expect(error.location == SourceLocation(file: "test.lua", line: 5), "\(error)")
        #expect(stage.engine.calls.isEmpty)
    }

    @Test func `G8 a file that cannot be read names the line`() async throws {
        let stage = Stage()
        let sources = RunbookSources(
            main: .init(file: "broken.lua", text: "return dr.runbook {\n  name = \"x\",\n  run = function( end\n}"))
        await #expect {
            try await stage.runner().inspect(sources)
        } throws: { error in
            let error = error as? DRError
            return error?.code == .runbook && error?.location == SourceLocation(file: "broken.lua", line: 3)
        }
    }

    @Test(arguments: [
        ("return 7", "a runbook file returns one dr.runbook{...}"),
        ("dr.migrate { pair = 'east-west', applications = 'all' }", "only inside run"),
        ("return dr.runbook { name = 'x', rn = function() end }", "did you mean \"run\""),
        ("return dr.runbook { name = 'x', params = { a = { type = 'strng' } }, run = function() end }", "did you mean \"string\""),
        ("return dr.runbook { run = function() end }", "\"name\" is missing"),
    ])
    func `G8 a declaration that does not fit is refused at load`(text: String, expected: String) async throws {
        let stage = Stage()
        await #expect {
            try await stage.runner().inspect(RunbookSources(main: .init(file: "x.lua", text: text)))
        } throws: { error in
            (error as? DRError)?.description.contains(expected) == true
        }
    }

    @Test func `G8 parameters are checked against the declaration`() async throws {
        let declared =
            #"{ reason = { type = "string", required = true }, planned = { type = "boolean", default = true }, wait = { type = "duration" } }"#
        func failure(_ parameters: Value) async -> String {
            do {
                _ = try await Stage().run("dr.log('%s', p.reason)", parameters: parameters, declared: declared)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(await failure([:]).contains("parameter \"reason\" is missing"))
        #expect(await failure(["reason": "x", "planed": true]).contains("did you mean \"planned\""))
        #expect(await failure(["reason": "x", "planned": "maybe"]).contains("expected true or false, got \"maybe\""))
        #expect(await failure(["reason": "x", "wait": "soon"]).contains("expected a duration"))
        #expect(await failure(["reason": "x", "wait": "5m", "planned": "false"]) == "")
    }

    @Test func `G7 computing without end is stopped, and pcall does not help`() async throws {
        let stage = Stage()
        let report = try await stage.runner(limits: RunLimits(computing: .milliseconds(50))).run(
            RunOrder(sources: Stage.sources("while true do pcall(function() while true do end end) end"), who: "test"))
        #expect(report.error?.code == .limitExceeded)
        #expect(report.outcome == .failed)
    }

    @Test func `G7 memory without end is stopped`() async throws {
        let stage = Stage()
        let report = try await stage.runner(limits: RunLimits(memory: ByteCount(4 << 20))).run(
            RunOrder(sources: Stage.sources("local t = {} for i = 1, 1e9 do t[i] = { i } end"), who: "test"))
        #expect(report.error?.code == .limitExceeded)
    }
}
