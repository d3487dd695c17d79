import DRActions
import DRModel
import DRSupport
import Testing

/// A person who wants a run to end once a call was made.
final class Person: RunControl {
    private let request: StopRequest
    private let isTime: @Sendable () -> Bool
    init(_ kind: StopRequest.Kind, when isTime: @escaping @Sendable () -> Bool) {
        request = StopRequest(kind, who: "alice")
        self.isTime = isTime
    }
    func begun(_ run: RunID) throws {}
    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest? {
        while !isTime() {
            if Task.isCancelled { return nil }
            await Task.yield()
        }
        return request
    }
}

/// People whose wishes come one after the other, each when it is time for it; time passes up to a deadline that is near while nobody wants anything.
final class People: RunControl {
    private let wishes: Lock<[(kind: StopRequest.Kind, isTime: @Sendable () -> Bool)]>
    private let clock: SteppedClock?
    /// How often the run asked what is wanted.
    let asked = Lock(0)
    /// How often it was looked at a run that waits for nothing near.
    let idle = Lock(0)

    init(_ wishes: [(kind: StopRequest.Kind, isTime: @Sendable () -> Bool)], clock: SteppedClock? = nil) {
        self.wishes = Lock(wishes)
        self.clock = clock
    }

    func begun(_ run: RunID) throws {}

    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest? {
        asked.withLock { $0 += 1 }
        while !Task.isCancelled {
            let kind: StopRequest.Kind? = wishes.withLock { wishes in
                guard let first = wishes.first, first.isTime() else { return nil }
                return wishes.removeFirst().kind
            }
            if let kind { return StopRequest(kind, who: "alice") }
            // The run's own deadline is further away.
            if let clock, let deadline = deadline(), deadline < clock.now() + .seconds(2 * 3600) {
                if deadline > clock.now() { try? await clock.sleep(for: deadline - clock.now()) }
                return nil
            }
            idle.withLock { $0 += 1 }
            await Task.yield()
        }
        return nil
    }
}

@Suite struct StopTests {
    private let runbook = """
        dr.quiesce { pair = "east-west", applications = { "ledger" } }
        dr.migrate { pair = "east-west", applications = { "ledger" } }
        dr.wait_until({ timeout = "1000000h", every = "1s" }, function() return dr.status { application = "ledger" }.active_at == "west" end)
        """

    private func stopped(_ kind: StopRequest.Kind, journal: ListJournal = ListJournal()) async throws -> (Stage, RunReport) {
        let stage = Stage(journal: journal)
        let engine = stage.engine
        let person = Person(kind) { engine.calls.contains("status") }
        let runner = stage.runner(control: person)
        return (stage, try await runner.run(RunOrder(sources: Stage.sources(runbook), who: "test")))
    }

    @Test(arguments: [StopRequest.Kind.hold, .pause])
    func `a run that is put down leaves everything as it is, and is taken up again where it was`(kind: StopRequest.Kind) async throws {
        let (stage, report) = try await stopped(kind)
        #expect(report.outcome == .stopped && report.isHeld)
        #expect(report.undos.isEmpty)
        #expect(!stage.engine.calls.contains("restart ledger"))
        #expect(stage.engine.released == (kind == .hold))
        #expect(stage.journal.entries.last?.kind == .stopped)
        let again = Stage(journal: stage.journal)
        again.engine.state.withLock { $0.activeAt = ["ledger": "west"] }
        let end = try await again.resume()
        // What it stopped is down where it was, and nothing was made live by it: it succeeded, as its runbook says.
        #expect(end.outcome == .succeeded && !end.isHeld)
        // Once by the runbook, and at the end, as somebody else moved it, whether it runs there.
        #expect(again.engine.calls == ["status", "status"])
        #expect(again.journal.entries.count { $0.kind == .resumed } == 1 && again.journal.entries.last?.kind == .finished)
    }

    @Test func `G2 a run that is stopped with undo is undone once, wherever it is killed meanwhile`() async throws {
        let (stage, report) = try await stopped(.undo)
        #expect(report.outcome == .stopped && !report.isHeld)
        #expect(report.error?.code == .stopped)
        #expect(report.undos.map(\.name) == ["stop ledger"])
        #expect(stage.engine.calls.last == "restart ledger")
        let first = try #require(stage.journal.entries.firstIndex { $0.kind == .cancelled })
        for cut in (first + 1)..<stage.journal.entries.count {
            let again = Stage(journal: stage.journal.cut(after: cut))
            let end = try await again.resume()
            #expect(end.outcome == .stopped && end.undos == report.undos, "cut after \(cut)")
            for (key, call) in again.engine.keys { #expect(stage.engine.keys[key] == call, "cut after \(cut): \(key)") }
        }
    }

    @Test func `a run nobody carries on is undone from its record`() async throws {
        let (stage, _) = try await stopped(.hold)
        let again = Stage(journal: stage.journal)
        let id = try stage.journal.header(of: "any").id
        let report = try await again.runner(random: 99).resume(id, request: StopRequest(.undo, who: "bob"))
        #expect(again.engine.calls == ["status", "restart ledger"])
        #expect(report.outcome == .stopped)
        #expect(again.journal.entries.last?.kind == .finished)
    }

    @Test
    func
        `G2 a run that is undone from its record does not come to its end by what its last action answered, wherever it is killed meanwhile`()
        async throws
    {
        let whole = Stage()
        let ended = try await whole.run(
            """
            dr.quiesce { pair = "east-west", applications = { "ledger" } }
            dr.undo(function() dr.suspend_schedule { name = "x" } end, { name = "back" })
            dr.migrate { pair = "east-west", applications = { "ledger" } }
            dr.undo(function() dr.suspend_schedule { name = "y" } end, { name = "owed for the last" })
            """)
        #expect(ended.outcome == .succeeded)
        let last = try #require(whole.journal.entries.lastIndex { $0.kind == .outcome })
        let stage = Stage(journal: whole.journal.cut(after: last + 1))
        let id = try stage.journal.header(of: "any").id
        let report = try await stage.runner(random: 99).resume(id, request: StopRequest(.undo, who: "bob"))
        #expect(report.outcome == .stopped && report.undos.contains { $0.name == "back" && $0.state == .undone }, "\(report)")
        #expect(stage.engine.calls == ["suspend y", "suspend x", "status", "restart ledger"], "\(stage.engine.calls)")
        let cancelled = try #require(stage.journal.entries.firstIndex { $0.kind == .cancelled })
        for cut in (cancelled + 1)..<stage.journal.entries.count {
            let again = Stage(journal: stage.journal.cut(after: cut))
            let end = try await again.resume()
            #expect(end.outcome == .stopped && end.undos == report.undos, "cut after \(cut)")
            for (key, call) in again.engine.keys { #expect(stage.engine.keys[key] == call, "cut after \(cut): \(key)") }
        }
    }

    @Test func `who pauses a run and then wants it undone is heard, though the pause was not over`() async throws {
        let stage = Stage()
        let engine = stage.engine
        let isPaused = Lock(false)
        let people = People([
            (.pause, { engine.calls.contains("migrate ledger") }),
            (
                .undo,
                {
                    isPaused.withLock { $0 = true }
                    return true
                }
            ),
        ])
        engine.state.withLock { $0.hold = { while !isPaused.withLock({ $0 }) { await Task.yield() } } }
        let report = try await stage.runner(control: people).run(RunOrder(sources: Stage.sources(runbook), who: "test"))
        #expect(report.outcome == .stopped && !report.isHeld)
        #expect(report.undos.map(\.state) == [.undone])
        #expect(stage.engine.calls == ["stop ledger", "migrate ledger", "status", "restart ledger"])
        #expect(stage.journal.entries.last?.kind == .finished)
    }

    @Test func `G2 a stop with undo while finally is under way comes after it, wherever it is killed meanwhile`() async throws {
        let body = """
            dr.undo(function() dr.suspend_schedule { name = "x" } end, { name = "back" })
            dr.finally(function()
              dr.migrate { pair = "east-west", applications = { "ledger" } }
              dr.migrate { pair = "east-west", applications = { "storefront" } }
            end)
            """
        let whole = Stage()
        #expect(try await whole.run(body).outcome == .succeeded)
        let second = try #require(whole.journal.entries.lastIndex { $0.kind == .intent })
        let stage = Stage(journal: whole.journal.cut(after: second + 1))
        let id = try stage.journal.header(of: "any").id
        let report = try await stage.runner(random: 99).resume(id, request: StopRequest(.undo, who: "bob"))
        #expect(stage.engine.calls == ["migrate storefront", "suspend x"])
        #expect(report.outcome == .stopped && report.undos.map { [$0.name, $0.state.rawValue] } == [["back", "undone"]])
        let cancelled = try #require(stage.journal.entries.firstIndex { $0.kind == .cancelled })
        for cut in (cancelled + 1)..<stage.journal.entries.count {
            let again = Stage(journal: stage.journal.cut(after: cut))
            let end = try await again.resume()
            #expect(end.outcome == .stopped && end.undos == report.undos, "cut after \(cut)")
            for (key, call) in again.engine.keys { #expect(stage.engine.keys[key] == call, "cut after \(cut): \(key)") }
        }
    }

    @Test(arguments: [
        (#"dr.window { opens = "2026-01-01T01:00:00Z", closes = "2026-01-01T02:00:00Z" } dr.log("in")"#, "in"),
        (#"local _, e = pcall(dr.approve, { name = "go", message = "?", timeout = "1h" }) dr.log("%s", e.code)"#, "gate-timeout"),
    ])
    func `a window that opens and a gate whose time is over are noticed while other work is under way`(
        call: String, expected: String
    ) async throws {
        let stage = Stage()
        let (events, clock, people) = (stage.events, stage.clock, People([], clock: stage.clock))
        // The other branch's call lasts until this one has gone on, or nobody has looked for long.
        stage.engine.state.withLock {
            $0.hold = {
                while people.idle.withLock({ $0 < 1000 }),
                    !events.withLock({ $0.contains { if case .log = $0.kind { true } else { false } } })
                { try? await Task.sleep(for: .milliseconds(1)) }
                events.withLock { $0.append(RunEvent(run: "r", time: clock.now(), kind: .warning("the call is over"))) }
            }
        }
        let body = """
            dr.parallel {
              function() \(call) end,
              function() dr.migrate { pair = "east-west", applications = { "ledger" } } end,
            }
            """
        let report = try await stage.runner(control: people).run(RunOrder(sources: Stage.sources(body), who: "test"))
        #expect(report.outcome == .succeeded, "\(String(describing: report.error))")
        #expect(stage.logs == [expected])
        let order = events.withLock { $0.compactMap { if case .log = $0.kind { 1 } else if case .warning = $0.kind { 2 } else { nil } } }
        #expect(order == [1, 2], "noticed only when the call was over")
    }

    @Test func `G1 a stop with undo while one of a move goes live starts no other of it where it was`() async throws {
        let whole = Stage()
        let moved = try await whole.run(#"dr.failover { pair = "east-west", applications = "all", mode = "planned" }"#)
        #expect(moved.outcome == .succeeded)
        let begun = try #require(whole.journal.entries.firstIndex { $0.kind == .intent && $0.verb == "start" })
        let stage = Stage(journal: whole.journal.cut(after: begun + 1))
        let id = try stage.journal.header(of: "any").id
        let report = try await stage.runner(random: 99).resume(id, request: StopRequest(.undo, who: "bob"))
        #expect(stage.engine.calls.contains("start ledger planned"))
        #expect(!stage.engine.calls.contains { $0.hasPrefix("restart") }, "\(stage.engine.calls)")
        #expect(report.outcome == .partial)
        #expect(report.undos.map { [$0.name, $0.state.rawValue] } == [["stop storefront", "skipped"]])
        #expect(report.undos.first?.reason?.contains("ledger of the same move is live at west") == true)
    }

    @Test func `whoever takes up a run that reached its deadline may give it more time, and the record says so`() async throws {
        let stage = Stage()
        let body = """
            dr.quiesce { pair = "east-west", applications = { "ledger" } }
            dr.step("watch", function() for _ = 1, 45 do dr.sleep("1m") end end, { deadline = "10m" })
            """
        let first = try await stage.run(body)
        #expect(first.isHeld && first.error?.hint?.contains("--extend") == true, "\(first)")
        #expect(!stage.engine.released)
        let again = try await stage.resume()
        #expect(again.isHeld && again.error?.message.contains("the deadline of 10m of watch") == true, "\(again)")
        #expect(stage.journal.entries.last { $0.kind == .resumed }?.payload == ["who": "test"])
        let extended = try await stage.runner(random: 99).resume(first.run, more: MoreTime(deadlines: .seconds(1800)))
        #expect(extended.outcome == .succeeded, "\(extended)")
        #expect(stage.journal.entries.last { $0.kind == .resumed }?.payload["extended"] == .duration(.seconds(1800)))
        #expect(stage.engine.calls == ["stop ledger"])
    }

    @Test func `a deadline puts the run down and undoes nothing`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            dr.quiesce { pair = "east-west", applications = { "ledger" } }
            dr.step("wait", function() pcall(function() while true do dr.sleep("1m") end end) end, { deadline = "10m" })
            """)
        #expect(report.outcome == .stopped && report.isHeld)
        #expect(report.error?.message.contains("the deadline of 10m of wait was reached") == true)
        #expect(stage.engine.calls == ["stop ledger"])
    }

    @Test(arguments: [
        ("stop", "stopping", "stop of storefront"), ("start", "starting", "start of ledger"),
    ])
    func `the deadline of a stage puts the run down where it is and undoes nothing`(
        _ stageName: String, _ hook: String, _ what: String
    ) async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            dr.failover { pair = "east-west", applications = "all", mode = "planned", deadlines = { \(stageName) = "10m" },
              on = { \(hook) = function() dr.sleep("20m") end } }
            """)
        #expect(report.outcome == .stopped && report.isHeld)
        #expect(report.error?.message.contains("the deadline of 10m of \(what) was reached") == true, "\(report.error?.message ?? "")")
        #expect(!stage.engine.calls.contains { $0.hasPrefix("restart") })
    }

    @Test(arguments: [#"dr.failover { mode = "planned", "#, "dr.failback { "])
    func `the deadline of the copy waits for the copy under way, puts the run down before anything goes live, and undoes nothing`(
        _ verb: String
    ) async throws {
        let stage = Stage()
        let (engine, clock) = (stage.engine, stage.clock)
        let people = People([], clock: clock)
        if verb.contains("failback") { engine.state.withLock { $0.activeAt = ["ledger": "west", "storefront": "west"] } }
        // It holds itself by what it waits for.
        defer { engine.state.withLock { $0.hold = nil } }
        // The last sync takes until the run was told that its time is over.
        engine.state.withLock {
            $0.hold = {
                guard engine.calls.last?.hasSuffix("final") == true else { return }
                let asked = people.asked.withLock { $0 }
                // Bounded, for a run that has no deadline.
                for _ in 0..<1_000_000 where people.asked.withLock({ $0 }) < asked + 3 { await Task.yield() }
            }
        }
        let body =
            "dr.undo(function() dr.log('undone') end)\n" + verb
            + #"pair = "east-west", applications = "all", deadlines = { copy = "10m" } }"#
        let report = try await stage.runner(control: people).run(RunOrder(sources: Stage.sources(body), who: "test"))
        #expect(report.outcome == .stopped && report.isHeld, "\(report.error?.message ?? "")")
        #expect(report.error?.message.contains("the deadline of 10m of copy of the last sync was reached") == true)
        #expect(engine.calls.suffix(3) == ["stop storefront", "stop ledger", "migrate ledger+storefront final"])
        #expect(stage.logs == [] && report.undos.isEmpty)
        // Whoever takes it up has the whole time again; the copy is made already.
        let again = try await stage.resume()
        #expect(again.applications.count == 2 && again.applications.allSatisfy { $0.state == .moved })
        #expect(engine.calls.count { $0.hasSuffix("final") } == 1)
    }

    @Test func `a stop with undo is not turned into a pause by a deadline that passes while it waits for what is under way`() async throws {
        let stage = Stage()
        let (engine, journal, clock) = (stage.engine, stage.journal, stage.clock)
        let people = People([(.undo, { engine.calls.contains("migrate ledger") })], clock: clock)
        let begun = clock.now()
        // The copy takes until the deadline is over, or nobody has looked at it for long.
        engine.state.withLock {
            $0.hold = {
                while !journal.entries.contains(where: { $0.kind == .cancelled }) { try? await Task.sleep(for: .milliseconds(1)) }
                while people.idle.withLock({ $0 < 1000 }), clock.now() < begun + .seconds(600) {
                    try? await Task.sleep(for: .milliseconds(1))
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        let body = """
            dr.quiesce { pair = "east-west", applications = { "ledger" } }
            dr.step("copy", function() dr.migrate { pair = "east-west", applications = { "ledger" } } end, { deadline = "10m" })
            """
        let report = try await stage.runner(control: people).run(RunOrder(sources: Stage.sources(body), who: "test"))
        #expect(report.outcome == .stopped && !report.isHeld, "\(report.error?.message ?? "")")
        #expect(report.undos.map(\.state) == [.undone])
    }

    @Test func `each application has the whole deadline of a stage`() async throws {
        let stage = Stage()
        let report = try await stage.run(
            """
            dr.failover { pair = "east-west", applications = "all", mode = "planned", deadlines = { stop = "90s", copy = "1m", start = "90s" },
              on = { stopping = function() dr.sleep("1m") end, ready = function() dr.sleep("1m") end } }
            """)
        #expect(report.outcome == .succeeded, "\(report.error?.message ?? "")")
    }

    @Test(arguments: [
        (#"{ stopp = "1m" }"#, #"there is no stage "stopp""#), (#"{ copy = 5 }"#, "copy: "), (#""5m""#, "durations for stages"),
    ])
    func `deadlines of stages that are none are refused`(_ given: String, _ said: String) async throws {
        let report = try await Stage().run(
            #"dr.failover { pair = "east-west", applications = "all", mode = "planned", deadlines = \#(given) }"#)
        #expect(report.outcome == .failed)
        #expect(report.error?.message.contains(said) == true, "\(report.error?.message ?? "")")
    }

    @Test func `the deadline of the whole run counts from where it was taken up`() async throws {
        let stage = Stage()
        let limits = RunLimits(deadline: .seconds(3600))
        let sources = Stage.sources("for _ = 1, 3 do dr.sleep('40m') end dr.log('through')")
        let report = try await stage.runner(limits: limits).run(RunOrder(sources: sources, who: "test"))
        #expect(report.isHeld)
        #expect(report.error?.message.contains("the run's deadline of 1h was reached") == true)
        let id = try stage.journal.header(of: "any").id
        let again = try await stage.runner(limits: limits, random: 99).resume(id)
        #expect(again.outcome == .succeeded)
        #expect(stage.logs == ["through"])
    }
}
