import DRModel
import DRSupport
import Foundation
import Testing

@testable import DRActions

/// What outlives the processes that carry a run on.
private final class World {
    let runbook: GeneratedRunbook
    let clock = SteppedClock()
    let outside = RecordedOutside()
    let engine: RecordedEngine
    private let executor: ThreadExecutor
    private var numbers: SeededNumbers
    private var turns: UInt64 = 0
    private(set) var journal = ListJournal()

    init(_ runbook: GeneratedRunbook, seed: UInt64, _ executor: ThreadExecutor, journal: ListJournal = ListJournal()) {
        self.runbook = runbook
        self.executor = executor
        self.journal = journal
        numbers = SeededNumbers(seed &+ 77)
        engine = RecordedEngine(inventory: Stage.inventory, clock: clock)
    }

    /// The same run as it lies there after so many records, in a world where nothing else has happened and it is as late as then.
    func cut(after count: Int) async throws -> World {
        let world = World(runbook, seed: numbers.next(), executor, journal: journal.cut(after: count))
        if let last = try world.journal.records(of: "any").last { try await world.clock.sleep(for: last.time - world.clock.now()) }
        return world
    }

    private func runner(_ control: Pacemaker, _ journal: ListJournal) -> RunbookRunner {
        turns += 1
        return RunbookRunner(
            engine: engine, outside: outside, inventory: Stage.inventory, clock: clock, random: CountingRandom(from: numbers.next()),
            journal: journal, host: "here", process: Int32(turns), who: "test", control: control, executor: executor)
    }

    var entries: [JournalEntry] { journal.entries }
    var isOver: Bool { entries.last?.kind == .finished }
    var wasCancelled: Bool { entries.contains { $0.kind == .cancelled } }

    /// One process. `lasts`: how many records it lives to write; nil: until it ends by itself. Nil: it was killed.
    func carryOn(wishes: [(after: Int, kind: StopRequest.Kind)] = [], request: StopRequest.Kind? = nil, lasts: Int? = nil)
        async throws -> RunReport?
    {
        let pacemaker = Pacemaker(seed: numbers.next(), wishes: wishes, clock: clock)
        engine.state.withLock { $0.hold = { await pacemaker.hold() } }
        outside.state.withLock { $0.hold = { await pacemaker.hold() } }
        let count = journal.entries.count
        let written = journal.cut(after: count, capacity: lasts.map { count + $0 } ?? .max)
        defer { journal = written.cut(after: written.entries.count) }
        let runner = runner(pacemaker, written)
        do {
            guard written.isBegun else {
                return try await runner.run(RunOrder(sources: Stage.sources(runbook.text), who: "test"))
            }
            let id = try written.header(of: "any").id
            let wish = request.map { StopRequest($0, who: "bob") }
            let report = try await runner.resume(id, request: wish)
            guard report.error?.code == .unknownOutcome, report.outcome == .waiting else { return report }
            // Somebody looks, and says what is so.
            var settled: Settlements = [:]
            for key in report.error?.details?["keys"].list?.compactMap(\.string) ?? [] {
                let call = written.entries.first { $0.key == key && $0.kind == .intent }
                settled[key] = made.contains(call?.payload["argv"].list?.last?.string ?? "") ? .done : .notDone
            }
            return try await runner.resume(id, settled: settled, request: wish)
        } catch is ListJournal.Full {
            return nil
        }
    }

    /// Calls outside, in the order in which they were made.
    var made: [String] { outside.calls.map { String($0.dropFirst(3)) }.filter { $0 != "fails" } }

    /// What was asked of the engine, by key, apart from undos: those come in the order in which they were registered.
    var asked: [String: String] {
        Dictionary(
            engine.keys.filter { $0.key.hasSuffix("/do") }.map {
                ($0.key.split(separator: "/").dropFirst().joined(separator: "/"), $0.value)
            }
        ) { $1 }
    }

    /// Every record fits what the runbook asks for.
    func replays() async throws -> Bool {
        let header = try journal.header(of: "any")
        let records = try journal.records(of: "any")
        let runner = RunbookRunner(
            engine: engine, outside: outside, inventory: Stage.inventory, clock: clock, random: CountingRandom(), journal: ListJournal(),
            host: "here", process: 1, who: "test", executor: executor)
        return try await runner.replay(header, records, against: Stage.sources(runbook.text)) == records.count
    }

    /// What does not hold at the end; nil where all does.
    func finding(_ report: RunReport, wasWhole: Bool) -> String? {
        let said = "\(report.outcome) \(report.error?.message ?? "")"
        if let conflict = engine.state.withLock({ $0.conflicts.first }) { return "one key, two calls: \(conflict)" }
        let made = made
        if wasWhole, Set(made).count != made.count { return "made twice: \(made.sorted())" }
        let end = entries.firstIndex { $0.kind == .cancelled } ?? entries.count
        if wasCancelled {
            guard [.stopped, .partial].contains(report.outcome) else { return "it was to be undone, and ended \(said)" }
        } else {
            guard report.outcome == (runbook.fails ? .failed : .succeeded) else { return "it ended \(said)" }
            let missing = runbook.calls.subtracting(made)
            if wasWhole, !missing.isEmpty { return "never made: \(missing.sorted())" }
        }
        // What the script knows of owes its undo, and nothing else does.
        let heard = entries[..<end].filter { $0.kind == .outcome && $0.payload["error"].isNull }.map(\.key)
        let names = entries.filter { $0.kind == .intent && heard.contains($0.key) }.compactMap { $0.payload["argv"].list?.last?.string }
        let owed = wasCancelled || runbook.fails ? runbook.owing.intersection(names) : []
        let done = Set(entries.filter { $0.kind == .outcome && $0.payload["error"].isNull }.map(\.key))
        let undone = Set(
            entries.filter { $0.kind == .intent && $0.verb == "suspend_schedule" && done.contains($0.key) }.compactMap {
                $0.payload["name"].string
            })
        return owed == undone ? nil : "owed \(owed.sorted()), undone \(undone.sorted())"
    }
}

@Suite struct InterruptionTests {
    /// How a process ends before its run does.
    private enum Interruption: CaseIterable { case hold, pause, deadline, undo, undoAfterPause, kill, twoKills, undoneFromRecord }

    private static let seeds: ClosedRange<UInt64> = {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["DRRUNBOOK_SEED"].flatMap { UInt64($0) } ?? 1
        return first...first + (environment["DRRUNBOOK_SEEDS"].flatMap { UInt64($0) } ?? 200) - 1
    }()

    private func interrupt(_ world: World, _ kind: Interruption, _ numbers: inout SeededNumbers) async throws {
        let after = numbers.below(8)
        switch kind {
        case .hold: _ = try await world.carryOn(wishes: [(after, .hold)])
        case .pause: _ = try await world.carryOn(wishes: [(after, .pause)])
        case .deadline: _ = try await world.carryOn(wishes: [(after, .deadline)])
        case .undo: _ = try await world.carryOn(wishes: [(after, .undo)])
        case .undoAfterPause: _ = try await world.carryOn(wishes: [(after, .pause), (after + numbers.below(3), .undo)])
        case .kill: _ = try await world.carryOn(lasts: numbers.below(20))
        case .twoKills:
            _ = try await world.carryOn(lasts: 2 + numbers.below(14))
            if !world.isOver { _ = try await world.carryOn(lasts: numbers.below(6)) }
        case .undoneFromRecord: _ = try await world.carryOn(request: .undo)
        }
    }

    /// As it lies there after a record: carried on, or undone. Nil, or what was found.
    private func cut(_ world: World, after count: Int, _ request: StopRequest.Kind?) async throws -> String? {
        let told = "cut after \(count) of \(world.entries.count)\(request == nil ? "" : ", undone")"
        do {
            let again = try await world.cut(after: count)
            guard let report = try await again.carryOn(request: request), again.isOver else { return "\(told): it does not end" }
            if request == .undo, !again.wasCancelled, !again.runbook.fails { return "\(told): it ended \(report.outcome)" }
            let forward = Set(again.made).subtracting(again.runbook.closing)
            if request == .undo, !again.runbook.fails, !forward.isEmpty { return "\(told): it went on with \(forward.sorted())" }
            if let finding = again.finding(report, wasWhole: false) { return "\(told): \(finding)" }
            return try await again.replays() ? nil : "\(told): it does not replay"
        } catch {
            return "\(told): \((error as? DRError)?.message ?? "\(error)")"
        }
    }

    /// Nil, or what was found.
    private func look(at seed: UInt64, _ executor: ThreadExecutor) async -> String? {
        var numbers = SeededNumbers(seed &+ 1_000_000)
        let world = World(GeneratedRunbook(seed: seed), seed: seed, executor)
        var told: [String] = []
        do {
            for turn in 0...numbers.below(3) where !world.isOver {
                let kind = numbers.pick(Interruption.allCases.filter { turn > 0 || $0 != .undoneFromRecord })
                told.append("\(kind)")
                try await interrupt(world, kind, &numbers)
            }
            if !world.isOver {
                told.append("to its end")
                guard let report = try await world.carryOn(), world.isOver else { return "\(told): it does not end" }
                if let finding = world.finding(report, wasWhole: true) { return "\(told): \(finding)" }
                let whole = World(world.runbook, seed: seed &+ 5, executor)
                _ = try await whole.carryOn()
                guard world.wasCancelled || world.asked == whole.asked else { return "\(told): it ends where no whole run does" }
            }
            guard try await world.replays() else { return "\(told): it does not replay" }
            for request in [nil, StopRequest.Kind.undo] {
                if let finding = try await cut(world, after: numbers.below(world.entries.count), request) { return "\(told): \(finding)" }
            }
            return nil
        } catch {
            return "\(told): \((error as? DRError)?.message ?? "\(error)")"
        }
    }

    @Test
    func `G2 G12 a run that is put down, killed, reaches its deadline or is undone at any instant is resumed and undone from any record`()
        async
    {
        let executor = ThreadExecutor(name: "interruptions")
        defer { executor.stop() }
        var findings: [String] = []
        for seed in Self.seeds where findings.count < 20 {
            if let finding = await look(at: seed, executor) { findings.append("seed \(seed): \(finding)") }
        }
        #expect(findings.isEmpty, "\(findings.joined(separator: "\n"))")
    }

    private static func calls(_ name: String) -> String {
        ["1", "2"].map { number in
            let name = #"\#(name) .. "\#(number)""#
            return
                "dr.exec { argv = { \"do\", \(name) } } dr.undo(function() dr.suspend_schedule { name = \(name) } end, { name = \(name) })"
        }.joined(separator: "\n")
    }

    private static func names(_ names: [String]) -> Set<String> { Set(names.flatMap { [$0 + "1", $0 + "2"] }) }

    /// Two branches, each of which asks for more when it has heard its answer; and items of which the next one begins when one has ended.
    private static let branches = [
        GeneratedRunbook(
            text: "dr.parallel { function() \(calls(#""a""#)) end, function() \(calls(#""b""#)) end }\ndr.log('through')",
            calls: names(["a", "b"]), owing: names(["a", "b"])),
        GeneratedRunbook(
            text: """
                dr.in_order({ { name = "a" }, { name = "b" }, { name = "c" }, { name = "d" } }, { parallel = 2 }, function(item)
                  \(calls("item.name"))
                end)
                """,
            calls: names(["a", "b", "c", "d"]), owing: names(["a", "b", "c", "d"])),
    ]

    @Test(arguments: ["hold", "pause", "deadline", "undo after a pause", "two lost answers settled, killed again"], [0, 1])
    func `G2 G12 with two calls in flight a run is put down, killed or undone, and from every record it goes on or is undone`(
        kind: String, number: Int
    ) async throws {
        let executor = ThreadExecutor(name: "interruptions")
        defer { executor.stop() }
        let world = World(Self.branches[number], seed: 1, executor)
        switch kind {
        case "hold": _ = try await world.carryOn(wishes: [(0, .hold)])
        case "pause": _ = try await world.carryOn(wishes: [(0, .pause)])
        case "deadline": _ = try await world.carryOn(wishes: [(0, .deadline)])
        case "undo after a pause": _ = try await world.carryOn(wishes: [(0, .pause), (1, .undo)])
        default:
            #expect(try await world.carryOn(lasts: 2) == nil)
            #expect(try await world.carryOn(lasts: 5) == nil)
        }
        if kind != "undo after a pause" { #expect(world.entries.count { $0.kind == .outcome } == 2, "\(world.entries.map(\.kind))") }
        if !world.isOver { _ = try await world.carryOn() }
        #expect(world.isOver)
        #expect(try await world.replays())
        for count in 0..<world.entries.count {
            for request in [nil, StopRequest.Kind.undo] {
                if let finding = try await cut(world, after: count, request) { Issue.record("\(finding)") }
            }
        }
    }

    @Test(arguments: [
        "", #"dr.log("copied")"#, "dr.results { copied = true }", "dr.now()",
        "dr.finally(function() dr.migrate { pair = 'east-west', applications = { 'ledger' } } dr.log('the end') end)",
    ])
    func `G2 G12 a run that is undone before its end stands in the record does not succeed, wherever it was killed`(trailing: String)
        async throws
    {
        let executor = ThreadExecutor(name: "interruptions")
        defer { executor.stop() }
        let text = """
            dr.exec { argv = { "do", "a" } } dr.undo(function() dr.suspend_schedule { name = "a" } end)
            dr.migrate { pair = "east-west", applications = { "ledger" } }
            \(trailing)
            """
        let world = World(GeneratedRunbook(text: text, calls: ["a"], owing: ["a"]), seed: 1, executor)
        #expect(try await world.carryOn()?.outcome == .succeeded)
        for count in 0..<world.entries.count {
            if let finding = try await cut(world, after: count, .undo) { Issue.record("\(finding)") }
            let undone = try await world.cut(after: count)
            _ = try await undone.carryOn(request: .undo)
            for count in 0..<undone.entries.count {
                if let finding = try await cut(undone, after: count, .undo) { Issue.record("undone, \(finding)") }
            }
        }
    }
}
