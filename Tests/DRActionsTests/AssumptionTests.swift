import DRActions
import DRModel
import DRSupport
import Testing

/// Where a plan's runbook looks at what only a run can know.
@Suite struct AssumptionTests {
    /// `FILE:LINE WHAT` of a plan of this body, whose first line is line 5; with what it logged.
    private func planned(_ body: String, isPlan: Bool = true) async throws -> (notes: [String], logs: [String], outcome: RunOutcome) {
        let stage = Stage()
        let events = stage.events
        let runner = RunbookRunner(
            engine: stage.engine, outside: stage.outside, inventory: Stage.inventory, clock: stage.clock, random: CountingRandom(),
            journal: stage.journal, host: "here", process: 1, who: "test", predicted: isPlan, executor: ThreadExecutor(name: "runbook")
        ) { event in events.withLock { $0.append(event) } }
        let report = try await runner.run(RunOrder(sources: Stage.sources(body), who: "test"))
        return (report.notes.assumptions.map { "\($0.location) \($0.what)" }, stage.logs, report.outcome)
    }

    private static let copy = #"local m = dr.migrate { pair = "east-west", applications = { "ledger" } }"#

    @Test func `G4 looking at an estimated figure is noted with its place, and the figure is a plain number`() async throws {
        let body =
            Self.copy
            + "\nlocal n = m.applications.ledger.bytes_sent\ndr.log('%d %s', n + 1, math.type(n))\nif n > 0 then dr.log('sent') end"
        let (notes, logs, outcome) = try await planned(body)
        #expect(outcome == .succeeded)
        #expect(notes == ["test.lua:6 migrate.applications.ledger.bytes_sent"])
        #expect(logs.first?.hasSuffix("integer") == true)
        #expect(try await planned(body, isPlan: false).notes.isEmpty)
    }

    @Test func `G4 what a plan knows is read without a note`() async throws {
        let (notes, _, _) = try await planned(
            Self.copy + "\ndr.log('%s', m.applications.ledger.recovery_point)\ndr.log('%s', dr.status { application = 'ledger' }.active_at)"
        )
        #expect(notes.isEmpty)
    }

    @Test func `G4 the same look in a loop is noted once, each other place by itself`() async throws {
        let (notes, _, _) = try await planned(
            Self.copy + "\nfor i = 1, 3 do local _ = m.applications.ledger.bytes_read end\nlocal _ = m.applications.ledger.bytes_read")
        #expect(notes == ["test.lua:6 migrate.applications.ledger.bytes_read", "test.lua:7 migrate.applications.ledger.bytes_read"])
    }

    @Test func `G4 going through all fields finds the estimated ones in their order, and notes them`() async throws {
        let (notes, logs, _) = try await planned(
            Self.copy
                + "\nlocal names = {}\nfor k in pairs(m.applications.ledger) do names[#names + 1] = k end\ndr.log(table.concat(names, ' '))"
        )
        let names = logs.first?.split(separator: " ").map(String.init) ?? []
        #expect(names.contains("bytes_sent") && names.contains("recovery_point"))
        #expect(names == names.sorted())
        #expect(notes.contains("test.lua:7 migrate.applications.ledger.bytes_sent"))
    }

    @Test func `G4 an answer handed on whole is whole, and no look at it`() async throws {
        let (notes, logs, _) = try await planned(
            Self.copy + "\ndr.results { copy = m }\ndr.log('%s', dr.json.decode(dr.json.encode(m)).applications.ledger.bytes_sent ~= nil)")
        #expect(notes.isEmpty)
        #expect(logs == ["true"])
    }

    @Test func `G4 numbers that are drawn are noted: a run draws others`() async throws {
        let (notes, _, _) = try await planned("local a = dr.random()\nlocal b = math.random(6)")
        #expect(notes == ["test.lua:5 random", "test.lua:6 math.random"])
    }

    @Test func `G4 what a person would say at a gate is noted where it is read`() async throws {
        let (notes, _, _) = try await planned(
            "local a = dr.approve { name = 'go', message = 'Go?' }\nif a.comment then dr.log(a.comment) end\nlocal w = a.waited")
        #expect(notes == ["test.lua:7 approve.waited"])
    }
}
