public import DRModel
internal import DRSupport
internal import GRDB

/// One run as text: what `export` writes, and what stands at clusters for another host to take over. Its chain is verified when it is read.
///
/// See docs/formats.md. Every line is the canonical form of its JSON, so no byte of it is free.
public struct RunArchive: Sendable {
    static let opening = "drrunbook-run-2"

    public let header: RunHeader
    public let records: [JournalRecord]
    /// It says where it ends, and ends there. Otherwise more may have followed.
    public let isClosed: Bool
    /// What stands beside its end: somebody's signature of it. Nothing here says whose.
    public let signature: String?
    let headerText: String
    let start: String
    let rows: [(row: RecordRow, hash: String)]

    public var count: Int64 { Int64(rows.count) }
    public var hash: String { rows.last?.hash ?? start }

    init(header: RunHeader, headerText: String, start: String, rows: [(row: RecordRow, hash: String)], records: [JournalRecord]) {
        self.header = header
        self.headerText = headerText
        self.start = start
        self.rows = rows
        self.records = records
        isClosed = true
        signature = nil
    }

    /// With the line that says where it ends.
    public var text: String { text(signature: nil) }

    /// The same with somebody's signature of the end.
    public func text(signature: String?) -> String {
        Self.first(header.id, headerText, start) + rows.map { Self.line($0.row, $0.hash) }.joined()
            + Self.line(["head", String(count), hash] + (signature.map { [$0] } ?? []))
    }

    static func first(_ run: RunID, _ headerText: String, _ start: String) -> String {
        opening + "\n" + line(["run", run.text, headerText, start])
    }

    static func line(_ row: RecordRow, _ hash: String) -> String {
        line(["record", String(row.position), String(row.time), row.kind, row.key, row.path, row.verb, row.payload, hash])
    }

    private static func line(_ fields: [String]) -> String { Value.list(fields.map(Value.string)).json() + "\n" }

    /// `end`: how many records count; what follows was being written. Throws `journal-damaged` and names the first bad record.
    public init(_ text: String, file: String, end: Int64? = nil) throws {
        func damaged(_ what: String, _ record: Int64? = nil) -> DRError {
            DRError(
                .journalDamaged, "\(file) is damaged: \(what)", hint: "what comes before it is as it was written",
                details: ["record": record.map(Value.integer) ?? .null])
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let isWhole = lines.last?.isEmpty == true
        guard lines.first == Self.opening else {
            throw DRError(.journalDamaged, "\(file) is no exported run", hint: "`drrunbook export RUN` writes one")
        }
        if isWhole { lines.removeLast() }
        func fields(_ index: Int) -> [String]? {
            guard index < lines.count, let list = try? Value(json: lines[index]).list else { return nil }
            let texts = list.compactMap(\.string)
            return texts.count == list.count && Self.line(texts) == lines[index] + "\n" ? texts : nil
        }
        guard let first = fields(1), first.count == 4, first[0] == "run", let header = try? RunHeader(columnText: first[2]),
            header.id.text == first[1], RecordChain.start(run: first[1], header: first[2]) == first[3]
        else { throw damaged("the header of the run is not what was written") }
        self.header = header
        headerText = first[2]
        start = first[3]
        var chain = ChainReader(run: header.id, start: first[3])
        var rows: [(row: RecordRow, hash: String)] = []
        var records: [JournalRecord] = []
        var head: (count: Int64, hash: String)?
        var signature: String?
        for index in 2..<max(2, lines.count) {
            if let end, chain.next >= end { break }
            guard head == nil else { throw damaged("something follows its end", chain.next) }
            guard let found = fields(index), isWhole || index + 1 < lines.count else {
                throw damaged("record \(chain.next) is not what was written", chain.next)
            }
            if 3...4 ~= found.count, found[0] == "head", let count = Self.number(found[1]) {
                head = (count, found[2])
                signature = found.count == 4 ? found[3] : nil
                continue
            }
            guard found.count == 9, found[0] == "record", let position = Self.number(found[1]), let time = Self.number(found[2]) else {
                throw damaged("record \(chain.next) is not what was written", chain.next)
            }
            let row = RecordRow(
                position: position, time: time, kind: found[3], key: found[4], path: found[5], verb: found[6], payload: found[7])
            do { records.append(try chain.read(row, hash: found[8])) } catch {
                throw DRError(error.code, "\(file): \(error.message)", hint: error.hint, details: error.details)
            }
            rows.append((row, found[8]))
        }
        if let end, chain.next < end {
            throw damaged("the records end at \(chain.next) of \(end): record \(chain.next) is missing", chain.next)
        }
        if head != nil { try chain.finish(head: head) }
        self.rows = rows
        self.records = records
        isClosed = head != nil
        self.signature = signature
    }

    // As we write it and in no other way: hashes cover the number, not how it is spelt.
    private static func number(_ text: String) -> Int64? { Int64(text).flatMap { String($0) == text ? $0 : nil } }
}

extension SQLiteJournal {
    /// A run with all its records, verified. Throws `not-found`, `journal-damaged`.
    public func archive(of run: RunID) throws -> RunArchive {
        let records = try records(of: run)
        return try reading { database in
            let found = try verifiedHeader(of: run, database)
            let rows = records.map { (RecordRow($0.entry, position: $0.index, at: $0.time), $0.hash) }
            return RunArchive(header: found.header, headerText: found.text, start: found.start, rows: rows, records: records)
        }
    }

    /// The lines of an archive from a record on (with its first lines from 0), and where they end. Not verified: they were just written.
    public func lines(of run: RunID, from position: Int64) throws -> (text: String, count: Int64, hash: String) {
        try reading { database in
            let found = try verifiedHeader(of: run, database)
            var text = position == 0 ? RunArchive.first(run, found.text, found.start) : ""
            var (count, hash) = (position, found.start)
            let rows = try Row.fetchCursor(
                database, sql: "SELECT * FROM record WHERE run = ? AND position >= ? ORDER BY position", arguments: [run.text, position])
            while let row = try rows.next() {
                hash = try row.column("hash")
                text += RunArchive.line(try RecordRow(row), hash)
                count += 1
            }
            if count == position, let last = try Row.fetchOne(database, sql: "SELECT hash FROM head WHERE run = ?", arguments: [run.text]) {
                hash = try last.column("hash")
            }
            return (text, count, hash)
        }
    }

    /// The hash that a run's first `count` records end with, which says that all of them are the same; nil when it has fewer. Not verified: one row is read.
    public func hash(of run: RunID, after count: Int64) throws -> String? {
        try reading { database in
            if count == 0 { return try verifiedHeader(of: run, database).start }
            let row = try Row.fetchOne(
                database, sql: "SELECT hash FROM record WHERE run = ? AND position = ?", arguments: [run.text, count - 1])
            return try row.map { try $0.column("hash") }
        }
    }

    /// Takes a run from elsewhere into this journal, or what it has more of a run that is here; all of it or nothing. Returns how many records are new. Throws
    /// `conflict` where the two differ.
    public func take(_ archive: RunArchive) throws -> Int {
        let run = archive.header.id
        let here: [JournalRecord]?
        do { here = try records(of: run) } catch let error as DRError where error.code == .notFound { here = nil }
        for (own, other) in zip(here ?? [], archive.rows) where own.hash != other.hash {
            throw DRError(
                .conflict, "run \(run) is in the journal already, and record \(own.index) differs",
                hint: "`drrunbook show \(run)` tells what is here; nothing was taken", details: ["record": .integer(own.index)])
        }
        let new = archive.rows.dropFirst(here?.count ?? 0)
        try JournalFailure.mapped(path) {
            try database.write { database in
                if here == nil { try insert(archive.header.id, archive.headerText, database) }
                guard try verifiedHeader(of: run, database).start == archive.start else {
                    throw DRError(
                        .conflict, "run \(run) is in the journal already, and was started with something else",
                        hint: "`drrunbook show \(run)` tells what is here; nothing was taken")
                }
                let insertion = try database.cachedStatement(sql: Self.insertion)
                for (row, hash) in new { try insertion.execute(arguments: row.columns(of: run, hash: hash)) }
                if let last = new.last {
                    try database.execute(sql: Self.headUpdate, arguments: [last.row.position + 1, last.hash, run.text])
                }
                failpoint("journal.taken")
            }
        }
        return new.count
    }
}
