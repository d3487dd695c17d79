public import DRModel
internal import GRDB

extension SQLiteJournal {
    /// Runs in which a gate was passed by breaking the glass, or that were given up, oldest first. No chain is verified: who looks into one of them reads its record.
    public func runsWithFollowUps() throws -> [RunID] {
        try reading { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT id FROM run WHERE EXISTS (
                        SELECT 1 FROM record WHERE record.run = run.id AND (
                            kind = 'outcome' AND verb = 'approve' AND json_extract(payload, '$.result.break_glass') IS NOT NULL
                            OR kind = 'finished' AND json_extract(payload, '$.abandoned') IS NOT NULL))
                    ORDER BY number
                    """
            ).map { try RunID($0) }
        }
    }
}
