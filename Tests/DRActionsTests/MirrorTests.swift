import DRActions
import DRModel
import DRSupport
import Testing

/// The copy of a record at the clusters, from the run's side.
struct MirrorTests {
    @Test func `changes that begin together are copied to the clusters together, after their records are durable`() async throws {
        let stage = Stage()
        let mirror = CountingMirror(journal: stage.journal)
        let sources = Stage.sources(
            """
            local b = {}
            for i = 1, 8 do b[i] = function() dr.migrate { pair = "east-west", applications = { i % 2 == 0 and "ledger" or "storefront" } } end end
            dr.parallel(b)
            """)
        #expect(try await stage.runner(mirror: mirror).run(RunOrder(sources: sources, who: "test")).outcome == .succeeded)
        let copies = mirror.copies.withLock { $0 }
        #expect(copies.map(\.occasions) == [8, 1])
        #expect(copies.map(\.records) == [8, stage.journal.entries.count])
    }

    @Test(arguments: [true, false]) func `G2 what clusters keep of a run's commits goes when it has ended everywhere, and not before`(
        _ everywhere: Bool
    ) async throws {
        let stage = Stage()
        let mirror = CountingMirror(journal: stage.journal, everywhere: everywhere)
        func forgotten() -> [RunID] { stage.engine.state.withLock { $0.forgotten } }
        let body =
            #"dr.migrate { pair = "east-west", applications = "all" } dr.window { opens = "2026-01-02T00:00:00Z", closes = "2026-01-02T04:00:00Z" }"#
        let parked = try await stage.runner(mirror: mirror).run(RunOrder(sources: Stage.sources(body), who: "test"))
        #expect(parked.outcome == .waiting && stage.engine.released && forgotten().isEmpty)
        try await stage.clock.sleep(for: .seconds(25 * 3600))
        #expect(try await stage.runner(random: 99, mirror: mirror).resume(parked.run).outcome == .succeeded)
        #expect(forgotten() == (everywhere ? [parked.run] : []))
    }

    @Test func `G2 two calls that cannot be copied at the same time are answered together, and every record of that replays`() async throws
    {
        let body = """
            local heard = ""
            local function branch(name)
              return function()
                local _, e = pcall(dr.exec, { argv = { name } })
                heard = heard .. name .. e.code
                dr.log("%s", heard)
                dr.sleep("1s")
                dr.log("%s", heard)
              end
            end
            dr.parallel { branch("a"), branch("b") }
            """
        let whole = Stage()
        let sources = Stage.sources(body)
        let mirror = CountingMirror(journal: whole.journal, copies: 0)
        #expect(try await whole.runner(mirror: mirror).run(RunOrder(sources: sources, who: "test")).outcome == .succeeded)
        #expect(whole.logs.first == "acluster-unreachable")
        #expect(whole.journal.entries.prefix(6).map(\.kind) == [.intent, .intent, .outcome, .outcome, .log, .intent])
        for cut in 0..<whole.journal.entries.count {
            let stage = Stage(journal: whole.journal.cut(after: cut))
            let again = stage.runner(random: 99, mirror: CountingMirror(journal: stage.journal, copies: 0))
            #expect(try await again.resume(try stage.journal.header(of: "any").id, settled: [:]).outcome != .failed, "cut after \(cut)")
        }
    }

    @Test func `what cannot be copied is not begun, and what goes back or tells people goes on with a warning`() async throws {
        let stage = Stage()
        let mirror = CountingMirror(journal: stage.journal, copies: 1)
        let sources = Stage.sources(
            """
            dr.undo(function() dr.suspend_schedule { name = "first" } end)
            dr.quiesce { pair = "east-west", applications = { "ledger" } }
            local _, e = pcall(dr.migrate, { pair = "east-west", applications = { "ledger" } })
            dr.log("%s", e.code)
            _, e = pcall(dr.exec, { argv = { "once" } })
            dr.log("%s", e.code)
            dr.notify { to = "oncall", text = "it fails" }
            dr.fail("enough")
            """)
        let report = try await stage.runner(mirror: mirror).run(RunOrder(sources: sources, who: "test"))
        #expect(stage.logs == ["cluster-unreachable", "cluster-unreachable"])
        #expect(stage.engine.calls == ["stop ledger", "status", "restart ledger", "suspend first"])
        #expect(stage.outside.calls.count == 1 && stage.outside.calls.first?.contains("oncall") == true, "\(stage.outside.calls)")
        #expect(report.outcome == .failed)
        #expect(report.undos.allSatisfy { $0.state.rawValue == "undone" })
        let warnings = stage.events.withLock {
            $0.count { if case .warning(let text) = $0.kind { text.contains("copied") } else { false } }
        }
        // The word to people, the restart, the undo, the end.
        #expect(warnings == 4)
    }
}

/// Copies so often, and then no more.
private final class CountingMirror: RunMirror {
    let journal: ListJournal
    let most: Int
    let copies = Lock<[(occasions: Int, records: Int)]>([])

    private let everywhere: Bool

    init(journal: ListJournal, copies: Int = .max, everywhere: Bool = true) {
        self.everywhere = everywhere
        self.journal = journal
        most = copies
    }

    func claim(_ run: RunID) throws {}
    func holdsEverywhere(_ run: RunID) throws -> Bool { everywhere }

    func write(_ run: RunID, for occasions: [(MirrorOccasion, at: CallPlace?)]) throws -> [DRError?] {
        let count = journal.entries.count
        let made = copies.withLock { copies in
            copies.append((occasions.count, count))
            return copies.count
        }
        return occasions.map { _ in made > most ? DRError(.clusterUnreachable, "west does not answer") : nil }
    }
}
