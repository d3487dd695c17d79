public import DRActions
public import DRModel
internal import DRSimulation
internal import DRSupport

/// Tries a runbook under faults, in worlds in memory: every action with every fault, one or two at a time, and branches in many orders.
public struct RunbookExplorer: Sendable {
    public var faults = 1
    /// Of everything that is chance; or the seed of a finding, which is then run alone.
    public var seed: Int64 = 0
    /// The most schedules that are run.
    public var limit = 4000
    /// It ends when so much was found.
    public var enough = 50

    private let fixture: Fixture
    private let notes: [String]
    private let registry: ActionRegistry

    /// The world of dr.yaml, with what lies at its sites.
    public init(_ host: Host) async throws {
        (fixture, notes) = try await WorldSnapshot.take(host)
        registry = host.registry
    }

    /// A world that a fixture describes.
    public init(fixture path: String, configuration: Configuration?, registry: ActionRegistry = .standard) throws {
        fixture = try Fixture.load(PathText.absolute(path, in: PathText.workingFolder), shown: path, base: configuration)
        notes = ["the world is that of \(path)"]
        self.registry = registry
    }

    /// Throws what is wrong with the runbook before it is run.
    public func explore(_ runbook: String, parameters: Value = [:], tell: @escaping @Sendable (Finding) -> Void = { _ in }) async throws
        -> Exploration
    {
        let stage = ExplorationStage()
        defer { stage.stop() }
        return try await stage.explore(self, runbook, parameters, tell)
    }

    /// A world for an exploration, and what was assumed of it.
    struct Start {
        let template: Simulation
        let base: ExploredRun
        let notes: [String]
    }

    // Where the runbook does something: in the world as it is, in one whose source is lost, or in one whose applications were moved.
    func start(_ file: String, _ parameters: Value, executor: ThreadExecutor) async throws -> Start {
        let none = FaultSchedule(faults: [], numbers: [], pace: 0)
        var template = try await Simulation.prepared(fixture, seed: 0, registry: registry, executor: executor)
        var base = try await ExploredRun.perform(none, file, parameters, in: template, executor: executor)
        var notes = notes
        if base.usesDisaster, let lost = fixture.configuration.inventory.pairs.first?.source {
            template.world.lose(lost.text, power: true)
            notes.append("\(lost) is lost when the run begins, because the runbook says so")
            base = try await ExploredRun.perform(none, file, parameters, in: template, executor: executor)
        } else if base.run.effects.isEmpty, ["succeeded", "refused", "failed"].contains(base.outcome),
            let other = fixture.configuration.inventory.pairs.first?.destination,
            fixture.active == nil
        {
            var moved = fixture
            moved.active = other
            let there = try await Simulation.prepared(moved, seed: 0, registry: registry, executor: executor)
            let run = try await ExploredRun.perform(none, file, parameters, in: there, executor: executor)
            let isFound = base.outcome == "succeeded" ? !run.run.effects.isEmpty : ["succeeded", "target-missed"].contains(run.outcome)
            if isFound {
                notes.append("all applications live at \(other) when the run begins, because the runbook does nothing otherwise")
                (template, base) = (there, run)
            }
        }
        return Start(template: template, base: base, notes: notes)
    }
}

/// The thread of an exploration.
actor ExplorationStage {
    private nonisolated let executor = ThreadExecutor(name: "dr-explore")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    nonisolated func stop() { executor.stop() }

    func explore(
        _ explorer: RunbookExplorer, _ file: String, _ parameters: Value, _ tell: @escaping @Sendable (Finding) -> Void
    ) async throws -> Exploration {
        try await withTaskExecutorPreference(executor) {
            let start = try await explorer.start(file, parameters, executor: executor)
            let host = start.template.host(start.template.world.process(isSpared: true))
            let search = Search(
                start: start, file: file, parameters: parameters, executor: executor,
                judgement: Judgement(inventory: host.configuration.inventory, runbook: try await host.inspect(file), base: start.base),
                tell: tell)
            if explorer.seed >= FaultSchedule.faultless {
                try await search.replay(explorer.seed)
            } else {
                search.limit = explorer.limit
                search.enough = explorer.enough
                try await search.all(faults: explorer.faults, pace: explorer.seed)
            }
            executor.whenIdle(nil)
            return Exploration(findings: search.findings, schedules: search.count, known: search.known, notes: start.notes)
        }
    }
}

/// The schedules of one exploration, the shortest first.
final class Search {
    private let start: RunbookExplorer.Start
    private let file: String
    private let parameters: Value
    private let executor: ThreadExecutor
    private let judgement: Judgement
    private let tell: @Sendable (Finding) -> Void
    private(set) var findings: [Finding] = []
    private(set) var count = 0
    var limit = Int.max
    var enough = Int.max
    private var goesOn: Bool { count < limit && findings.count < enough }
    private(set) var known = 0
    private var seen: Set<String> = []

    init(
        start: RunbookExplorer.Start, file: String, parameters: Value, executor: ThreadExecutor, judgement: Judgement,
        tell: @escaping @Sendable (Finding) -> Void
    ) {
        self.start = start
        self.file = file
        self.parameters = parameters
        self.executor = executor
        self.judgement = judgement
        self.tell = tell
    }

    private static let orders = 24

    /// What can go wrong in a run that was seen: its actions, its records, its changes of clusters.
    static func offered(by explored: ExploredRun) -> [Fault] { FaultChoice.faults(explored.records, commits: explored.commits) }

    private var choices: [Fault] { Self.offered(by: start.base) }

    func all(faults: Int, pace: Int64) async throws {
        let base = start.base
        guard ["succeeded", "target-missed"].contains(base.outcome) else {
            keep(.faultFree, "without any fault the run ends \(base.outcome)" + (base.report?.error.map { ": \($0.message)" } ?? ""), base)
            return
        }
        // Branches meet in other orders when things take another time.
        let branches = base.records.contains { $0.entry.key.split(separator: "/").first?.contains(".") == true }
        let paces = branches ? (0..<Int64(Self.orders)).map { pace + $0 } : [pace]
        known += paces.count
        for pace in paces where goesOn { _ = try await run([], [], pace) }
        let choices = choices
        known += choices.count
        var offers: [(number: Int, fault: Fault, next: [Fault])] = []
        for (index, fault) in choices.enumerated() where goesOn {
            let explored = try await run([fault], [index + 1], pace)
            offers.append((index + 1, fault, explored.map { Self.offered(by: $0) } ?? []))
        }
        if branches {
            known += choices.count { $0.at.hasPrefix("=") }
            for (index, fault) in choices.enumerated() where goesOn && fault.at.hasPrefix("=") {
                _ = try await run([fault], [index + 1], pace + 1)
            }
        }
        guard faults > 1 else { return }
        try await pairs(offers, choices, pace)
    }

    // A few of each first fault's before the next round, so that a limit cuts evenly.
    private func pairs(
        _ offers: [(number: Int, fault: Fault, next: [Fault])], _ choices: [Fault], _ pace: Int64
    ) async throws {
        known += offers.reduce(0) { $0 + min(4095, $1.next.count) }
        let random = SeededRandom(seed: UInt64(pace) &+ 17)
        var left = offers.map { offer in (offer, order: shuffled(min(4095, offer.next.count), random)) }
        while goesOn, left.contains(where: { !$0.order.isEmpty }) {
            for index in left.indices where goesOn {
                guard let number = left[index].order.popLast() else { continue }
                let (first, second) = (left[index].0, left[index].0.next[number - 1])
                guard second != first.fault else { continue }
                let explored = try await run([first.fault, second], [first.number, number], pace, quietly: true)
                guard let explored else { continue }
                try await settle(explored, first, second, choices, pace)
            }
        }
    }

    // What the second fault alone does is no finding of two.
    private func settle(
        _ explored: ExploredRun, _ first: (number: Int, fault: Fault, next: [Fault]), _ second: Fault, _ choices: [Fault], _ pace: Int64
    ) async throws {
        for (invariant, message) in judgement.findings(explored) where !seen.contains(Self.kind(invariant, message)) {
            if let alone = choices.firstIndex(of: second), let shorter = try await run([second], [alone + 1], pace, quietly: true),
                let same = judgement.findings(shorter).first(where: { Self.kind($0.0, $0.1) == Self.kind(invariant, message) })
            {
                keep(same.0, same.1, shorter)
            } else {
                keep(invariant, message, explored)
            }
        }
    }

    func replay(_ seed: Int64) async throws {
        let (numbers, pace) = FaultSchedule.read(seed)
        let choices = choices
        guard let first = numbers.first, choices.indices.contains(first - 1) else { throw Self.noSuchSeed(seed) }
        if numbers.count == 1 {
            _ = try await run([choices[first - 1]], numbers, pace)
        } else {
            let explored = try await run([choices[first - 1]], [first], pace, quietly: true)
            let next = explored.map { Self.offered(by: $0) } ?? []
            guard next.indices.contains(numbers[1] - 1) else { throw Self.noSuchSeed(seed) }
            _ = try await run([choices[first - 1], next[numbers[1] - 1]], numbers, pace)
        }
    }

    private static func noSuchSeed(_ seed: Int64) -> DRError {
        DRError(
            .invalidInput, "--seed \(seed): no schedule of this runbook has this seed",
            hint: "seeds of findings hold for the runbook, its parameters and the world they were found with")
    }

    // Nil: nothing was recorded.
    private func run(_ faults: [Fault], _ numbers: [Int], _ pace: Int64, quietly: Bool = false) async throws -> ExploredRun? {
        count += 1
        let explored = try await ExploredRun.perform(
            FaultSchedule(faults: faults, numbers: numbers, pace: pace), file, parameters, in: start.template, executor: executor)
        if !quietly { for (invariant, message) in judgement.findings(explored) { keep(invariant, message, explored) } }
        return explored
    }

    private func keep(_ invariant: Invariant, _ message: String, _ explored: ExploredRun) {
        guard seen.insert(Self.kind(invariant, message)).inserted else { return }
        let finding = Finding(
            invariant: invariant, message: message, seed: explored.schedule.seed, schedule: explored.schedule.faults.map(\.text),
            timeline: explored.timeline, trace: explored.trace)
        findings.append(finding)
        tell(finding)
    }

    // Findings that differ in figures alone are one.
    private static func kind(_ invariant: Invariant, _ message: String) -> String {
        "\(invariant.rawValue) " + String(message.map { $0.isNumber ? "#" : $0 })
    }

    private func shuffled(_ count: Int, _ random: SeededRandom) -> [Int] {
        var numbers = Array(0..<count).map { $0 + 1 }
        for index in numbers.indices.dropFirst().reversed() { numbers.swapAt(index, Int(random.next() % UInt64(index + 1))) }
        return numbers
    }
}
