public import DRModel
internal import DRSupport

/// A journal that ends with the process: plans and tests record into it, so that they run the code a real run does.
public final class MemoryJournal: Journal, Sendable {
    private struct Run {
        let header: RunHeader
        /// Of the header.
        let hash: String
        var records: [JournalRecord] = []
    }

    private struct State {
        var order: [RunID] = []
        var runs: [RunID: Run] = [:]
    }

    private let state = Lock(State())

    public init() {}

    public func begin(_ header: RunHeader) throws {
        let text = try header.columnText
        try state.withLock { state in
            guard state.runs[header.id] == nil else { throw DRError(.conflict, "there is a run \(header.id) already") }
            let hash = RecordChain.start(run: header.id.text, header: text)
            state.order.append(header.id)
            state.runs[header.id] = Run(header: header, hash: hash)
        }
    }

    @discardableResult public func append(_ entries: [TimedEntry], to run: RunID) throws -> [JournalRecord] {
        try state.withLock { state in
            guard let place = state.runs.index(forKey: run) else {
                throw SQLiteJournal.noSuchRun(run, among: state.order.map(\.text))
            }
            let count = Int64(state.runs.values[place].records.count)
            let chained = RecordChain.continued(
                entries, of: run, from: count, previous: state.runs.values[place].records.last?.hash ?? state.runs.values[place].hash)
            let records = chained.map(\.record)
            // In its place: a copy taken out would copy all records with each one.
            state.runs.values[place].records += records
            return records
        }
    }

    public func header(of run: RunID) throws -> RunHeader { try found(run).header }

    public func records(of run: RunID) throws -> [JournalRecord] {
        try state.withLock { state in
            guard let place = state.runs.index(forKey: run) else { throw SQLiteJournal.noSuchRun(run, among: state.order.map(\.text)) }
            return state.runs.values[place].records
        }
    }

    public func runs() throws -> [RunSummary] {
        state.withLock { state in
            state.order.compactMap { state.runs[$0] }.map { run in
                RunSummary(
                    run.header,
                    last: run.records.last { $0.entry.kind != .approval }.map {
                        ($0.entry.kind.rawValue, $0.entry.payload.json(), $0.time.nanosecondsSince1970)
                    })
            }
        }
    }

    private func found(_ run: RunID) throws(DRError) -> Run {
        let (found, names) = state.withLock { ($0.runs[run], $0.order.map(\.text)) }
        guard let found else { throw SQLiteJournal.noSuchRun(run, among: names) }
        return found
    }
}
