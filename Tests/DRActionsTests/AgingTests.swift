import DRActions
import DRModel
import DRSupport
import Testing

/// A run from a plan that says how much older its data may be, and people who take their time.
@Suite struct AgingTests {
    private static let aging = DataAging(ages: ["ledger": .seconds(600), "storefront": .seconds(60)], most: .seconds(900))
    private static let move = #"""
        dr.approve { name = "go", message = "Go?" }
        dr.failover { pair = "east-west", applications = "all", mode = "disaster", source_down = { evidence = "fire", fenced = "power" } }
        """#

    /// What a plan of the rest says that goes live, and how old it is.
    private static func rest(_ ages: [(ApplicationName, Duration?)], error: DRError? = nil) -> RunReport {
        RunReport(
            run: "the-rest", outcome: error == nil ? .succeeded : .failed, error: error, rto: nil,
            applications: ages.map { name, age in
                RunReport.Item(
                    name: name, active_at: "west", epoch: Epoch(2), state: .moved, rpo: age.map { .atMost($0) } ?? .unknown, rto: nil,
                    reason: nil,
                    next: nil)
            }, effects: ages.map { Effect(.activate, kind: "Application", name: $0.0.text, at: "west") })
    }

    private func run(_ body: String, on stage: Stage) async throws -> RunReport {
        try await stage.runner().run(RunOrder(sources: Stage.sources(body), who: "test", aging: Self.aging))
    }

    private func approve(_ stage: Stage) throws {
        let header = try stage.journal.header(of: "any")
        let gates = try OpenGate.all(
            header: header, records: stage.journal.records(of: header.id), rules: ApprovalRules(), now: stage.clock.now())
        let gate = try #require(gates.first)
        let statement = GateStatement(
            run: header.id, gate: gate.name, place: gate.place, decision: .approve, person: "bob", plan: gate.plan, record: gate.record,
            comment: nil, breakGlass: nil)
        let approval = Approval(statement: statement, key: nil, account: "bob@desk", signature: nil)
        _ = try stage.journal.append(
            JournalEntry(.approval, key: gate.place, verb: "approve", payload: try Value(encoding: approval)), to: header.id,
            at: stage.clock.now())
    }

    @Test func `a run that goes on after its gate is put down where its data grew older than the plan allows, and nothing is undone`()
        async throws
    {
        let stage = Stage()
        #expect(try await run(#"dr.undo(function() dr.log("undone") end)"# + "\n" + Self.move, on: stage).outcome == .waiting)
        try approve(stage)
        let old: @Sendable (RunHeader, [TimedEntry]) -> RunReport = { _, _ in
            Self.rest([("ledger", .seconds(600 + 900 + 5)), ("storefront", .seconds(60))])
        }
        let id = try stage.journal.header(of: "any").id
        let held = try await stage.runner(random: 99, rest: old).resume(id)
        #expect(held.outcome == .stopped && held.isHeld, "\(held)")
        #expect(
            held.error?.message.hasPrefix("the data of ledger would be 25m5s old, 5s more than the 10m of the plan and the 15m") == true,
            "\(held)")
        #expect(stage.logs == [] && !stage.engine.calls.contains { $0.hasPrefix("start") } && !stage.engine.released)
        // Held as long as it is so, until somebody allows more, which the record says.
        #expect(try await stage.runner(random: 100, rest: old).resume(id).isHeld)
        let end = try await stage.runner(random: 101, rest: old).resume(id, more: MoreTime(aging: .seconds(906)))
        #expect(end.outcome != .stopped && stage.engine.calls.contains { $0.hasPrefix("start ledger") }, "\(end)")
        #expect(stage.journal.entries.last { $0.kind == .resumed }?.payload["aging"] == .duration(.seconds(906)))
    }

    struct Rest: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let plan: RunReport
        let isHeld: Bool
    }

    @Test(arguments: [
        Rest(testDescription: "of unknown age", plan: rest([("ledger", nil), ("storefront", .zero)]), isHeld: true),
        Rest(testDescription: "newer", plan: rest([("ledger", .seconds(1500)), ("storefront", .zero)]), isHeld: false),
        Rest(testDescription: "one stays where it is", plan: rest([("storefront", .zero)]), isHeld: false),
        Rest(testDescription: "nothing goes live", plan: rest([]), isHeld: false),
        Rest(
            testDescription: "nobody could look",
            plan: rest([("storefront", .zero)], error: DRError(.clusterUnreachable, "west is silent")),
            isHeld: true),
        Rest(
            testDescription: "it fails after all went live",
            plan: rest([("ledger", .zero), ("storefront", .zero)], error: DRError(.failed, "no")), isHeld: false),
    ]) func `data whose age nobody knows goes live no more, newer data does, and what stays where it is has no age`(_ rest: Rest)
        async throws
    {
        let stage = Stage()
        _ = try await run(Self.move, on: stage)
        try approve(stage)
        let report = try await stage.runner(random: 99, rest: { _, _ in rest.plan }).resume(try stage.journal.header(of: "any").id)
        #expect(report.isHeld == rest.isHeld, "\(report)")
    }

    @Test func `it is looked once all who may pass have passed, before what follows is written, and not where nothing follows`()
        async throws
    {
        let stage = Stage()
        #expect(try await run(Self.move, on: stage).outcome == .waiting)
        let id = try stage.journal.header(of: "any").id
        let asked = Lock<[[TimedEntry]]>([])
        let rest: @Sendable (RunHeader, [TimedEntry]) -> RunReport = { _, unwritten in
            asked.withLock { $0.append(unwritten) }
            return Self.rest([("ledger", nil)])
        }
        #expect(try await stage.runner(random: 99, rest: rest).resume(id).outcome == .waiting)
        #expect(asked.withLock { $0 }.isEmpty)
        try approve(stage)
        let written = stage.journal.entries.count
        #expect(try await stage.runner(random: 100, rest: rest).resume(id).isHeld)
        let looked = try #require(asked.withLock { $0 }.first)
        #expect(asked.withLock { $0 }.count == 1 && looked.map(\.entry.verb) == ["", "approve", "now", "locate"], "\(looked)")
        // Held, it says of all that was asked for and not begun that it was not.
        let entries = stage.journal.entries
        let begun = entries[written...].filter { $0.kind == .intent }.map(\.key)
        #expect(entries.last?.kind == .stopped && entries.last?.payload["keys"].list == begun.map(Value.string), "\(entries)")
    }

    @Test func `what a branch asks for is held back while it is looked, also where another branch still stands at its gate`() async throws {
        let stage = Stage()
        let body = "dr.parallel { function() \(Self.move) end, function() dr.approve { name = 'other', message = 'Go?' } end }"
        #expect(try await run(body, on: stage).outcome == .waiting)
        try approve(stage)
        let written = Lock<[JournalEntry]>([])
        let report = try await stage.runner(
            random: 99,
            rest: { _, _ in
                written.withLock { $0 = stage.journal.entries }
                return Self.rest([("ledger", nil)])
            }
        ).resume(try stage.journal.header(of: "any").id)
        #expect(report.isHeld, "\(report)")
        #expect(!written.withLock { $0 }.isEmpty && !written.withLock { $0 }.contains { $0.verb == "locate" })
        #expect(stage.journal.entries.contains { $0.verb == "locate" })
    }

    @Test func `a gate whose time is over ends the run before anybody looks`() async throws {
        let stage = Stage()
        let body =
            #"dr.undo(function() dr.log("undone") end) dr.approve { name = "go", message = "Go?", timeout = "1m" }"# + "\n" + Self.move
        #expect(try await run(body, on: stage).outcome == .waiting)
        try await stage.clock.sleep(for: .seconds(61))
        let late = try await stage.runner(random: 99, rest: { _, _ in Self.rest([("ledger", nil)]) }).resume(
            try stage.journal.header(of: "any").id)
        #expect(!late.isHeld && late.error?.code == .gateTimeout && stage.logs == ["undone"], "\(late)")
    }

    @Test func `a run that may not go on is undone all the same when a person wants that`() async throws {
        let stage = Stage()
        #expect(try await run(#"dr.undo(function() dr.log("undone") end)"# + "\n" + Self.move, on: stage).outcome == .waiting)
        let id = try stage.journal.header(of: "any").id
        let runner = stage.runner(random: 99, rest: { _, _ in Self.rest([("ledger", nil)]) })
        let undone = try await runner.resume(id, request: StopRequest(.undo, who: "ann"))
        #expect(!undone.isHeld && stage.logs == ["undone"], "\(undone)")
    }

    @Test func `a window that opens while the run is carried on is looked at, too, and what is live already is not`() async throws {
        let stage = Stage()
        let body =
            #"dr.activate { pair = "east-west", applications = { "ledger" }, mode = "planned", recovery_point = "latest" }"# + "\n"
            + #"dr.window { opens = "2025-01-02T00:00:00Z", closes = "2030-01-02T04:00:00Z" }"# + "\n"
            + #"dr.activate { pair = "east-west", applications = { "storefront" }, mode = "planned", recovery_point = "latest" }"#
        let asked = Lock(0)
        let report = try await stage.runner(rest: { _, _ in
            asked.withLock { $0 += 1 }
            return Self.rest([("ledger", .seconds(9000)), ("storefront", .seconds(9000))])
        }).run(RunOrder(sources: Stage.sources(body), who: "test", aging: Self.aging))
        #expect(asked.withLock { $0 } == 1)
        #expect(report.isHeld && report.error?.message.contains("the data of storefront would be 2h30m old") == true, "\(report)")
    }
}
