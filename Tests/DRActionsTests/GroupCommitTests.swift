import DRActions
import DRModel
import DRSupport
import Testing

/// Records that came about together share a commit; nothing leaves the process before its own is made.
struct GroupCommitTests {
    private static let branches = """
        local b = {}
        for i = 1, 16 do b[i] = function() for _ = 1, 4 do dr.sleep "0s" end dr.log("branch %d", i) end end
        dr.parallel(b)
        """

    @Test func `branches that wait at the same time share a commit, each outcome with what follows from it`() async throws {
        let stage = Stage()
        #expect(try await stage.run(Self.branches).outcome == .succeeded)
        let (commits, entries) = (stage.journal.commits, stage.journal.entries)
        // 16 intents; four times 16 outcomes with the intents or words that follow; the end.
        #expect(commits.first == 16)
        #expect(commits.count <= 8, "\(commits)")
        #expect(entries.count == 145)
        for branch in 1...16 {
            let own = entries.filter { $0.key.hasPrefix("0.1-\(branch)/") }.map { $0.kind }
            let expected: [JournalEntry.Kind] = [.intent, .outcome, .intent, .outcome, .intent, .outcome, .intent, .outcome, .log]
            #expect(own == expected, "\(branch)")
        }
        let alone = Stage()
        _ = try await alone.run(#"for _ = 1, 10 do dr.sleep "0s" end"#)
        let expected: [Int] = [1] + [Int](repeating: 2, count: 9) + [1, 1]
        #expect(alone.journal.commits == expected, "an outcome travels with the next intent")
    }

    @Test(arguments: [15, 16 + 31, 16 + 32 + 5])
    func `G2 a commit that fails takes every branch that waited for it, and nobody was told`(capacity: Int) async throws {
        let stage = Stage(journal: ListJournal(capacity: capacity))
        await #expect(throws: ListJournal.Full.self) { try await stage.run(Self.branches) }
        let entries = stage.journal.entries
        let whole: [Int: Int] = [15: 0, 47: 16, 53: 48]
        #expect(entries.count == whole[capacity], "all of a group or nothing")
        let told = stage.events.withLock { $0.map(\.kind) }
        let started = told.count { if case .actionStarted = $0 { true } else { false } }
        let finished = told.count { if case .actionFinished = $0 { true } else { false } }
        #expect(started == entries.count { $0.kind == .intent })
        #expect(finished == entries.count { $0.kind == .outcome })
    }

    @Test func `G2 no engine is asked before what asks it is durable`() async throws {
        let stage = Stage(journal: ListJournal(capacity: 1))
        let body =
            #"dr.parallel { function() dr.migrate { pair = "east-west", applications = { "ledger" } } end, function() dr.sleep "1s" end }"#
        await #expect(throws: ListJournal.Full.self) { try await stage.run(body) }
        #expect(stage.engine.calls.isEmpty && stage.journal.entries.isEmpty)
    }

    @Test func `a runbook that catches every error does not outlive a journal that cannot be written`() async throws {
        let stage = Stage(journal: ListJournal(capacity: 300))
        await #expect(throws: ListJournal.Full.self) {
            try await stage.run(#"for i = 1, 1000 do pcall(dr.log, "x") end pcall(dr.sleep, "1s")"#)
        }
        #expect(stage.journal.entries.count == 256 && stage.logs.count == 256)
    }

    @Test func `a group is bounded in records and in bytes`() async throws {
        let many = Stage()
        _ = try await many.run("for i = 1, 1000 do dr.now() end")
        #expect(many.journal.commits == [256, 256, 256, 232, 1], "\(many.journal.commits)")
        let large = Stage()
        _ = try await large.run(#"local text = string.rep("x", 300 * 1024) for i = 1, 12 do dr.log(text) end"#)
        #expect(large.journal.commits.dropLast().allSatisfy { $0 <= 4 }, "\(large.journal.commits)")
    }

    @Test func `a resume reads the record once, also where it waits at gates`() async throws {
        let stage = Stage()
        let body =
            #"dr.parallel { function() dr.approve { name = "a", message = "?" } end, function() dr.approve { name = "b", message = "?" } end }"#
        #expect(try await stage.run(body).outcome == .waiting)
        #expect(stage.journal.reads == 0)
        #expect(try await stage.resume().outcome == .waiting)
        #expect(stage.journal.reads == 1)
    }
}
