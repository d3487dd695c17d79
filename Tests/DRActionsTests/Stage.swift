import DRActions
import DRModel
import DRSupport

/// A clock that only `sleep` moves.
final class SteppedClock: WallClock {
    private let time = Lock<Instant>(Instant(nanosecondsSince1970: 1_767_225_600_000_000_000))
    func now() -> Instant { time.withLock { $0 } }
    func sleep(for duration: Duration) async throws { time.withLock { $0 = $0 + duration } }
}

final class CountingRandom: RandomSource {
    private let number: Lock<UInt64>
    init(from start: UInt64 = 1) { number = Lock(start) }
    func next() -> UInt64 {
        number.withLock { number in
            number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return number
        }
    }
}

/// A journal in memory that can be cut off after any record, as a killed process leaves it.
final class ListJournal: Journal {
    struct State {
        var header: RunHeader?
        var records: [JournalRecord] = []
        /// How many records each commit brought.
        var commits: [Int] = []
        /// How often all of them were read.
        var reads = 0
    }
    struct Full: Error {}

    private let state: Lock<State>
    private let capacity: Int

    init(_ state: State = State(), capacity: Int = .max) {
        self.state = Lock(state)
        self.capacity = capacity
    }

    func begin(_ header: RunHeader) throws { state.withLock { $0.header = header } }

    func append(_ entries: [TimedEntry], to run: RunID) throws -> [JournalRecord] {
        let records: [JournalRecord]? = state.withLock { state in
            guard state.records.count + entries.count <= capacity else { return nil }
            let first = Int64(state.records.count)
            let new = entries.enumerated().map {
                JournalRecord(index: first + Int64($0.offset), time: $0.element.time, entry: $0.element.entry, hash: "")
            }
            state.records += new
            state.commits.append(new.count)
            return new
        }
        guard let records else { throw Full() }
        return records
    }

    func header(of run: RunID) throws -> RunHeader {
        guard let header = state.withLock({ $0.header }) else { throw DRError(.notFound, "no run") }
        return header
    }

    func records(of run: RunID) throws -> [JournalRecord] {
        state.withLock { state in
            state.reads += 1
            return state.records
        }
    }
    var reads: Int { state.withLock { $0.reads } }
    func runs() throws -> [RunSummary] { [] }

    var entries: [JournalEntry] { state.withLock { $0.records.map(\.entry) } }
    var commits: [Int] { state.withLock { $0.commits } }

    /// What lies on disk after the first `count` records.
    func cut(after count: Int, capacity: Int = .max) -> ListJournal {
        let state = state.withLock { $0 }
        return ListJournal(State(header: state.header, records: Array(state.records.prefix(count))), capacity: capacity)
    }

    var isBegun: Bool { state.withLock { $0.header != nil } }

    func replacing(text: String) -> ListJournal {
        let state = state.withLock { $0 }
        guard var header = state.header else { return self }
        header.texts[header.runbook] = text
        return ListJournal(State(header: header, records: state.records))
    }
}

/// Everything a runbook needs, in memory.
struct Stage {
    static let inventory = Inventory(
        clusters: ["east", "west"], objectStores: ["vault"],
        applications: [
            Application(name: "ledger", namespaces: ["shop-db"], rto: .seconds(300), rpo: .seconds(900)),
            Application(name: "storefront", namespaces: ["shop-web"], after: ["ledger"]),
        ],
        pairs: [ClusterPair(name: "east-west", source: "east", destination: "west", objectStore: "vault", bothWays: true)])

    let clock = SteppedClock()
    let engine: RecordedEngine
    let outside: RecordedOutside
    let runningAs: RunningAs
    let journal: ListJournal
    let events = Lock<[RunEvent]>([])

    init(
        failures: [String: DRError] = [:], journal: ListJournal = ListJournal(), outside: RecordedOutside = RecordedOutside(),
        runningAs: RunningAs = .live
    ) {
        self.outside = outside
        self.runningAs = runningAs
        engine = RecordedEngine(inventory: Self.inventory, clock: clock, failures: failures)
        self.journal = journal
    }

    func runner(
        limits: RunLimits = RunLimits(), random: UInt64 = 1, control: (any RunControl)? = nil, mirror: (any RunMirror)? = nil,
        rest: @escaping @Sendable (RunHeader, [TimedEntry]) async throws -> RunReport = { _, _ in
            throw DRError(.internal, "the stage plans nothing")
        },
        hears: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) -> RunbookRunner {
        let events = events
        return RunbookRunner(
            engine: engine, outside: outside, runningAs: runningAs, inventory: Self.inventory, clock: clock,
            random: CountingRandom(from: random), journal: journal, limits: limits,
            host: "here", process: 1, who: "test", control: control, mirror: mirror, rest: rest, executor: ThreadExecutor(name: "runbook")
        ) { event in
            events.withLock { $0.append(event) }
            hears(event)
        }
    }

    func run(_ body: String, parameters: Value = [:], declared: String = "{}") async throws -> RunReport {
        try await runner().run(RunOrder(sources: Self.sources(body, declared: declared), parameters: parameters, who: "test"))
    }

    func resume(settled: Settlements = [:]) async throws -> RunReport {
        let id = try journal.header(of: "any").id
        return try await runner(random: 99).resume(id, settled: settled)
    }

    /// The body of `run`, from line 5 of test.lua on.
    static func sources(_ body: String, declared: String = "{}") -> RunbookSources {
        let text = """
            return dr.runbook {
              name = "test",
              params = \(declared),
              run = function(p)
            \(body)
              end,
            }
            """
        return RunbookSources(main: .init(file: "test.lua", text: text))
    }

    var logs: [String] {
        events.withLock { events in
            events.compactMap { if case .log(let text, _) = $0.kind { text } else { nil } }
        }
    }
}
