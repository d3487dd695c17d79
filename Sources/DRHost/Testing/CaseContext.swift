internal import DRActions
internal import DRModel
internal import DRSimulation
internal import DRSupport
internal import LuaBridge

/// One case of a test while it runs: its world, once it has one, and what its `sim` and `t` functions share.
final class CaseContext {
    /// The folder that runbooks and fixtures are looked for in: the test's.
    let folder: String
    let shownFolder: String
    let base: Configuration?
    let registry: ActionRegistry
    let executor: ThreadExecutor
    private let coverage: LuaCoverage?
    private(set) var current: Simulation?
    /// Counted in faults that a case does not insist on.
    var optional: Set<Fault> = []
    private var writes = 0

    init(file: String, base: Configuration?, registry: ActionRegistry, executor: ThreadExecutor, coverage: LuaCoverage? = nil) {
        let path = PathText.absolute(file, in: PathText.workingFolder)
        folder = PathText.folder(of: path)
        shownFolder = file.contains("/") ? PathText.folder(of: file) + "/" : ""
        self.base = base
        self.registry = registry
        self.executor = executor
        self.coverage = coverage
    }

    /// Made up from dr.yaml where the case has loaded none.
    func simulation() async throws -> Simulation {
        if let current { return current }
        guard let base else {
            throw DRError(
                .invalidInput, "this case has no world: there is no dr.yaml, and nothing was loaded",
                hint: "sim:load \"fixtures/shop.yaml\", or sim:world{ clusters = ..., applications = ... }")
        }
        var fixture = Fixture(base)
        fixture.copied = .seconds(300)
        return try await begin(fixture)
    }

    @discardableResult func begin(_ fixture: Fixture, seed: UInt64 = 0) async throws -> Simulation {
        guard current == nil else { throw DRError(.invalidInput, "a case has one world, and this one has its own already") }
        let made = try await Simulation.prepared(fixture, seed: seed, registry: registry, executor: executor)
        made.coverage = coverage
        current = made
        return made
    }

    func load(_ name: String) async throws {
        try await begin(
            try Fixture.load(
                PathText.absolute(name, in: folder), shown: shownFolder + name, base: base,
                hint: "its path begins at the folder of the test"))
    }

    func application(_ name: String) async throws -> Application {
        let known = try await simulation().fixture.configuration.inventory.applications
        guard let found = known.first(where: { $0.name.text == name }) else {
            throw DRError.unknown("application", name, among: known.map(\.name.text))
        }
        return found
    }

    /// A store, or a cluster; throws `unknown-name` for anything else.
    func isStore(_ name: String) async throws -> Bool {
        let world = try await simulation().world
        if world.stores.keys.contains(where: { $0.text == name }) { return true }
        guard !world.clusters.keys.contains(where: { $0.text == name }) else { return false }
        throw DRError.unknown("cluster or store", name, among: (world.clusters.keys.map(\.text) + world.stores.keys.map(\.text)).sorted())
    }

    func cluster(_ name: String) async throws -> MemoryCluster {
        let known = try await simulation().world.clusters
        guard let found = known.first(where: { $0.key.text == name })?.value else {
            throw DRError.unknown("cluster", name, among: known.keys.map(\.text))
        }
        return found
    }

    /// Something is written by the application's processes: a line in each of its volumes. Returns its number.
    func write(_ application: String, at cluster: String) async throws -> Int {
        let application = try await self.application(application), cluster = try await self.cluster(cluster)
        guard try await simulation().world.running(application).contains(cluster.name) else {
            throw DRError(.invalidInput, "\(application.name) does not run at \(cluster.name), so it writes nothing there")
        }
        writes += 1
        for volume in try cluster.volumes(of: application) {
            cluster.memory.write((cluster.memory.read(volume) ?? "") + "write \(writes)\n", to: volume)
        }
        return writes
    }

    /// What a case that passed may still have got wrong.
    func leftovers() -> DRError? {
        guard let current else { return nil }
        if let call = current.world.outside.unanswered.first {
            return DRError(.failed, "nobody said what \(call) answers", hint: "sim:answer(\"http\", { url = \"*\" }, { status = 200 })")
        }
        return idleFault()
    }

    /// People who were to speak at a gate where no run ever stood.
    func idleVoice() -> DRError? {
        guard let current, let voice = current.unusedVoices.first(where: { !current.gates.contains($0.gate) }) else { return nil }
        return DRError(
            .failed,
            "no run stood at the gate \(voice.gate)\(Spelling.hint(for: voice.gate, in: current.gates)), where people were to speak")
    }

    /// A fault that the case insists on and whose place nothing ever came by.
    func idleFault() -> DRError? {
        guard let faults = current?.world.faults, let fault = faults.unused.first(where: { !optional.contains($0) }) else { return nil }
        let places = faults.places.filter { $0.contains("/") == fault.at.contains("/") || !fault.at.contains(".") }
        return DRError(
            .failed,
            "the fault \(fault.text) never happened: nothing of that name was done\(Spelling.hint(for: fault.at, in: places))",
            hint: "optional = true where that is meant")
    }
}

extension Duration {
    /// `"15m"`, seconds, or a duration of the script's.
    init(argument value: Value, _ what: String) throws {
        switch value {
        case .duration(let duration): self = duration
        case .integer(let seconds): self = .seconds(seconds)
        case .number(let seconds): self = .milliseconds(Int64(seconds * 1000))
        case .string(let text): self = try Duration(parsing: text)
        default: throw DRError(.invalidInput, "\(what): expected a duration such as \"15m\"")
        }
    }
}
