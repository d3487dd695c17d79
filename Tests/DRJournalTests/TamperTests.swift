import DRJournal
import DRModel
import DRSupport
import Foundation
import Testing

@Suite struct TamperTests {
    /// What somebody does to the tables, and the first bad record (nil = the run's header).
    struct Attack: CustomTestStringConvertible, Sendable {
        let name: String
        let sql: String
        let record: Int64?
        var testDescription: String { name }
    }

    static let attacks: [Attack] =
        [
            ("time", "time = time + 1"), ("kind", "kind = 'log'"), ("key", "key = key || 'x'"), ("path", "path = '[]'"),
            ("verb", "verb = 'start'"), ("payload", "payload = replace(payload, 'ledger', 'lodger')"),
            ("hash", "hash = lower(hex(zeroblob(32)))"),
            ("run", "run = 'run-2x'"),
        ].map { Attack(name: "flip \($0.0)", sql: "UPDATE record SET \($0.1) WHERE run = 'run-1' AND position = 1", record: 1) } + [
            Attack(name: "drop the first", sql: "DELETE FROM record WHERE run = 'run-1' AND position = 0", record: 0),
            Attack(name: "drop one", sql: "DELETE FROM record WHERE run = 'run-1' AND position = 2", record: 2),
            Attack(
                name: "drop one and close the gap",
                sql: """
                    DELETE FROM record WHERE run = 'run-1' AND position = 2;
                    UPDATE record SET position = position - 1 WHERE run = 'run-1' AND position > 2
                    """, record: 2),
            Attack(
                name: "swap two",
                sql: """
                    UPDATE record SET position = 99 WHERE run = 'run-1' AND position = 1;
                    UPDATE record SET position = 1 WHERE run = 'run-1' AND position = 2;
                    UPDATE record SET position = 2 WHERE run = 'run-1' AND position = 99
                    """, record: 1),
            Attack(
                name: "splice in one of another run",
                sql: """
                    DELETE FROM record WHERE run = 'run-1' AND position = 3;
                    UPDATE record SET run = 'run-1' WHERE run = 'run-2' AND position = 3
                    """, record: 3),
            Attack(name: "cut off the tail", sql: "DELETE FROM record WHERE run = 'run-1' AND position >= 3", record: 3),
            Attack(name: "cut off everything", sql: "DELETE FROM record WHERE run = 'run-1'", record: 0),
            Attack(
                name: "append one",
                sql:
                    "INSERT INTO record SELECT run, 5, time, kind, key, path, verb, payload, hash FROM record WHERE run = 'run-1' AND position = 4",
                record: 5),
            Attack(name: "head count", sql: "UPDATE head SET count = 6 WHERE run = 'run-1'", record: 5),
            Attack(name: "head hash", sql: "UPDATE head SET hash = 'x' WHERE run = 'run-1'", record: 4),
            Attack(name: "head gone", sql: "DELETE FROM head WHERE run = 'run-1'", record: 5),
            Attack(name: "header", sql: "UPDATE run SET header = replace(header, 'alice', 'malice') WHERE id = 'run-1'", record: nil),
            Attack(name: "header hash", sql: "UPDATE run SET hash = 'x' WHERE id = 'run-1'", record: nil),
            Attack(name: "header start", sql: "UPDATE run SET start = 'x' WHERE id = 'run-1'", record: nil),
            Attack(name: "header previous", sql: "UPDATE run SET previous = 'x' WHERE id = 'run-1'", record: nil),
            Attack(name: "header number", sql: "UPDATE run SET number = 7 WHERE id = 'run-1'", record: nil),
        ]

    @Test(arguments: attacks) func `G6 a changed row is found and the first bad record named`(_ attack: Attack) throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1", "run-2")
        #expect(try fixture.damage(of: "run-1") == nil)
        try fixture.tamper(attack.sql)
        let damage = try fixture.damage(of: "run-1")
        #expect(damage?.code == .journalDamaged)
        #expect(damage?.details?["record"].integer == attack.record, "\(damage?.message ?? "nothing found")")
    }

    @Test func `G6 an empty file in the journal's place is damage, for readers and writers`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        try Data().write(to: URL(fileURLWithPath: fixture.path))
        let reading = #expect(throws: DRError.self) { try SQLiteJournal.openForReading(fixture.path) }
        #expect(reading?.code == .journalDamaged && reading?.message.contains("is empty") == true)
        let writing = #expect(throws: DRError.self) { try SQLiteJournal.open(fixture.path) }
        #expect(writing?.code == .journalDamaged)
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)).isEmpty)
    }

    @Test func `what a later program wrote is not called damaged`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        let archive = try SQLiteJournal.openForReading(fixture.path).archive(of: "run-1")
        let line = try #require(archive.text.split(separator: "\n").first { $0.contains("draining") })
        var fields = try #require(try Value(json: String(line)).list?.compactMap(\.string))
        fields[3] = "vouched"
        let text = archive.text.replacing(line, with: Value.list(fields.map(Value.string)).json())
        #expect { try RunArchive(text, file: "x") } throws: { ($0 as? DRError)?.code == .journalDamaged }
        // With the hash that belongs to it.
        fields[8] = Self.hash(archive.records[2].hash, "run-1", fields)
        let later = archive.text.replacing(line, with: Value.list(fields.map(Value.string)).json())
        let error = #expect(throws: DRError.self) { try RunArchive(later, file: "x") }
        #expect(error?.code == .configuration && error?.message.contains("does not know: vouched") == true, "\(String(describing: error))")
    }

    // docs/decisions/journal.md, "The chain".
    private static func hash(_ previous: String, _ run: String, _ fields: [String]) -> String {
        let all = ["drrunbook-journal-2", "record", previous, run] + fields[1...7]
        return Digest.hex(of: Array(all.map { "\($0.utf8.count):\($0)" }.joined().utf8))
    }

    @Test func `G6 a run dropped whole is found by the list of runs when a later one stands`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1", "run-2", "run-3")
        try fixture.tamper(
            "DELETE FROM run WHERE id = 'run-2'; DELETE FROM record WHERE run = 'run-2'; DELETE FROM head WHERE run = 'run-2'")
        let journal = try SQLiteJournal.openForReading(fixture.path)
        let error = #expect(throws: DRError.self) { try journal.runs() }
        #expect(error?.code == .journalDamaged)
        #expect(error?.message.contains("a run before run-3 is missing") == true)
        #expect(try journal.records(of: "run-3").count == 5)
    }

    @Test func `G6 a tail cut off together with its note is not found in the file alone`() throws {
        // What anchors outside the file are for: whoever can rewrite the whole file can rewrite the whole chain.
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        try fixture.tamper(
            """
            DELETE FROM record WHERE run = 'run-1' AND position >= 3;
            UPDATE head SET count = 3, hash = (SELECT hash FROM record WHERE run = 'run-1' AND position = 2)
            """)
        #expect(try SQLiteJournal.openForReading(fixture.path).records(of: "run-1").count == 3)
    }

    @Test func `G6 no flipped byte of the file reads as something else`() throws {
        let fixture = try JournalFixture()
        try fixture.write("run-1")
        let url = URL(fileURLWithPath: fixture.path)
        let intact = try Data(contentsOf: url)
        var found = 0
        // A prime step through the file, every place of the first page (its header and the tables' text).
        for place in Array(0..<600) + Array(stride(from: 600, to: intact.count, by: 31)) {
            var flipped = intact
            flipped[place] ^= 0x04
            try flipped.write(to: url)
            do {
                if let damage = try fixture.damage(of: "run-1") {
                    #expect(damage.code != .internal, "byte \(place): \(damage.message)")
                    found += 1
                }
            } catch let error as DRError {
                #expect(error.code != .internal)
                found += 1
            }
        }
        #expect(found > 50)
    }
}
