import DRJournal
import DRModel
import DRSupport
import Foundation
import Testing

@Suite struct SQLiteJournalTests {
    @Test func `what was appended reads back as it was, with ascending indices`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1", "run-2")

        let journal = try SQLiteJournal.openForReading(fixture.path)
        let records = try journal.records(of: "run-2")
        #expect(records.map(\.entry) == JournalFixture.entries)
        #expect(records.map(\.index) == [0, 1, 2, 3, 4])
        #expect(records.map(\.time.nanosecondsSince1970) == [0, 1, 2, 3, 4])
        #expect(Set(records.map(\.hash)).count == 5)
        #expect(try journal.header(of: "run-2") == JournalFixture.header("run-2"))
    }

    @Test func `what is new after a record is read alone, as the end of its chain`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        let records = try SQLiteJournal.openForReading(fixture.path).records(of: "run-1")
        func new(after index: Int) throws -> [JournalRecord] {
            try SQLiteJournal.openForReading(fixture.path).records(of: "run-1", after: records[index])
        }
        #expect(try new(after: 4).isEmpty)
        #expect(try new(after: 2) == Array(records.dropFirst(3)))
        // What was read before is not read again: nobody notices what became of it meanwhile.
        try fixture.tamper("UPDATE record SET verb = 'start' WHERE position = 1")
        #expect(try new(after: 2) == Array(records.dropFirst(3)))
        #expect { try new(after: 0) } throws: { ($0 as? DRError)?.details?["record"].integer == 1 }
        // It is no beginning of this record any more.
        try fixture.tamper("DELETE FROM record WHERE position > 1; UPDATE head SET count = 2")
        #expect { try new(after: 4) } throws: { ($0 as? DRError)?.code == .journalDamaged }
    }

    @Test func `whoever asks who writes the journal keeps nobody from writing it`() async throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        let path = fixture.path
        let asking = Task.detached {
            while !Task.isCancelled { _ = try SQLiteJournal.writer(of: path) }
        }
        defer { asking.cancel() }
        for _ in 0..<300 { try SQLiteJournal.open(path).close() }
        asking.cancel()
        try await asking.value
        #expect(try SQLiteJournal.writer(of: path) == nil)
        let journal = try SQLiteJournal.open(path)
        #expect(try SQLiteJournal.writer(of: path) == getpid())
        try journal.close()
    }

    @Test func `runs stand oldest first and only a finished record closes one`() throws {
        let fixture = try JournalFixture()
        let journal = try SQLiteJournal.open(fixture.path)
        for run in ["run-b", "run-a", "run-c"] as [RunID] { try journal.begin(JournalFixture.header(run)) }
        let time = Instant(nanosecondsSince1970: 7)
        for (run, outcome) in [("run-b", "succeeded"), ("run-c", "waiting")] as [(RunID, String)] {
            try journal.append(JournalEntry(.finished, key: "0", payload: ["outcome": .string(outcome)]), to: run, at: time)
        }
        #expect(try journal.runs().map(\.id) == ["run-b", "run-a", "run-c"])
        #expect(try journal.runs().map(\.outcome) == [.succeeded, nil, .waiting])
        #expect(try journal.runs().map(\.resumable) == [false, true, true])
        #expect(try journal.runs().map(\.finished) == [time, nil, time])

        try journal.append(JournalEntry(.resumed, key: "0"), to: "run-c", at: time)
        #expect(try journal.runs().last?.outcome == nil)
        try journal.close()
    }

    @Test func `what past runs did is told of the newest that ended, with the time it took`() throws {
        let fixture = try JournalFixture()
        let journal = try SQLiteJournal.open(fixture.path)
        func write(_ run: RunID, _ actions: [(String, Value)], ends: Bool = true) throws {
            try journal.begin(JournalFixture.header(run))
            for (index, (name, answer)) in actions.enumerated() {
                let time = Instant(nanosecondsSince1970: Int64(index))
                let input: Value = ["application": .string(name)]
                try journal.append(JournalEntry(.intent, key: "\(index)", verb: "stop", payload: input), to: run, at: time)
                try journal.append(JournalEntry(.outcome, key: "\(index)", verb: "stop", payload: answer), to: run, at: time)
            }
            if ends { try journal.append(JournalEntry(.finished, key: ""), to: run, at: Instant(nanosecondsSince1970: 9)) }
        }
        let took: Value = ["duration": .duration(.seconds(3)), "result": ["changed": true], "effects": []]
        try write("run-old", [("web", took)])
        try write(
            "run-1",
            [
                ("ledger", took), ("failed", ["duration": .duration(.seconds(4)), "error": ["code": "timeout"]]),
                ("same", ["duration": .duration(.seconds(5)), "result": ["changed": false]]), ("silent", ["result": .null]),
            ])
        try write("run-2", [("storefront", ["duration": .duration(.seconds(6)), "result": .null])])
        try write("run-large", Array(repeating: ("web", took), count: 5))
        try write("run-open", [("web", took)], ends: false)
        try journal.close()

        let reader = try SQLiteJournal.openForReading(fixture.path)
        let told = try reader.pastActions(runs: 3, records: 9).map {
            $0.map { "\($0.verb) \($0.input["application"].string ?? "") \($0.duration.text)" }
        }
        #expect(told == [["stop ledger 3s"], ["stop storefront 6s"]])
        #expect(try reader.pastActions(runs: 2, records: 100).map(\.count) == [1, 5])
    }

    @Test func `a run is begun once`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        let journal = try SQLiteJournal.open(fixture.path)
        let error = #expect(throws: DRError.self) { try journal.begin(JournalFixture.header("run-1")) }
        #expect(error?.code == .conflict)
        try journal.close()
    }

    @Test func `G8 an unknown run is named with the nearest one`() throws {
        let fixture = try JournalFixture()
        try fixture.write("20260301-a")
        let journal = try SQLiteJournal.openForReading(fixture.path)
        let error = #expect(throws: DRError.self) { try journal.records(of: "20260301-b") }
        #expect(error?.message == "there is no run 20260301-b (did you mean \"20260301-a\"?)")
        #expect(error?.code == .notFound)
    }

    @Test func `a second writer is refused and told the process that writes`() throws {
        let fixture = try JournalFixture()
        let first = try SQLiteJournal.open(fixture.path)
        let error = #expect(throws: DRError.self) { try SQLiteJournal.open(fixture.path) }
        #expect(error?.code == .locked)
        #expect(error?.message.hasSuffix(": process \(ProcessInfo.processInfo.processIdentifier)") == true)
        try first.close()
        try SQLiteJournal.open(fixture.path).close()
    }

    @Test func `a reader sees what a writer has appended so far`() throws {
        let fixture = try JournalFixture()
        let writer = try SQLiteJournal.open(fixture.path)
        try writer.begin(JournalFixture.header("run-1"))
        let reader = try SQLiteJournal.openForReading(fixture.path)
        #expect(try reader.records(of: "run-1").isEmpty)
        try writer.append(JournalFixture.entries[0], to: "run-1", at: Instant(nanosecondsSince1970: 0))
        #expect(try reader.records(of: "run-1").count == 1)
        try writer.close()
        #expect(try reader.records(of: "run-1").count == 1)
    }

    @Test func `closing empties the write-ahead log`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        let left = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted()
        for name in left where name.hasSuffix("-wal") {
            let size = try FileManager.default.attributesOfItem(atPath: fixture.folder.appendingPathComponent(name).path)[.size]
            #expect(size as? Int == 0)
        }
        #expect(left.contains("journal.sqlite"))
    }

    @Test func `G8 what is no journal, or a later one, is refused`() throws {
        let fixture = try JournalFixture()
        let missing = #expect(throws: DRError.self) { try SQLiteJournal.openForReading(fixture.path) }
        #expect(missing?.code == .notFound)

        try Data("this is no database, whatever its name says".utf8).write(to: URL(fileURLWithPath: fixture.path))
        for open in [SQLiteJournal.open, SQLiteJournal.openForReading] {
            #expect(throws: DRError.self) { try open(fixture.path) }
        }
        try FileManager.default.removeItem(atPath: fixture.path)

        try fixture.tamper("CREATE TABLE other (x)")
        #expect(throws: DRError.self) { try SQLiteJournal.open(fixture.path) }
        try FileManager.default.removeItem(atPath: fixture.path)

        try fixture.write("run-1")
        try fixture.tamper("PRAGMA user_version = 3")
        let later = #expect(throws: DRError.self) { try SQLiteJournal.open(fixture.path) }
        #expect(later?.code == .configuration)
        #expect(later?.message.contains("later drrunbook") == true)
    }

    @Test func `G2 what was appended before a kill is there after it and the chain goes on`() async throws {
        let fixture = try JournalFixture()
        // While nobody has its turn who waits for the child, the testing library asks after it in a busy loop.
        let waiting = ThreadExecutor(name: "child")
        defer { waiting.stop() }
        _ = await withTaskExecutorPreference(waiting) {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = fixture.path as String] in
                let journal = try SQLiteJournal.open(path)
                try journal.begin(JournalFixture.header("run-1"))
                for entry in JournalFixture.entries.prefix(3) {
                    try journal.append(entry, to: "run-1", at: Instant(nanosecondsSince1970: 0))
                }
                kill(getpid(), SIGKILL)
            }
        }
        let reader = try SQLiteJournal.openForReading(fixture.path)
        #expect(try reader.records(of: "run-1").count == 3)
        let journal = try SQLiteJournal.open(fixture.path)
        for entry in JournalFixture.entries.dropFirst(3) {
            try journal.append(entry, to: "run-1", at: Instant(nanosecondsSince1970: 0))
        }
        try journal.close()
        #expect(try fixture.damage(of: "run-1") == nil)
    }

    @Test func `the journal in memory answers as the one on disk`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1", "run-2")
        let memory = MemoryJournal()
        for run in ["run-1", "run-2"] as [RunID] {
            try memory.begin(JournalFixture.header(run))
            for (index, entry) in JournalFixture.entries.enumerated() {
                #expect(try memory.append(entry, to: run, at: Instant(nanosecondsSince1970: Int64(index))) == Int64(index))
            }
        }
        let disk = try SQLiteJournal.openForReading(fixture.path)
        #expect(try memory.runs() == disk.runs())
        #expect(try memory.records(of: "run-2") == disk.records(of: "run-2"))
        #expect(throws: DRError.self) { try memory.records(of: "run-3") }
        #expect(throws: DRError.self) { try memory.begin(JournalFixture.header("run-1")) }
    }
}
