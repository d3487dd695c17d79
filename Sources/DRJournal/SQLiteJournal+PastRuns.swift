public import DRModel
internal import GRDB

/// An action of a run that has ended: it succeeded, and did something.
public struct PastAction: Sendable, Hashable {
    public let verb: String
    public let input: Value
    public let duration: Duration
}

extension SQLiteJournal {
    /// Of the newest `runs` that have ended, oldest first, what each did; runs of more than `records` records tell nothing. Of what was answered only that is
    /// read which says how long it took, and no chain is verified: a damaged record makes an estimate worse, and nothing else.
    public func pastActions(runs: Int, records: Int) throws -> [[PastAction]] {
        try reading { database in
            let ended = try String.fetchAll(
                database,
                sql: """
                    SELECT id FROM run
                    WHERE (SELECT kind FROM record WHERE run = run.id ORDER BY position DESC LIMIT 1) = 'finished'
                    ORDER BY number DESC LIMIT ?
                    """, arguments: [runs])
            return try ended.reversed().compactMap { try Self.actions(of: $0, atMost: records, database) }
        }
    }

    private static func actions(of run: String, atMost bound: Int, _ database: Database) throws -> [PastAction]? {
        let last = try Int.fetchOne(database, sql: "SELECT max(position) FROM record WHERE run = ?", arguments: [run]) ?? 0
        guard last < bound else { return nil }
        var intents: [String: (verb: String, input: String)] = [:]
        var actions: [PastAction] = []
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT kind, key, verb, CASE kind WHEN 'intent' THEN payload
                    ELSE json_extract(payload, '$.duration', '$.error', '$.result.changed') END AS said
                FROM record WHERE run = ? AND kind IN ('intent', 'outcome') ORDER BY position
                """, arguments: [run])
        while let row = try rows.next() {
            let key: String = try row.column("key"), verb: String = try row.column("verb"), said: String = try row.column("said")
            if try row.column("kind") == JournalEntry.Kind.intent.rawValue {
                intents[key] = (verb, said)
                continue
            }
            guard let intent = intents.removeValue(forKey: key), let answer = try Value(json: said).list, answer.count == 3,
                case .duration(let duration) = answer[0], answer[1].isNull, answer[2].bool != false
            else { continue }
            actions.append(PastAction(verb: intent.verb, input: try Value(json: intent.input), duration: duration))
        }
        return actions
    }
}
