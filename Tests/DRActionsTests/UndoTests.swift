import DRActions
import DRModel
import DRSupport
import Testing

@Suite struct UndoTests {
    private let failing = """
        dr.undo(function() dr.suspend_schedule { name = "first" } end, { name = "first" })
        dr.quiesce { pair = "east-west", applications = { "ledger" } }
        dr.undo(function() dr.resume_schedule { name = "second" } end, { name = "second" })
        dr.finally(function() dr.migrate { pair = "east-west", applications = { "storefront" } } end)
        dr.fail("enough")
        """

    @Test func `a failed run is undone in reverse order, then comes finally`() async throws {
        let stage = Stage()
        let report = try await stage.run(failing)
        #expect(stage.engine.calls == ["stop ledger", "resume second", "status", "restart ledger", "suspend first", "migrate storefront"])
        #expect(report.outcome == .failed)
        #expect(report.error?.message == "enough")
        #expect(report.error?.location?.line == 9)
        #expect(report.undos.map(\.name) == ["second", "stop ledger", "first"])
        #expect(report.undos.allSatisfy { $0.state == .undone })
    }

    @Test func `a run that succeeds is not undone, and finally is called`() async throws {
        let stage = Stage()
        let report = try await stage.run(failing.replacing(#"dr.fail("enough")"#, with: ""))
        #expect(stage.engine.calls == ["stop ledger", "migrate storefront"])
        #expect(report.undos.isEmpty)
    }

    @Test func `settle forgets what was registered before it`() async throws {
        let stage = Stage()
        let report = try await stage.run(failing.replacing("dr.finally", with: "dr.settle() dr.finally"))
        #expect(stage.engine.calls == ["stop ledger", "migrate storefront"])
        #expect(report.undos.isEmpty)
        #expect(report.outcome == .partial)
    }

    @Test func `G2 a run killed after any record of its undo phase and resumed undoes each once, with the same keys`() async throws {
        let whole = Stage()
        let expected = try await whole.run(failing)
        let count = whole.journal.entries.count
        #expect(whole.journal.entries.contains { $0.key.hasSuffix("/undo") })
        for cut in 0..<count {
            let stage = Stage(journal: whole.journal.cut(after: cut))
            let report = try await stage.resume()
            #expect(report.outcome == expected.outcome && report.undos == expected.undos, "cut after \(cut)")
            #expect(report.effects == expected.effects, "cut after \(cut)")
            for (key, call) in stage.engine.keys { #expect(whole.engine.keys[key] == call, "cut after \(cut): \(key)") }
        }
    }

    @Test func `a failed undo is tried again, then listed, and the run is partial`() async throws {
        let stage = Stage(failures: ["suspend first": DRError(.io, "no answer")])
        let report = try await stage.run(#"dr.undo(function() dr.suspend_schedule { name = "first" } end, { name = "a" }) dr.fail("x")"#)
        #expect(stage.engine.calls == ["suspend first", "suspend first", "suspend first"])
        #expect(report.outcome == .partial)
        #expect(report.undos == [RunReport.Undo(name: "a", application: nil, state: .failed, reason: "suspend_schedule: no answer")])
    }

    @Test(arguments: [ErrorCode.fenced, .notAllowed, .invalidInput, .unknownName])
    func `an undo that no second try mends is not tried again`(code: ErrorCode) async throws {
        let stage = Stage(failures: ["suspend first": DRError(code, "no")])
        let report = try await stage.run(#"dr.undo(function() dr.suspend_schedule { name = "first" } end, { name = "a" }) dr.fail("x")"#)
        #expect(stage.engine.calls == ["suspend first"])
        #expect(report.undos.map { $0.state.rawValue } == ["failed"])
    }

    @Test func `G12 an undo that did not apply makes a run partial that changed something`() async throws {
        let stage = Stage()
        stage.engine.state.withLock { $0.activeAt = ["ledger": "west"] }
        let report = try await stage.run(
            """
            dr.undo(function() dr.suspend_schedule { name = "x" } end, { application = "ledger", while_active_at = "east" })
            dr.quiesce { pair = "east-west", applications = { "storefront" } }
            dr.fail("x")
            """)
        #expect(report.undos.map(\.state) == [.undone, .skipped])
        #expect(report.outcome == .partial)
    }

    @Test func `an undo with while_active_at asks where the application is when it is undone`() async throws {
        for (place, calls) in [("east", ["status", "suspend x"]), ("west", ["status"])] {
            let stage = Stage()
            let cluster = try ClusterName(place)
            stage.engine.state.withLock { $0.activeAt = ["ledger": cluster] }
            let report = try await stage.run(
                """
                dr.undo(function() dr.suspend_schedule { name = "x" } end, { application = "ledger", while_active_at = "east" })
                dr.fail("x")
                """)
            #expect(stage.engine.calls == calls)
            // Nothing was changed: what did not apply leaves nothing behind.
            #expect(report.outcome == .failed)
            #expect(report.undos.first?.state == (place == "east" ? .undone : .skipped))
            if place == "west" { #expect(report.undos.first?.reason == "ledger is live at west, not at east") }
        }
    }

    @Test func `G12 what went live at the destination is neither touched nor hidden: the run is partial`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            dr.undo(function() dr.suspend_schedule { name = "x" } end, { application = "ledger", name = "pool" })
            dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }
            dr.undo(function() dr.failback { pair = "east-west", applications = { "ledger" } } end, { name = "back" })
            dr.fail("x")
            """)
        #expect(!stage.engine.calls.contains("suspend x"))
        #expect(!stage.engine.calls.contains("restart ledger"))
        #expect(stage.engine.calls.filter { $0.hasPrefix("stop") } == ["stop ledger"])
        #expect(report.outcome == .partial)
        #expect(report.undos.map { [$0.name, $0.state.rawValue] } == [["back", "failed"], ["pool", "skipped"]])
        #expect(report.undos.first?.reason?.contains("neither stops nor moves") == true)
        #expect(report.applications.first?.active_at == "west")
    }

    @Test(arguments: [
        ("dr.undo(1)", "undo: its function"), ("dr.undo(print, { application = 'legder' })", "ledger"),
        ("dr.undo(print, { while_active_at = 'east' })", "\"application\" is missing"),
        ("dr.undo(print, { aplication = 'x' })", "application"),
        ("dr.finally()", "finally: its function"),
        ("dr.migrate { pair = 'east-west', applications = 'all', deadline = 'soon' }", "deadline"),
    ])
    func `G8 what is wrong with an undo is said where it is registered`(call: String, expected: String) async throws {
        let report = try await Stage().run(call)
        #expect(report.error?.code == .invalidInput || report.error?.code == .unknownName)
        #expect(report.error?.message.contains(expected) == true, "\(String(describing: report.error))")
    }

    @Test func `G1 an undo patches nothing that this run made live, with or without a word of where it must be`() async throws {
        for options in ["{ name = 'p' }", "{ name = 'p', application = 'ledger', while_active_at = 'west' }"] {
            let stage = Stage()
            let report = try await stage.run(
                """
                dr.undo(function()
                  dr.patch { cluster = "west", application = "ledger", kind = "ConfigMap", name = "c", patch = { data = { a = "b" } } }
                end, \(options))
                dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }
                dr.fail("x")
                """)
            #expect(report.undos.map { $0.state.rawValue } == ["failed"])
            #expect(report.undos.first?.reason?.contains("ledger was made live at west by this run") == true, "\(report.undos)")
            #expect(!stage.engine.calls.contains { $0.hasPrefix("patch") })
        }
    }

    @Test func `G1 where no cluster says where an application is, what this run made live is taken as live`() async throws {
        let stage = Stage()
        stage.engine.state.withLock { $0.isBlind = true }
        let report = try await stage.run(
            """
            dr.undo(function() dr.suspend_schedule { name = "x" } end, { name = "a", application = "ledger" })
            dr.failover { pair = "east-west", applications = { "ledger" }, mode = "planned" }
            dr.fail("x")
            """)
        #expect(report.undos.map(\.state) == [.skipped])
        #expect(!stage.engine.calls.contains("suspend x"))
    }

    @Test func `G2 a call outside that must not be made twice is refused in an undo`() async throws {
        let stage = Stage()
        let report = try await stage.run("dr.undo(function() dr.exec { argv = { 'psql' } } end, { name = 'a' }) dr.fail('x')")
        #expect(stage.outside.calls.isEmpty)
        #expect(report.undos.first?.reason?.contains("could be done twice") == true)
    }

    @Test func `an error in finally ends a run that had succeeded, and hides no other`() async throws {
        let alone = try await Stage().run("dr.finally(function() dr.fail('late') end)")
        #expect(alone.error?.message == "late")
        let second = try await Stage().run("dr.finally(function() dr.fail('late') end) dr.fail('early')")
        #expect(second.error?.message == "early")
        #expect(second.undos.first?.reason == "late")
    }

    @Test func `a limit that ends the runbook leaves it undone, too`() async throws {
        let stage = Stage()
        let report = try await stage.runner(limits: RunLimits(computing: .milliseconds(50))).run(
            RunOrder(
                sources: Stage.sources("dr.undo(function() dr.suspend_schedule { name = 'x' } end) while true do end"), who: "test"))
        #expect(report.error?.code == .limitExceeded)
        #expect(stage.engine.calls == ["suspend x"])
    }
}
