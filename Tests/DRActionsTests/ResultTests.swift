import DRActions
import DRModel
import Testing

@Suite struct ResultTests {
    @Test func `results add up, stand in the end of the record, and replay`() async throws {
        let whole = Stage()
        let body = "dr.results { a = 1, b = 'x' } dr.migrate { pair = 'east-west', applications = { 'ledger' } } dr.results { b = 'y' }"
        #expect(try await whole.run(body).outcome == .succeeded)
        for cut in 0..<(whole.journal.entries.count - 1) {
            let stage = Stage(journal: whole.journal.cut(after: cut))
            #expect(try await stage.resume().outcome == .succeeded)
            #expect(stage.journal.entries.last?.payload["results"] == ["a": 1, "b": "y"], "cut after \(cut)")
        }
    }

    private func run(_ stage: Stage, _ ensures: String, _ body: String) async throws -> RunReport {
        let text = "return dr.runbook { name = 'x', ensures = \(ensures), run = function()\n\(body)\nend }"
        return try await stage.runner().run(RunOrder(sources: RunbookSources(main: .init(file: "x.lua", text: text)), who: "test"))
    }

    @Test func `what a runbook ensures is asked at its end, of the engine`() async throws {
        let move = "dr.failover { pair = 'east-west', applications = 'all', mode = 'planned' }"
        let good = Stage()
        #expect(
            try await run(good, "{ active = { ledger = 'west' }, before = { { 'ledger', 'storefront' } } }", move).outcome == .succeeded)
        #expect(good.engine.calls.last == "status")
        let elsewhere = try await run(Stage(), "{ active = { ledger = 'west' } }", "dr.log('nothing')")
        #expect(elsewhere.outcome == .failed)
        #expect(elsewhere.error?.message == "ensures: ledger is live at east, expected west")
        let order = try await run(Stage(), "{ before = { { 'storefront', 'ledger' } } }", move)
        #expect(order.outcome == .partial)
        #expect(order.error?.message == "ensures: ledger went live before storefront")
    }

    @Test(arguments: [
        "{ active = { legder = 'west' } }", "{ active = { ledger = 'wets' } }", "{ before = { { 'ledger' } } }", "{ actives = {} }", "3",
    ])
    func `G8 what no run could ensure is refused before it begins`(ensures: String) async throws {
        let stage = Stage()
        let error = await #expect(throws: DRError.self) { try await run(stage, ensures, "dr.log('x')") }
        #expect(error?.code == .runbook)
        #expect(stage.engine.calls.isEmpty)
    }
}
