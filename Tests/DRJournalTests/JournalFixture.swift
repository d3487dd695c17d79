import DRJournal
import DRModel
import Foundation
import GRDB

/// A journal in a folder of its own, removed with the fixture.
final class JournalFixture {
    let folder: URL
    var path: String { folder.appendingPathComponent("journal.sqlite").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("journal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static func header(_ id: RunID) -> RunHeader {
        RunHeader(
            id: id, runbook: "runbooks/failover.lua", sources: ["runbooks/failover.lua": "00ff"],
            texts: ["runbooks/failover.lua": "return dr.runbook { name = \"x\" }\n"],
            parameters: ["reason": "drill", "after": .duration(.seconds(90))], configuration: "c0ffee", who: "alice@host", seed: 42,
            started: Instant(nanosecondsSince1970: 1_772_331_300_000_000_000))
    }

    static let entries: [JournalEntry] = [
        JournalEntry(.input, key: "0", verb: "now", payload: .instant(Instant(nanosecondsSince1970: 1_772_331_300_123_456_789))),
        JournalEntry(.intent, key: "1/0/do", path: ["stop", "ledger"], verb: "stop", payload: ["application": "ledger", "n": 1]),
        JournalEntry(.outcome, key: "1/0/do", path: ["stop", "ledger"], verb: "stop", payload: ["ratio": .number(1), "u": "ünï\n\"'"]),
        JournalEntry(.log, key: "2", verb: "log", payload: "draining ledger"),
        JournalEntry(.finished, key: "3", payload: ["outcome": "succeeded"]),
    ]

    /// Writes the runs with all entries and closes the journal.
    func write(_ runs: RunID...) throws {
        let journal = try SQLiteJournal.open(path)
        for run in runs {
            try journal.begin(Self.header(run))
            for (index, entry) in Self.entries.enumerated() {
                try journal.append(entry, to: run, at: Instant(nanosecondsSince1970: Int64(index)))
            }
        }
        try journal.close()
    }

    /// Somebody changes the file behind the journal's back.
    func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// What reading the run says: nil = it reads as it was written.
    func damage(of run: RunID) throws -> DRError? {
        let journal = try SQLiteJournal.openForReading(path)
        do {
            let records = try journal.records(of: run)
            return records.map(\.entry) == Self.entries ? nil : DRError(.internal, "read back something else, without an error")
        } catch let error as DRError {
            return error
        }
    }
}
