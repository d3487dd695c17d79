public import DRModel
internal import DRSupport
internal import GRDB

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The journal in one SQLite file: rows chained by SHA-256, one writing process, any number of readers.
///
/// `journal.sqlite` with `journal.sqlite-lock` beside it. Records are durable when `append` returns: write-ahead log, full synchronisation, one commit each time.
public final class SQLiteJournal: Journal, Sendable {
    let database: DatabaseQueue
    private let writer: WriterLock?
    private let room: LogRoom
    let path: String

    /// Opens the journal for writing, and creates it where there is none; the folder must exist. Throws `locked`, `journal-damaged`, `io`, `no-space`.
    public static func open(_ path: String) throws -> SQLiteJournal {
        let lock = try WriterLock(path: path + "-lock", journal: path)
        return try SQLiteJournal(path: path, writer: lock)
    }

    /// The process that writes the journal now; nil where none does. Throws `io`.
    public static func writer(of path: String) throws -> Int32? { try WriterLock.holder(path: path + "-lock") }

    /// Opens the journal for reading, also while a run writes it. Throws `not-found` where there is none, `journal-damaged`, `io`.
    public static func openForReading(_ path: String) throws -> SQLiteJournal { try SQLiteJournal(path: path, writer: nil) }

    /// Opens the journal for reading where nothing writes it, and leaves no byte behind: an ordinary reader makes the files of the write-ahead log anew. Nil while a
    /// process writes it. What it reads is for looking: a process that begins to write meanwhile is not noticed.
    public static func openUntouched(_ path: String) throws -> SQLiteJournal? {
        var facts = stat()
        guard unsafe stat(path + "-wal", &facts) != 0 || facts.st_size == 0 else { return nil }
        let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/"
        let quoted = path.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            return byte < 128 && allowed.contains(character) ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return try SQLiteJournal(path: path, writer: nil, address: "file:\(quoted.joined())?immutable=1")
    }

    private init(path: String, writer: WriterLock?, address: String? = nil) throws {
        self.path = path
        self.writer = writer
        room = LogRoom(log: path + "-wal")
        if writer != nil { try Self.createIfMissing(path) }
        var configuration = Configuration()
        configuration.label = "journal"
        configuration.readonly = writer == nil
        configuration.busyMode = .timeout(5)
        database = try JournalFailure.mapped(path) { try DatabaseQueue(path: address ?? path, configuration: configuration) }
        try JournalFailure.mapped(path) {
            if writer == nil {
                try database.read { try JournalSchema.check($0, path: path) }
            } else {
                try prepareForWriting()
            }
        }
    }

    // Set after the switch to the write-ahead log, which resets it in some libraries, and read back: a setting that did not take is no promise.
    private func prepareForWriting() throws {
        try database.writeWithoutTransaction { database in
            try JournalSchema.check(database, path: path)
            guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
                throw DRError(.io, "the journal \(path) cannot use a write-ahead log", hint: "put `state` on a local filesystem")
            }
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
            guard try Int64.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
                throw DRError(.io, "the journal \(path) cannot be written with full synchronisation")
            }
        }
    }

    // Whole or not at all: an empty file in its place has lost something.
    private static func createIfMissing(_ path: String) throws {
        let fresh = path + ".new"
        guard unsafe access(path, F_OK) != 0, errno == ENOENT else { return }
        unsafe unlink(fresh)
        try JournalFailure.mapped(path) {
            let database = try DatabaseQueue(path: fresh)
            try database.write { try JournalSchema.create($0) }
            try database.close()
        }
        // What runs say of sites and people is the account's own. The write-ahead log beside it is made with the same permissions.
        guard unsafe chmod(fresh, 0o600) == 0, unsafe rename(fresh, path) == 0 else {
            throw DRError(.io, "the journal \(path) cannot be made: \(unsafe String(cString: strerror(errno)))")
        }
        syncFolder(of: path)
    }

    /// Moves the write-ahead log into the file and gives the right to write back. Readers need not close.
    public func close() throws {
        defer { writer?.release() }
        try JournalFailure.mapped(path) {
            if writer != nil {
                try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
            }
            try database.close()
        }
    }

    public func begin(_ header: RunHeader) throws {
        let text = try header.columnText
        try JournalFailure.mapped(path) { try database.write { database in try insert(header.id, text, database) } }
        failpoint("journal.begun")
    }

    /// A run's row and its head, as the next of the journal.
    func insert(_ run: RunID, _ header: String, _ database: Database) throws {
        guard try Row.fetchOne(database, sql: "SELECT 1 FROM run WHERE id = ?", arguments: [run.text]) == nil else {
            throw DRError(.conflict, "there is a run \(run) in the journal already")
        }
        let last = try Row.fetchOne(database, sql: "SELECT number, hash FROM run ORDER BY number DESC LIMIT 1")
        let number = (last?["number"] as Int64? ?? 0) + 1
        let previous = last?["hash"] as String? ?? ""
        let start = RecordChain.start(run: run.text, header: header)
        try database.execute(
            sql: "INSERT INTO run (number, id, previous, header, start, hash) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [number, run.text, previous, header, start, RecordChain.link(number: number, previous: previous, start: start)])
        try database.execute(sql: "INSERT INTO head (run, count, hash) VALUES (?, 0, ?)", arguments: [run.text, start])
    }

    @discardableResult public func append(_ entries: [TimedEntry], to run: RunID) throws -> [JournalRecord] {
        guard !entries.isEmpty else { return [] }
        failpoint("journal.append")
        let records = try JournalFailure.mapped(path) {
            try database.write { database in
                room.make()
                let head = try database.cachedStatement(sql: "SELECT count, hash FROM head WHERE run = ?")
                guard let found = try Row.fetchOne(head, arguments: [run.text]) else { throw try noSuchRun(run, database) }
                let chained = RecordChain.continued(entries, of: run, from: found["count"], previous: found["hash"])
                let insertion = try database.cachedStatement(sql: Self.insertion)
                for (row, record) in chained { try insertion.execute(arguments: row.columns(of: run, hash: record.hash)) }
                if let last = chained.last?.record {
                    try database.cachedStatement(sql: Self.headUpdate).execute(arguments: [last.index + 1, last.hash, run.text])
                }
                failpoint("journal.commit")
                return chained.map(\.record)
            }
        }
        failpoint("journal.appended")
        return records
    }

    static let insertion = """
        INSERT INTO record (run, position, time, kind, key, path, verb, payload, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    static let headUpdate = "UPDATE head SET count = ?, hash = ? WHERE run = ?"
}

extension RecordRow {
    /// In the order of `SQLiteJournal.insertion`.
    func columns(of run: RunID, hash: String) -> StatementArguments {
        [run.text, position, time, kind, key, path, verb, payload, hash]
    }
}
