internal import DRModel
internal import GRDB

/// The tables of a journal file and the version of their layout (`PRAGMA user_version`).
enum JournalSchema {
    static let version: Int64 = 2
    /// `DRRJ`: tells a journal from any other SQLite file.
    static let applicationID: Int64 = 0x4452_524A

    /// Creates the tables in a new file.
    static func create(_ database: Database) throws {
        try database.execute(sql: tables)
        try database.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
    }

    /// Makes sure that the file is a journal of a version this program knows.
    static func check(_ database: Database, path: String) throws {
        let id = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        guard try id != 0 || Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") != 0 else {
            throw DRError(
                .journalDamaged, "the journal \(path) is empty: its runs are gone",
                hint: "put a copy back, or take the runs from a cluster: `drrunbook resume RUN`; moved away, a new one is begun")
        }
        guard id == applicationID else {
            throw DRError(.journalDamaged, "\(path) is not a journal of drrunbook", hint: "check `state` in dr.yaml")
        }
        let found = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found <= version else {
            throw DRError(
                .configuration, "the journal \(path) was written by a later drrunbook (layout \(found), this one knows \(version))",
                hint: "use the later drrunbook")
        }
        guard found != 1 else {
            throw DRError(
                .configuration, "the journal \(path) was written by an earlier drrunbook (layout 1)",
                hint: "end its runs with that one, then move the journal away")
        }
        guard found == version else { throw DRError(.journalDamaged, "\(path) has the unknown layout \(found)") }
    }

    // STRICT: a column holds what its type says, so that a row reads as it was written or not at all.
    private static let tables = """
        CREATE TABLE run (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            previous TEXT NOT NULL,
            header TEXT NOT NULL,
            start TEXT NOT NULL,
            hash TEXT NOT NULL
        ) STRICT;
        CREATE TABLE record (
            run TEXT NOT NULL,
            position INTEGER NOT NULL,
            time INTEGER NOT NULL,
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            path TEXT NOT NULL,
            verb TEXT NOT NULL,
            payload TEXT NOT NULL,
            hash TEXT NOT NULL,
            PRIMARY KEY (run, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE head (
            run TEXT PRIMARY KEY NOT NULL,
            count INTEGER NOT NULL,
            hash TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
