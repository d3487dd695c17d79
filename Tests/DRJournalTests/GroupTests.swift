import DRJournal
import DRModel
import Testing

/// Entries that share a commit.
struct GroupTests {
    private static let group = JournalFixture.entries.enumerated().map {
        TimedEntry($0.element, at: Instant(nanosecondsSince1970: Int64($0.offset)))
    }

    @Test func `G6 a group is chained in the order of its entries, as if each had come alone`() throws {
        let fixture = try JournalFixture(), alone = try JournalFixture()
        try alone.write("run-1")
        let journal = try SQLiteJournal.open(fixture.path)
        try journal.begin(JournalFixture.header("run-1"))
        var told = try journal.append(Array(Self.group.prefix(2)), to: "run-1")
        told += try journal.append(Array(Self.group.dropFirst(2)), to: "run-1")
        #expect(try journal.append([], to: "run-1").isEmpty)
        try journal.close()
        let records = try SQLiteJournal.openForReading(fixture.path).records(of: "run-1")
        #expect(try records == SQLiteJournal.openForReading(alone.path).records(of: "run-1"))
        #expect(told == records)
        let memory = MemoryJournal()
        try memory.begin(JournalFixture.header("run-1"))
        #expect(try memory.append(Self.group, to: "run-1") == records)
    }

    @Test func `G2 of a group whose commit fails no record stands, and the next one begins where it would have`() throws {
        let fixture = try JournalFixture()
        let journal = try SQLiteJournal.open(fixture.path)
        try journal.begin(JournalFixture.header("run-1"))
        try journal.append(Array(Self.group.prefix(1)), to: "run-1")
        // The fourth of the group finds its place taken.
        try fixture.tamper("INSERT INTO record SELECT run, 4, time, kind, key, path, verb, payload, hash FROM record")
        #expect(throws: DRError.self) { try journal.append(Array(Self.group.dropFirst(1)), to: "run-1") }
        try fixture.tamper("DELETE FROM record WHERE position = 4")
        #expect(try journal.records(of: "run-1").count == 1)
        let indices = try journal.append(Array(Self.group.dropFirst(1)), to: "run-1").map { $0.index }
        #expect(indices == [1, 2, 3, 4])
        #expect(try journal.records(of: "run-1").map(\.entry) == JournalFixture.entries)
        try journal.close()
    }
}
