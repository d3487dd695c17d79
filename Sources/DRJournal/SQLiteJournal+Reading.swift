public import DRModel
internal import DRSupport
internal import GRDB

extension SQLiteJournal {
    /// Also verifies the header's row. Throws `not-found`, `journal-damaged`.
    public func header(of run: RunID) throws -> RunHeader {
        try reading { database in try verifiedHeader(of: run, database).header }
    }

    public func records(of run: RunID) throws -> [JournalRecord] {
        try reading { database in
            try read(ChainReader(run: run, start: verifiedHeader(of: run, database).start), database)
        }
    }

    public func records(of run: RunID, after known: JournalRecord) throws -> [JournalRecord] {
        try reading { database in try read(ChainReader(run: run, after: known), database) }
    }

    /// From where the chain stands to the end that was noted.
    private func read(_ chain: ChainReader, _ database: Database) throws -> [JournalRecord] {
        let run = chain.run
        var (chain, records) = (chain, [JournalRecord]())
        let rows = try Row.fetchCursor(
            database, sql: "SELECT * FROM record WHERE run = ? AND position >= ? ORDER BY position", arguments: [run.text, chain.next])
        do {
            while let row = try rows.next() { records.append(try chain.read(try RecordRow(row), hash: row.column("hash"))) }
        } catch let error as DRError {
            throw error
        } catch {
            throw JournalDamage.error(run, "record \(chain.next) cannot be read: \(error)", chain.next)
        }
        let head = try Row.fetchOne(database, sql: "SELECT count, hash FROM head WHERE run = ?", arguments: [run.text])
        try chain.finish(head: head.map { (try $0.column("count"), try $0.column("hash")) })
        return records
    }

    /// Oldest first. Verifies the chain of the runs' headers, and so that no run is missing between two others; throws `journal-damaged`.
    public func runs() throws -> [RunSummary] {
        try reading { database in
            var previous = ""
            var number: Int64 = 0
            return try Row.fetchAll(database, sql: "SELECT * FROM run ORDER BY number").map { row in
                let found = try verified(row)
                number += 1
                guard found.number == number, found.previous == previous else {
                    throw DRError(
                        .journalDamaged, "the journal \(path) is damaged: a run before \(found.header.id) is missing",
                        details: ["run": .string(found.header.id.text)])
                }
                previous = found.hash
                let last = try Row.fetchOne(
                    database,
                    sql: "SELECT kind, payload, time FROM record WHERE run = ? AND kind <> 'approval' ORDER BY position DESC LIMIT 1",
                    arguments: [found.header.id.text])
                return try RunSummary(
                    found.header, last: last.map { (try $0.column("kind"), try $0.column("payload"), try $0.column("time")) })
            }
        }
    }

    static func noSuchRun(_ run: RunID, among names: [String]) -> DRError {
        DRError(
            .notFound, "there is no run \(run)" + Spelling.hint(for: run.text, in: names),
            hint: names.isEmpty ? "nothing has been run yet" : "`drrunbook runs` lists them")
    }

    func noSuchRun(_ run: RunID, _ database: Database) throws -> DRError {
        Self.noSuchRun(run, among: try String.fetchAll(database, sql: "SELECT id FROM run ORDER BY number DESC LIMIT 1000"))
    }

    func reading<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try JournalFailure.mapped(path) { try database.read(body) }
    }

    struct VerifiedRun {
        let header: RunHeader
        let number: Int64
        let previous: String
        /// The header as it stands.
        let text: String
        let start: String
        let hash: String
    }

    func verifiedHeader(of run: RunID, _ database: Database) throws -> VerifiedRun {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM run WHERE id = ?", arguments: [run.text]) else {
            throw try noSuchRun(run, database)
        }
        return try verified(row)
    }

    private func verified(_ row: Row) throws -> VerifiedRun {
        let id: String = try row.column("id"), text: String = try row.column("header"), hash: String = try row.column("hash")
        let number: Int64 = try row.column("number"), previous: String = try row.column("previous"), start: String = try row.column("start")
        guard RecordChain.start(run: id, header: text) == start, RecordChain.link(number: number, previous: previous, start: start) == hash,
            let header = try? RunHeader(columnText: text), header.id.text == id
        else {
            throw DRError(
                .journalDamaged, "the journal \(path) is damaged: the header of run \(id) is not what was written",
                details: ["run": .string(id), "record": .null])
        }
        return VerifiedRun(header: header, number: number, previous: previous, text: text, start: start, hash: hash)
    }
}

extension RecordRow {
    init(_ row: Row) throws {
        self.init(
            position: try row.column("position"), time: try row.column("time"), kind: try row.column("kind"), key: try row.column("key"),
            path: try row.column("path"), verb: try row.column("verb"), payload: try row.column("payload"))
    }
}

extension Row {
    /// The column as what it must be; a damaged file may hold anything.
    func column<T: DatabaseValueConvertible>(_ name: String) throws -> T {
        guard hasColumn(name) else { throw DRError(.journalDamaged, "the journal has no column \(name)") }
        let stored: DatabaseValue = self[name]
        guard let value = T.fromDatabaseValue(stored) else { throw DRError(.journalDamaged, "the column \(name) holds no \(T.self)") }
        return value
    }
}
