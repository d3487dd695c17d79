import DRActions
import DRModel
import DRSupport
import Testing

@Suite struct OutsideTests {
    @Test func `exec hands over words, environment and secrets by name, and gives back what the program said`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            local r = dr.exec { argv = { "psql", "-c", "checkpoint" }, env = { A = "1", B = dr.secret "PAGER_TOKEN" },
              stdin = dr.secret "PAGER_TOKEN", timeout = "5s" }
            dr.log("%d %s %s", r.code, r.stdout, tostring(r.cut))
            """)
        #expect(report.outcome == .succeeded)
        #expect(stage.logs == ["0 out false"])
        #expect(report.effects.map(\.text) == ["call exec psql"])
        let token = OutsideText.secret(try SecretName("PAGER_TOKEN"))
        #expect(
            stage.outside.state.withLock { $0.executions } == [
                ExecutionOrder(
                    argv: ["psql", "-c", "checkpoint"], environment: ["A": .plain("1"), "B": token], input: token, timeout: .seconds(5))
            ])
    }

    @Test func `a status other than zero raises with what was said, unless check is false`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            local ok, e = pcall(dr.exec, { argv = { "psql", "fails" } })
            dr.log("%s %s %d", e.code, e.message, e.details.code)
            dr.log("%d", dr.exec { argv = { "psql", "fails" }, check = false }.code)
            """)
        #expect(report.outcome == .succeeded)
        #expect(stage.logs == ["outside-failed exec: psql ended with status 3: no / way 3", "3"])
    }

    @Test(arguments: [
        "tostring(s)", "s .. 'x'", "#s", "s < s", "s.name", "s.x", "dr.log('%s', s)", "dr.json.encode({ s })", "s()",
        "string.format('%s', s)",
        "dr.exec { argv = { s } }", "dr.exec { argv = { 'psql' }, in_plan = { stdout = s } }", "dr.http { url = s }",
        "dr.http { url = 'https://x/', json = { a = { s } } }", "dr.http { url = 'https://x/', query = { a = s } }",
        "dr.http { url = 'https://x/', body = s }", "dr.notify { to = 'oncall', text = s }",
        "dr.migrate { pair = s, applications = 'all' }",
        "for _ in pairs(s) do end", "s.x = 1", "s + 1",
    ])
    func `G7 a secret can be handed on and nothing else`(use: String) async throws {
        let stage = Stage()
        let statement = use.hasPrefix("for") || use.contains(" = 1") ? use : "local _ = \(use)"
        let report = try await stage.run("local s = dr.secret 'PAGER_TOKEN' \(statement)")
        #expect(report.outcome == .failed)
        #expect(
            report.error?.message.contains("a secret may be used only in") == true || report.error?.code == .script,
            "\(String(describing: report.error))")
        #expect(stage.outside.calls.isEmpty)
    }

    @Test func `a table that pretends to be a secret is refused`() async throws {
        let stage = Stage()
        let report = try await stage.run("dr.exec { argv = { 'psql' }, env = { A = { ['$secret'] = 'PAGER_TOKEN' } } }")
        #expect(report.error?.code == .invalidInput)
        #expect(stage.outside.calls.isEmpty)
    }

    @Test func `the journal keeps a secret's name and mark, and a refusal is the same on replay`() async throws {
        let whole = Stage()
        let body = """
            local ok, e = pcall(dr.secret, "OTHER")
            dr.log("%s", e.code)
            dr.exec { argv = { "psql" }, env = { A = dr.secret "PAGER_TOKEN" }, idempotent = true }
            """
        _ = try await whole.run(body)
        let inputs = whole.journal.entries.filter { $0.kind == .input }
        #expect(inputs.map { $0.payload["name"].string } == ["OTHER", "PAGER_TOKEN"])
        #expect(inputs[1].payload["fingerprint"].string == "hmac-sha256:0011223344556677")
        let intent = try #require(whole.journal.entries.first { $0.kind == .intent })
        #expect(intent.payload["env"] == ["A": ["$secret": "PAGER_TOKEN"]])
        for cut in 0..<whole.journal.entries.count {
            #expect(try await Stage(journal: whole.journal.cut(after: cut)).resume().outcome == .succeeded, "cut after \(cut)")
        }
    }

    @Test(arguments: [
        "dr.retry({ times = 2 }, CALL)", "dr.wait_until({ timeout = '1s' }, CALL)", "dr.retry({}, function() dr.parallel { CALL } end)",
    ])
    func `G2 what must not happen twice is refused where it could be`(place: String) async throws {
        for (call, isRefused) in [
            ("dr.exec { argv = { 'psql' } }", true), ("dr.http { method = 'POST', url = 'https://x/' }", true),
            ("dr.exec { argv = { 'psql' }, idempotent = true }", false), ("dr.http { url = 'https://x/' }", false),
            ("dr.notify { to = 'oncall', text = 'x' }", false),
        ] {
            let stage = Stage()
            let report = try await stage.run(place.replacing("CALL", with: "function() \(call) return true end"))
            #expect(report.outcome == (isRefused ? .failed : .succeeded), "\(call)")
            #expect(stage.outside.calls.isEmpty == isRefused, "\(call)")
            if isRefused { #expect(report.error?.message.contains("it could be done twice") == true) }
        }
    }

    @Test func `after a retry has ended a call is allowed again`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            "pcall(dr.retry, { times = 1 }, function() dr.fail('x') end) dr.exec { argv = { 'psql' } }")
        #expect(report.outcome == .succeeded)
    }

    // The records of a run of one call: its intent comes first, its outcome next.
    private func interrupted(_ body: String, outside: RecordedOutside = RecordedOutside()) async throws -> Stage {
        let whole = Stage()
        _ = try await whole.run(body)
        let intent = try #require(whole.journal.entries.firstIndex { $0.kind == .intent })
        return Stage(journal: whole.journal.cut(after: intent + 1), outside: outside)
    }

    @Test func `G2 a call that is first asked for when the run is taken up again is no lost answer`() async throws {
        let stage = Stage()
        _ = try await stage.run("dr.exec { argv = { 'first' } } dr.exec { argv = { 'second' } }")
        // Put down between the two: the outcome of the first is the last record.
        let index = try #require(stage.journal.entries.firstIndex { $0.kind == .outcome })
        let again = Stage(journal: stage.journal.cut(after: index + 1))
        let end = try await again.resume()
        #expect(end.outcome == .succeeded, "\(String(describing: end.error))")
        #expect(again.outside.calls == ["second"])
    }

    @Test(arguments: ["dr.exec { argv = { 'psql' } }", "dr.http { method = 'PUT', url = 'https://x/' }"])
    func `G2 a call that was under way at a crash waits for a person, and nothing is done meanwhile`(call: String) async throws {
        let stage = try await interrupted("\(call) dr.migrate { pair = 'east-west', applications = 'all' }")
        let records = stage.journal.entries.count
        for _ in 0..<2 {
            let report = try await stage.resume()
            #expect(report.outcome == .waiting)
            #expect(report.error?.code == .unknownOutcome)
            #expect(report.error?.hint?.contains("--settle 0/1/1/do=done|not-done") == true)
            #expect(stage.outside.calls.isEmpty && stage.engine.calls.isEmpty)
            #expect(stage.journal.entries.count == records)
        }
        await #expect { try await stage.resume(settled: ["0/9/1/do": .done]) } throws: { ($0 as? DRError)?.code == .notFound }
        let report = try await stage.resume(settled: ["0/1/1/do": .done])
        #expect(report.outcome == .succeeded)
        #expect(stage.outside.calls.isEmpty)
        #expect(stage.engine.calls == ["migrate ledger+storefront"])
        #expect(report.effects.first?.verb == .call)
    }

    @Test func `what a drill leaves out needs no person after a crash`() async throws {
        let whole = Stage(runningAs: .drill)
        _ = try await whole.run("dr.exec { argv = { 'psql' } } dr.exec { argv = { 'psql' }, in_drill = 'run' }")
        let intents = whole.journal.entries.indices.filter { whole.journal.entries[$0].kind == .intent }
        let skipped = Stage(journal: whole.journal.cut(after: intents[0] + 1), runningAs: .drill)
        #expect(try await skipped.resume().outcome == .succeeded)
        let performed = Stage(journal: whole.journal.cut(after: intents[1] + 1), runningAs: .drill)
        #expect(try await performed.resume().outcome == .waiting)
    }

    @Test func `G2 what did not happen is done now`() async throws {
        let stage = try await interrupted("dr.exec { argv = { 'psql' } }")
        #expect(try await stage.resume(settled: ["0/1/1/do": .notDone]).outcome == .succeeded)
        #expect(stage.outside.calls == ["psql"])
    }

    @Test func `what may be repeated is repeated, and nobody is told twice`() async throws {
        for (call, calls) in [
            ("dr.exec { argv = { 'psql' }, idempotent = true }", ["psql"]), ("dr.http { url = 'https://x/' }", ["GET https://x/"]),
            ("dr.log('%s', tostring(dr.notify { to = 'oncall', text = 'x' }.sent))", []),
        ] {
            let stage = try await interrupted(call)
            #expect(try await stage.resume().outcome == .succeeded, "\(call)")
            #expect(stage.outside.calls == calls, "\(call)")
        }
    }

    @Test func `G2 a verify decides instead of a person`() async throws {
        let call = """
            local r = dr.exec { argv = { "psql" }, verify = function()
              return ANSWER
            end }
            dr.log("%s %s", tostring(r.verified), tostring(r.value))
            """
        let done = try await interrupted(call.replacing("ANSWER", with: "dr.http { url = 'https://x/' }.status"))
        #expect(try await done.resume().outcome == .succeeded)
        #expect(done.outside.calls == ["GET https://x/"])
        #expect(done.logs == ["true 200"])
        let again = try await interrupted(call.replacing("ANSWER", with: "false"))
        #expect(try await again.resume().outcome == .succeeded)
        #expect(again.outside.calls == ["psql"])
        let unknown = try await interrupted(call.replacing("ANSWER", with: "nil"))
        #expect(try await unknown.resume().error?.code == .unknownOutcome)
        #expect(unknown.outside.calls.isEmpty)
    }

    @Test func `a lost answer during the run is verified, too`() async throws {
        let stage = Stage(outside: RecordedOutside(failures: ["psql": [DRError(.unknownOutcome, "lost")]]))
        let report = try await stage.run(
            "dr.log('%s', tostring(dr.exec { argv = { 'psql' }, verify = function() return true end }.verified))")
        #expect(report.outcome == .succeeded)
        #expect(stage.logs == ["true"])
    }

    @Test func `http builds its request and reads json`() async throws {
        let url = "https://x/pools?a=1&b%20c=%C3%A4%26"
        let stage = Stage(
            outside: RecordedOutside(answers: [
                url: WebAnswer(status: 201, headers: ["content-type": "application/json"], body: #"{"ok":[1,2]}"#)
            ]))
        let report = try await stage.run(
            """
            local r = dr.http { method = "POST", url = "https://x/pools?a=1", query = { ["b c"] = "ä&" }, json = { on = true },
              headers = { Authorization = dr.secret "PAGER_TOKEN" } }
            dr.log("%d %d", r.status, r.json.ok[2])
            """)
        #expect(report.outcome == .succeeded, "\(String(describing: report.error))")
        #expect(stage.logs == ["201 2"])
        let order = try #require(stage.outside.state.withLock { $0.requests.first })
        #expect(order.url == url)
        #expect(order.body == #"{"on":true}"#)
        #expect(order.headers == ["Content-Type": .plain("application/json"), "Authorization": .secret(try SecretName("PAGER_TOKEN"))])
    }

    @Test func `an unexpected status raises, an expected one does not`() async throws {
        let stage = Stage(outside: RecordedOutside(answers: ["https://x/": WebAnswer(status: 404, body: "gone")]))
        _ = try await stage.run(
            """
            for _, expect in ipairs { "2xx", 404, { 200, "4xx" }, "any" } do
              local ok, e = pcall(dr.http, { url = "https://x/", expect = expect })
              dr.log("%s", ok and "fine" or e.code .. " " .. e.details.body)
            end
            """)
        #expect(stage.logs == ["outside-failed gone", "fine", "fine", "fine"])
    }

    @Test func `people who cannot be told do not end a failover`() async throws {
        let failure = DRError(.outsideFailed, "no route")
        let stage = Stage(outside: RecordedOutside(failures: ["notify oncall x": [failure, failure]]))
        let report = try await stage.run(
            """
            dr.log("%s", dr.notify { to = "oncall", text = "x" }.reason)
            dr.log("%s", select(2, pcall(dr.notify, { to = "oncall", text = "x", check = true })).code)
            dr.log("%s", tostring(dr.notify { to = "oncall", text = "x" }.sent))
            dr.migrate { pair = "east-west", applications = "all" }
            dr.log("%s", tostring(dr.notify { to = "oncall", text = "x" }.sent))
            """)
        #expect(report.outcome == .succeeded)
        #expect(stage.logs == ["no route", "outside-failed", "false", "true"])
    }
}
