internal import DRActions
internal import DRJournal
internal import DRModel
internal import DROutside
internal import DRReplication
internal import DRSimulation
internal import DRSupport
internal import LuaBridge

/// A world in memory, and the runs that are made in it by the host's own code.
///
/// Everything happens on one executor, in virtual time: one seed gives one trace.
final class Simulation {
    let fixture: Fixture
    let world: SimulatedWorld
    let registry: ActionRegistry
    private let executor: ThreadExecutor
    private let journal = MemoryJournal()
    private let allowed: AllowedOutside
    private let told = ToldTexts()
    private(set) var runs: [SimulatedRun] = []
    private var voices: [Voice] = []
    private var heard: Set<String> = []
    /// Where the lines of runbooks that run are noted.
    var coverage: LuaCoverage?
    /// Where nobody else speaks, whoever may passes gates.
    var hasHelpfulPeople = false
    /// What a person does at a gate, in the order of the test.
    struct Voice {
        let gate: String
        let people: [String]
        let decision: Approval.Decision
        let after: Duration
        let comment: String?
        var isUsed = false
    }

    /// The executor's time is this simulation's from here on.
    init(_ fixture: Fixture, world: SimulatedWorld, registry: ActionRegistry, executor: ThreadExecutor) {
        self.fixture = fixture
        self.world = world
        self.registry = registry
        self.executor = executor
        let allowances = fixture.configuration.allow
        allowed = AllowedOutside(
            allowances: allowances, predicts: true, folder: fixture.configuration.folder, fingerprintKey: nil,
            memory: told, environment: { _ in "simulated" })
        let clock = world.clock
        executor.whenIdle { clock.wakeNext() }
    }

    /// A world as the fixture says, with what was done in it before: pairs and schedules set up, and a copy made.
    static func prepared(_ fixture: Fixture, seed: UInt64, registry: ActionRegistry, executor: ThreadExecutor) async throws -> Simulation {
        let world = try SimulatedSite.world(fixture, seed: seed)
        let simulation = Simulation(fixture, world: world, registry: registry, executor: executor)
        let host = simulation.host(world.process(isSpared: true))
        if fixture.isApplied { _ = try await host.apply(plan: false) }
        if let copied = fixture.copied {
            let end = fixture.now
            try await simulation.copyAll(host)
            let taken = world.clock.now() - (end - copied)
            world.clock.advance(by: copied - taken)
        }
        if let active = fixture.active { try await simulation.moveAll(host, to: active) }
        return simulation
    }

    /// One copy of everything that lives at its pair's source.
    func copyAll(_ host: Host) async throws {
        let engine = host.engine(over: host.world)
        for pair in fixture.configuration.inventory.pairs {
            let here = fixture.configuration.inventory.applications.map(\.name).filter {
                (world.holder(of: $0)?.cluster ?? SimulatedSite.home(world.inventory)) == pair.source
            }
            guard !here.isEmpty else { continue }
            let call = try host.observation("copy")
            _ = try await engine.migrate(MigrationOrder(pair: pair.name, applications: here), call)
            try await engine.release(run: call.holder.run)
        }
    }

    /// A planned move of everything, before the test.
    private func moveAll(_ host: Host, to cluster: ClusterName) async throws {
        let inventory = fixture.configuration.inventory, engine = host.engine(over: host.world)
        guard let pair = inventory.pairs.first(where: { $0.destination == cluster && $0.source == SimulatedSite.home(inventory) }) else {
            guard cluster == SimulatedSite.home(inventory) else {
                let known = inventory.clusters.map(\.text).filter { $0 != cluster.text }
                throw DRError(
                    .configuration,
                    "active: no pair leads from \(SimulatedSite.home(inventory)?.text ?? "home") to \(cluster)"
                        + Spelling.hint(for: cluster.text, in: known))
            }
            return
        }
        let call = try host.observation("move")
        func part(_ name: String) -> EngineCall { EngineCall(key: call.key.part(name), holder: call.holder, points: call.points) }
        let order = try Application.waves(inventory.applications).flatMap(\.self).map(\.name)
        for name in order.reversed() {
            _ = try await engine.stop(ApplicationOrder(pair: pair.name, application: name), part("stop/\(name)"))
        }
        _ = try await engine.migrate(MigrationOrder(pair: pair.name, applications: order, final: true), part("sync"))
        for name in order {
            _ = try await engine.activate(ActivationOrder(pair: pair.name, application: name, mode: .planned), part("start/\(name)"))
        }
        try await engine.release(run: call.holder.run)
    }

    /// A new life of a host. `person`: who sits at it.
    func host(_ process: SimulatedProcess, person: String = "operator") -> Host {
        let state = SimulatedState(
            journal: SimulatedJournal(journal, process), control: SimulatedControl(clock: world.clock),
            engine: { SimulatedEngine($0, process) }, coverage: coverage)
        return Host(
            fixture.configuration, registry,
            World(
                clusters: world.clusters(for: process), stores: world.stores(for: process), clock: world.clock, random: world.random,
                outside: SimulatedOutside(allowed, process, remember: told.remember), simulated: state),
            identity: HostIdentity(person: person, host: "desk-of-\(person)", process: process.number), executor: executor)
    }

    // MARK: Runs

    enum Mode: String { case live, drill }

    /// Runs a runbook to its end, to a gate where nobody speaks, or to where its process dies.
    func run(_ file: String, _ parameters: Value, _ mode: Mode) async throws -> SimulatedRun {
        let run = SimulatedRun(file: file, world: world)
        let process = world.process()
        let host = host(process)
        let report = try await living(run, process) { events in
            switch mode {
            case .live: return try await host.run(file, parameters: parameters, mayActivate: true, events: events)
            case .drill: return try await host.drill(file, parameters: parameters, events: events).report
            }
        }
        runs.append(run)
        try await goOn(run, report)
        return run
    }

    /// Takes a run up again in a new process.
    func resume(_ run: SimulatedRun, settled: Settlement? = nil) async throws {
        try await resume(run) { _ in settled }
    }

    /// `settling`: what became of each call outside whose answer was lost, by key.
    func resume(_ run: SimulatedRun, settling: (String) -> Settlement?) async throws {
        guard let id = run.id else { throw DRError(.notFound, "the run of \(run.file) ended before its first record") }
        try await goOn(run, try await resumed(run, id, settling))
    }

    private func resumed(_ run: SimulatedRun, _ id: RunID, _ settling: (String) -> Settlement?) async throws -> RunReport? {
        let process = world.process()
        let host = host(process)
        var answers: Settlements = [:]
        if let question = run.report?.error, question.code == .unknownOutcome {
            for key in Self.lostKeys(question) { answers[key] = settling(key) }
        }
        return try await living(run, process) { events in
            try await host.resume(id, mayActivate: true, settled: answers, events: events)
        }
    }

    static func lostKeys(_ question: DRError) -> [String] {
        question.details?["keys"].list?.compactMap(\.string) ?? question.details?["key"].string.map { [$0] } ?? []
    }

    // Nil: the process died.
    private func living(
        _ run: SimulatedRun, _ process: SimulatedProcess, _ body: (@escaping @Sendable (RunEvent) -> Void) async throws -> RunReport
    ) async throws -> RunReport? {
        let report: RunReport?
        do {
            report = try await body { run.hear($0) }
        } catch {
            guard process.isDead else { throw error }
            report = nil
        }
        // It has ended, by itself or not: nobody holds its locks.
        process.world.ended(process)
        run.finish(report)
        return report
    }

    // While it waits for people who speak, or for a window that opens.
    private func goOn(_ run: SimulatedRun, _ first: RunReport?) async throws {
        var report = first
        while let waiting = report, waiting.outcome == .waiting, let id = run.id {
            if case .instant(let opens)? = waiting.error?.details?["opens"], waiting.error?.details?["gate"].isNull ?? true {
                world.clock.advance(by: opens - world.clock.now())
            } else if try await !speak(run: id) {
                return
            }
            report = try await resumed(run, id) { _ in nil }
        }
    }

    // MARK: People

    func add(_ voice: Voice) { voices.append(voice) }
    var unusedVoices: [Voice] { voices.filter { !$0.isUsed } }
    /// Names of the gates at which runs stood.
    var gates: Set<String> {
        var names: Set<String> = []
        for run in runs {
            guard let all = try? records(of: run) else { continue }  // one that was refused has none
            for record in all where record.entry.kind == .intent && record.entry.verb == "approve" {
                if let name = record.entry.payload["name"].string { names.insert(name) }
            }
        }
        return names
    }

    // True: somebody said something.
    private func speak(run: RunID) async throws -> Bool {
        let open = try host(world.process(isSpared: true)).gates(of: run)
        for gate in open {
            // Nobody is there: it is refused when its time is over.
            guard gate.refusal == nil else { return true }
            if let known = try await trouble(at: gate, of: run) { return known }
            guard let index = voices.firstIndex(where: { !$0.isUsed && $0.gate == gate.name }) else { continue }
            voices[index].isUsed = true
            let voice = voices[index]
            world.clock.advance(by: voice.after)
            for person in voice.people {
                world.timeline.note(
                    "world", "\(person) \(voice.decision == .approve ? "approves" : "rejects") \(gate.name)", at: world.clock.now())
                do {
                    _ = try await host(world.process(isSpared: true), person: person).answer(
                        run, gate: gate.name, GateAnswer(voice.decision, person: person, comment: voice.comment))
                } catch let error as DRError where error.code == .conflict { break }
            }
            return true
        }
        guard hasHelpfulPeople, let gate = open.first else { return false }
        for person in try able(gate, of: run) { try await say(.approve, person, gate, run) }
        return true
    }

    // What was planned to go wrong here, the first time somebody looks: people say no, or nobody says anything until its time is over.
    private func trouble(at gate: OpenGate, of run: RunID) async throws -> Bool? {
        guard heard.insert("\(run)/\(gate.place)").inserted, let intent = try intent(of: gate, in: run) else { return nil }
        for fault in world.faults.strike(.action(ActionPlace(intent))) {
            world.timeline.note("fault", fault.text, at: world.clock.now())
            switch fault.kind {
            case .reject:
                try await say(.reject, try able(gate, of: run).first ?? "somebody", gate, run)
                return true
            case .timeout:
                if case .duration(let time) = intent.payload["timeout"] { world.clock.advance(by: time + .seconds(1)) }
                return true
            default: break
            }
        }
        return nil
    }

    private func intent(of gate: OpenGate, in run: RunID) throws -> JournalEntry? {
        try journal.records(of: run).last { $0.entry.kind == .intent && $0.entry.key == gate.place }?.entry
    }

    /// As many people as the gate asks for, of those who may.
    private func able(_ gate: OpenGate, of run: RunID) throws -> [String] {
        let input = try intent(of: gate, in: run)?.payload ?? .null
        let rules = fixture.configuration.approvals, quorum = Int(input["quorum"].integer ?? 1)
        var names = rules.people.isEmpty ? (1...max(1, quorum)).map { "person-\($0)" } : rules.people.map(\.name)
        if let groups = input["groups"].list?.compactMap(\.string), !groups.isEmpty {
            let members = Set(groups.flatMap { rules.groups[$0] ?? [] })
            names = rules.people.isEmpty ? members.sorted() : names.filter(members.contains)
        }
        return Array(names.prefix(quorum))
    }

    private func say(_ decision: Approval.Decision, _ person: String, _ gate: OpenGate, _ run: RunID) async throws {
        world.timeline.note("world", "\(person) \(decision == .approve ? "approves" : "rejects") \(gate.name)", at: world.clock.now())
        _ = try await host(world.process(isSpared: true), person: person).answer(run, gate: gate.name, GateAnswer(decision, person: person))
    }

    /// The gates at which a run stands.
    func gates(of run: SimulatedRun) throws -> [OpenGate] {
        guard let id = run.id, run.report?.outcome == .waiting else { return [] }
        return try host(world.process(isSpared: true)).gates(of: id)
    }

    /// What runs left behind that nobody needs: clones of drills, staged volumes, locks. One line each.
    func remains() -> [String] {
        var left: [String] = []
        for cluster in world.clusters.values.sorted(by: { $0.name < $1.name }) {
            for path in cluster.allDocuments.keys.sorted() where path.text.hasPrefix("drills/") || path.text.hasPrefix("state/drills/") {
                left.append("\(cluster.name) still has the drill \(path)")
            }
            if cluster.memory.left > 0 { left.append("\(cluster.name) still has \(cluster.memory.left) captures or staged volumes") }
        }
        return left
    }

    func records(of run: SimulatedRun) throws -> [JournalRecord] { try run.id.map { try journal.records(of: $0) } ?? [] }
}

/// A host that is never told to stop, and hears of its deadlines in virtual time.
struct SimulatedControl: RunControl {
    let clock: SimulatedClock

    func begun(_ run: RunID) throws {}

    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest? {
        // Cancelled when the run has ended before: then nobody waits for this answer.
        try? await clock.sleep(until: deadline)
        return nil
    }
}
