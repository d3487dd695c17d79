internal import DRModel
internal import GRDB

/// SQLite's errors in the journal's words.
enum JournalFailure {
    static func mapped<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw self.error(error, path)
        }
    }

    private static func error(_ error: DatabaseError, _ path: String) -> DRError {
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_FULL: return DRError(.noSpace, "the journal \(path) cannot grow: \(reason)", hint: "make room; the run can be resumed")
        case .SQLITE_BUSY, .SQLITE_LOCKED: return DRError(.locked, "another process holds the journal \(path)")
        case .SQLITE_CANTOPEN: return DRError(.notFound, "there is no journal \(path) that can be opened")
        // SQLITE_ERROR, SQLITE_SCHEMA, SQLITE_MISMATCH: our statements are right, so the tables are not ours any more.
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_SCHEMA, .SQLITE_MISMATCH, .SQLITE_CONSTRAINT:
            return DRError(
                .journalDamaged, "the journal \(path) is damaged: \(reason)", hint: "keep a copy; move it away to begin a new one")
        default: return DRError(.io, "the journal \(path): \(reason)")
        }
    }
}
