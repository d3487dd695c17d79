import DRJournal
import DRModel
import Foundation
import Testing

/// The write-ahead log is longer than what stands in it.
struct LogRoomTests {
    private static let payload = Value.string(String(repeating: "x", count: 3000))

    private static func append(_ count: Int, to journal: SQLiteJournal) throws {
        for index in 0..<count {
            try journal.append(
                [
                    TimedEntry(
                        JournalEntry(.log, key: "\(index)", verb: "log", payload: payload), at: Instant(nanosecondsSince1970: Int64(index)))
                ],
                to: "run-1")
        }
    }

    private static func length(of file: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
    }

    @Test func `the log has room for the next commits, which do not make it longer, and a few records make none`() throws {
        let fixture = try JournalFixture()
        let journal = try SQLiteJournal.open(fixture.path)
        try journal.begin(JournalFixture.header("run-1"))
        try Self.append(2, to: journal)
        #expect(try Self.length(of: fixture.path + "-wal") < 64 << 10)
        try Self.append(20, to: journal)
        let roomy = try Self.length(of: fixture.path + "-wal")
        #expect(roomy > 256 << 10)
        try Self.append(5, to: journal)
        #expect(try Self.length(of: fixture.path + "-wal") == roomy)
        try journal.close()
        #expect(!FileManager.default.fileExists(atPath: fixture.path + "-wal"))
    }

    @Test(arguments: [40, 600])
    func `G2 G6 what was appended before a kill is there and verifies, whatever stands behind it in the log`(count: Int) throws {
        let fixture = try JournalFixture(), killed = try JournalFixture()
        let journal = try SQLiteJournal.open(fixture.path)
        try journal.begin(JournalFixture.header("run-1"))
        try Self.append(count, to: journal)
        // What a process leaves that is killed here; of 600 records the log began at its front again, and old frames stand behind the new ones.
        for ending in ["", "-wal"] { try FileManager.default.copyItem(atPath: fixture.path + ending, toPath: killed.path + ending) }
        let written = try journal.records(of: "run-1")
        try journal.close()
        #expect(written.count == count)
        #expect(try SQLiteJournal.openForReading(killed.path).records(of: "run-1") == written)
        let again = try SQLiteJournal.open(killed.path)
        try Self.append(3, to: again)
        #expect(try again.records(of: "run-1").count == count + 3)
        try again.close()
        #expect(try SQLiteJournal.openForReading(killed.path).records(of: "run-1").count == count + 3)
    }
}
