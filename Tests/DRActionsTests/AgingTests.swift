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
        let old: @Sendable (RunHeader) -> [String: Duration] = { _ in ["ledger": .seconds(600 + 900 + 5), "storefront": .seconds(60)] }
        let id = try stage.journal.header(of: "any").id
        let held = try await stage.runner(random: 99, ages: old).resume(id)
        #expect(held.outcome == .stopped && held.isHeld, "\(held)")
        #expect(
            held.error?.message.hasPrefix("the data of ledger would be 25m5s old, 5s more than the 10m of the plan and the 15m") == true,
            "\(held)")
        #expect(stage.logs == [] && !stage.engine.calls.contains { $0.hasPrefix("start") } && !stage.engine.released)
        // Held as long as it is so, until somebody allows more, which the record says.
        #expect(try await stage.runner(random: 100, ages: old).resume(id).isHeld)
        let end = try await stage.runner(random: 101, ages: old).resume(id, more: MoreTime(aging: .seconds(906)))
        #expect(end.outcome != .stopped && stage.engine.calls.contains { $0.hasPrefix("start ledger") }, "\(end)")
        #expect(stage.journal.entries.last { $0.kind == .resumed }?.payload["aging"] == .duration(.seconds(906)))
    }

    @Test func `data whose age nobody knows goes live no more, and newer data does`() async throws {
        for (ages, isHeld) in [([:], true), (["ledger": Duration.seconds(1500), "storefront": .zero], false)] {
            let stage = Stage()
            _ = try await run(Self.move, on: stage)
            try approve(stage)
            let report = try await stage.runner(random: 99, ages: { _ in ages }).resume(try stage.journal.header(of: "any").id)
            #expect(report.isHeld == isHeld, "\(report)")
        }
    }

    @Test func `a run that may not go on is undone all the same when a person wants that`() async throws {
        let stage = Stage()
        #expect(try await run(#"dr.undo(function() dr.log("undone") end)"# + "\n" + Self.move, on: stage).outcome == .waiting)
        let id = try stage.journal.header(of: "any").id
        let runner = stage.runner(random: 99, ages: { _ in [:] })
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
        let report = try await stage.runner(ages: { _ in
            asked.withLock { $0 += 1 }
            return ["ledger": .seconds(9000), "storefront": .seconds(9000)]
        }).run(RunOrder(sources: Stage.sources(body), who: "test", aging: Self.aging))
        #expect(asked.withLock { $0 } == 1)
        #expect(report.isHeld && report.error?.message.contains("the data of storefront would be 2h30m old") == true, "\(report)")
    }
}
