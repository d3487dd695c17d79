internal import DRModel
internal import DRSupport

/// The chain of hashes: every column of every row goes into its row's hash, together with the hash of the row before.
///
/// A field is written as its length in bytes, a colon and its bytes, so that no two rows give the same text. See docs/decisions/journal.md.
enum RecordChain {
    /// Names the layout; a changed layout gets a new name.
    static let version = "drrunbook-journal-2"

    /// What a run's records begin with: of itself alone, so that it is the same in any journal.
    static func start(run id: String, header: String) -> String { hash(["run", id, header]) }

    /// A run's place among the runs of one journal.
    static func link(number: Int64, previous: String, start: String) -> String { hash(["link", String(number), previous, start]) }

    static func hash(_ record: RecordRow, run id: String, previous: String) -> String {
        hash([
            "record", previous, id, String(record.position), String(record.time), record.kind, record.key, record.path, record.verb,
            record.payload,
        ])
    }

    /// Entries as the next records of a run, in their order.
    static func continued(
        _ entries: [TimedEntry], of run: RunID, from position: Int64, previous: String
    ) -> [(row: RecordRow, record: JournalRecord)] {
        var (position, hash) = (position, previous)
        return entries.map { timed in
            let row = RecordRow(timed.entry, position: position, at: timed.time)
            hash = Self.hash(row, run: run.text, previous: hash)
            position += 1
            return (row, JournalRecord(index: row.position, time: timed.time, entry: timed.entry, hash: hash))
        }
    }

    private static func hash(_ fields: [String]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(fields.reduce(64) { $0 + $1.utf8.count + 8 })
        func add(_ field: String) {
            bytes += String(field.utf8.count).utf8
            bytes.append(UInt8(ascii: ":"))
            bytes += field.utf8
        }
        add(version)
        for field in fields { add(field) }
        return Digest.hex(of: bytes)
    }
}

/// A record as its columns hold it.
struct RecordRow {
    let position: Int64
    /// Nanoseconds since 1970.
    let time: Int64
    let kind: String
    let key: String
    /// A JSON list of strings.
    let path: String
    let verb: String
    /// Tagged JSON.
    let payload: String

    init(position: Int64, time: Int64, kind: String, key: String, path: String, verb: String, payload: String) {
        self.position = position
        self.time = time
        self.kind = kind
        self.key = key
        self.path = path
        self.verb = verb
        self.payload = payload
    }

    init(_ entry: JournalEntry, position: Int64, at time: Instant) {
        self.init(
            position: position, time: time.nanosecondsSince1970, kind: entry.kind.rawValue, key: entry.key,
            path: Value.list(entry.path.map(Value.string)).json(), verb: entry.verb, payload: entry.payload.json())
    }

    /// Nil when the columns hold what no record can hold.
    var entry: JournalEntry? {
        guard let kind = JournalEntry.Kind(rawValue: kind), let path = try? Value(json: path).list, let payload = try? Value(json: payload)
        else { return nil }
        return JournalEntry(kind, key: key, path: path.compactMap(\.string), verb: verb, payload: payload)
    }
}

/// Reads a run's rows one after the other and refuses the first that does not continue the chain.
struct ChainReader {
    let run: RunID
    private(set) var hash: String
    private(set) var next: Int64

    init(run: RunID, start headerHash: String) {
        self.run = run
        hash = headerHash
        next = 0
    }

    /// `known`: a record that was read before, and all before it.
    init(run: RunID, after known: JournalRecord) {
        self.run = run
        hash = known.hash
        next = known.index + 1
    }

    mutating func read(_ row: RecordRow, hash stored: String) throws(DRError) -> JournalRecord {
        guard row.position == next else {
            throw JournalDamage.error(
                run, row.position > next ? "record \(next) is missing" : "record \(row.position) is out of order", next)
        }
        let isWhole = RecordChain.hash(row, run: run.text, previous: hash) == stored
        if isWhole, JournalEntry.Kind(rawValue: row.kind) == nil { throw JournalDamage.later(run, row) }
        guard isWhole, let entry = row.entry else { throw JournalDamage.error(run, "record \(next) is not what was written", next) }
        hash = stored
        next += 1
        return JournalRecord(index: row.position, time: Instant(nanosecondsSince1970: row.time), entry: entry, hash: stored)
    }

    /// `head`: how many records were written and the hash of the last one, as noted with each append.
    func finish(head: (count: Int64, hash: String)?) throws(DRError) {
        guard let head else { throw JournalDamage.error(run, "the note of its last record is missing", next) }
        if head.count > next {
            throw JournalDamage.error(run, "the records end at \(next) of \(head.count): record \(next) is missing", next)
        }
        guard head.count == next, head.hash == hash else {
            throw JournalDamage.error(run, "the last record is not the one that was noted", max(0, next - 1))
        }
    }
}

enum JournalDamage {
    /// It is as it was written, and by whom this program does not follow.
    static func later(_ run: RunID, _ row: RecordRow) -> DRError {
        DRError(
            .configuration, "record \(row.position) of run \(run) is of a kind that this drrunbook does not know: \(row.kind)",
            hint: "a later one wrote it: use that one", details: ["run": .string(run.text), "record": .integer(row.position)])
    }

    /// `record`: the index of the first bad record; nil = the run's header.
    static func error(_ run: RunID, _ what: String, _ record: Int64?) -> DRError {
        DRError(
            .journalDamaged, "the journal of run \(run) is damaged: \(what)",
            hint:
                "the records before it are as they were written. Where a cluster has a whole copy, a host whose `state` does not have this run takes it over "
                + "with `drrunbook resume \(run)`; else `drrunbook stop \(run) --abandon REASON` lets its locks go. `drrunbook status` says where each application is",
            details: ["run": .string(run.text), "record": record.map(Value.integer) ?? .null])
    }
}
