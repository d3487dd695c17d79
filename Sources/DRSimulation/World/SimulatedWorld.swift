package import DRModel
package import DRSupport

/// Two sites and what lies between them, in memory, with a clock of their own: everything a run can reach.
package final class SimulatedWorld: Sendable {
    package let inventory: Inventory
    package let clusters: [ClusterName: MemoryCluster]
    package let stores: [StoreName: MemoryObjectStore]
    package let clock: SimulatedClock
    package let random: SeededRandom
    package let pace: Pace
    package let faults: FaultPlan
    package let timeline = Timeline()
    package let outside = OutsideWorld()
    package let activations = Lock<[Activation]>([])
    private let processes = Lock<Int32>(0)
    private let watchers = Lock(Watchers())
    private let powerless = Lock<Set<String>>([])
    private let cuts = Lock<Set<Set<String>>>([])

    /// In a struct, which keeps functions as they are: a generic place that held one by itself would wrap it once more with each look at it.
    private struct Watchers {
        var change: (@Sendable (PortCall) -> Void)?
        var activation: (@Sendable (ActivationOrder, ActivationReport) -> Void)?
        var question: (@Sendable (PortCall, ActionPlace) -> Void)?
    }

    package struct Activation: Hashable, Sendable {
        package let order: ActivationOrder
        package let report: ActivationReport
        package let time: Instant
    }

    package init(
        inventory: Inventory, clusters: [MemoryCluster], stores: [MemoryObjectStore], clock: SimulatedClock, seed: UInt64,
        faults: [Fault] = []
    ) {
        self.inventory = inventory
        self.clusters = Dictionary(clusters.map { ($0.name, $0) }) { first, _ in first }
        self.stores = Dictionary(stores.map { ($0.name, $0) }) { first, _ in first }
        self.clock = clock
        random = SeededRandom(seed: seed)
        pace = Pace(seed: seed)
        self.faults = FaultPlan(faults)
    }

    /// The same world again, at the same time, with other luck.
    package func copy(seed: UInt64, faults: [Fault]) -> SimulatedWorld {
        let clock = SimulatedClock(clock.now())
        let copy = SimulatedWorld(
            inventory: inventory, clusters: clusters.values.map { $0.copy(clock: clock) }, stores: stores.values.map { $0.copy() },
            clock: clock, seed: seed, faults: faults)
        let (dark, lives, cut) = (powerless.withLock { $0 }, processes.withLock { $0 }, cuts.withLock { $0 })
        copy.cuts.withLock { $0 = cut }
        copy.powerless.withLock { $0 = dark }
        copy.processes.withLock { $0 = lives }
        return copy
    }

    /// A new life of a host: what an earlier one kept in memory is gone.
    ///
    /// `isSpared`: the process of somebody else, which no fault is planned for.
    package func process(isSpared: Bool = false) -> SimulatedProcess {
        let number = processes.withLock { number in
            number += 1
            return number
        }
        return SimulatedProcess(number, in: self, isSpared: isSpared)
    }

    /// The clusters as a process reaches them.
    package func clusters(for process: SimulatedProcess) -> [ClusterName: any Cluster] {
        clusters.mapValues { SimulatedCluster(base: $0, process: process) }
    }

    package func stores(for process: SimulatedProcess) -> [StoreName: any ObjectStore] {
        stores.mapValues { SimulatedStore(base: $0, process: process) }
    }

    /// A process has ended: its locks go with it.
    package func ended(_ process: SimulatedProcess) { buried(process.number) }

    func buried(_ process: Int32) {
        for cluster in clusters.values { cluster.set { $0.dead.insert(process) } }
    }

    // MARK: Watching

    /// `watch` is called after each change of a cluster.
    package func onChange(_ watch: @escaping @Sendable (PortCall) -> Void) { watchers.withLock { $0.change = watch } }
    func look(_ call: PortCall) { watchers.withLock { $0 }.change?(call) }
    package func onActivation(_ watch: @escaping @Sendable (ActivationOrder, ActivationReport) -> Void) {
        watchers.withLock { $0.activation = watch }
    }
    /// `watch` is called before each call of a port that an action makes.
    package func onQuestion(_ watch: @escaping @Sendable (PortCall, ActionPlace) -> Void) { watchers.withLock { $0.question = watch } }
    func ask(_ call: PortCall, for action: ActionPlace) { watchers.withLock { $0 }.question?(call, action) }

    func activated(_ order: ActivationOrder, _ report: ActivationReport) {
        watchers.withLock { $0 }.activation?(order, report)
        activations.withLock { $0.append(Activation(order: order, report: report, time: clock.now())) }
    }

    // MARK: What happens to sites

    func ends(of place: ActionPlace) -> (source: String?, destination: String?) {
        guard let name = place.input["pair"].string, let pair = inventory.pairs.first(where: { $0.name.text == name }) else {
            return (place.input["cluster"].string, place.input["cluster"].string)
        }
        let isReversed = place.input["reversed"].bool == true
        return isReversed ? (pair.destination.text, pair.source.text) : (pair.source.text, pair.destination.text)
    }

    /// A cluster (or a store) stops answering; without `power` nothing runs there either.
    package func lose(_ name: String, power: Bool) {
        if let store = stores.first(where: { $0.key.text == name })?.value { store.goAway() }
        guard let cluster = clusters.first(where: { $0.key.text == name })?.value else { return }
        cluster.goAway()
        guard power else { return }
        cluster.stopAll()
        powerless.withLock { _ = $0.insert(name) }
    }

    /// A cluster and a store do not reach each other; both answer everybody else.
    package func cut(_ cluster: ClusterName, from store: StoreName) { cuts.withLock { _ = $0.insert([cluster.text, store.text]) } }

    func reach(_ store: StoreName, from cluster: ClusterName) throws {
        if cuts.withLock({ $0.contains([cluster.text, store.text]) }) {
            throw DRError(.storeUnreachable, "\(cluster) cannot reach \(store)")
        }
    }

    /// A cluster or a store answers again, if it has power.
    func bringBack(_ name: String) {
        stores.first { $0.key.text == name }?.value.goAway(false)
        guard !powerless.withLock({ $0.contains(name) }) else { return }
        clusters.first { $0.key.text == name }?.value.goAway(false)
    }

    /// All answer again. Where the power was gone, what the manifests ask for runs again.
    package func heal() throws {
        let dark = powerless.withLock { names in
            defer { names = [] }
            return names
        }
        cuts.withLock { $0 = [] }
        for store in stores.values { store.goAway(false) }
        for cluster in clusters.values {
            cluster.goAway(false)
            if dark.contains(cluster.name.text) { try cluster.startAll() }
        }
    }

    package func isLost(_ cluster: ClusterName) -> Bool { clusters[cluster]?.state.withLock { $0.unreachable } ?? true }
    package func isPowerless(_ cluster: ClusterName) -> Bool { powerless.withLock { $0.contains(cluster.text) } }

    // MARK: What somebody sees who sees both sites at once

    /// The clusters at which processes of the application run, drills' clones left out.
    package func running(_ application: Application) -> [ClusterName] { running(application, whatRuns()) }

    /// The same of all applications at one look.
    package func running() -> [ApplicationName: [ClusterName]] {
        let processes = whatRuns()
        return Dictionary(inventory.applications.map { ($0.name, running($0, processes)) }) { first, _ in first }
    }

    // By cluster and namespace.
    private func whatRuns() -> [ClusterName: [String: [ObjectKey]]] {
        clusters.mapValues { cluster in
            let processes = cluster.state.withLock { $0.processes }
            return Dictionary(grouping: processes.lazy.filter { $0.value > 0 }.map(\.key)) { $0.namespace ?? "" }
        }
    }

    private func running(_ application: Application, _ processes: [ClusterName: [String: [ObjectKey]]]) -> [ClusterName] {
        clusters.values.filter { cluster in
            application.namespaces(at: cluster.name).contains { namespace in
                (processes[cluster.name]?[namespace] ?? []).contains { application.labels.isEmpty || owns(application, $0, at: cluster) }
            }
        }.map(\.name).sorted()
    }

    private func owns(_ application: Application, _ key: ObjectKey, at cluster: MemoryCluster) -> Bool {
        guard let object = cluster.state.withLock({ $0.objects[key] }) else { return false }
        return application.labels.allSatisfy { object.labels[$0.key] == $0.value }
    }

    /// Who holds the newest epoch of the application: nil where it never moved.
    package func holder(of application: ApplicationName) -> (cluster: ClusterName, epoch: Int64, risk: Bool)? {
        var best: (cluster: ClusterName, epoch: Int64, risk: Bool)?
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            guard let record = cluster.allDocuments[.application(application)], let epoch = record["epoch"].integer,
                let active = record["active"].string.flatMap({ name in clusters.keys.first { $0.text == name } })
            else { continue }
            if epoch > best?.epoch ?? 0 { best = (active, epoch, record["split_brain_risk"].bool == true) }
        }
        return best
    }

    /// Objects, volumes and records of both sites: equal texts, equal worlds.
    package var observable: String { clusters.values.sorted { $0.name < $1.name }.map(\.observable).joined(separator: "\n") }
}

/// How long actions take: always the same for a seed, a little different for each.
package struct Pace: Sendable {
    let seed: UInt64

    func duration(of place: ActionPlace, _ key: OperationKey) -> Duration {
        let usual: Double =
            switch place.stage {
            case "sleep": 0
            case "stop", "last-sync": 4
            case "start", "restart", "start_clone": 8
            case "migrate": 20
            case "checks": 2
            default: 0.5
            }
        guard seed != 0 else { return .milliseconds(Int64(usual * 1000)) }
        // Of the key only what does not change from run to run.
        let part = key.text.split(separator: "/").dropFirst().joined(separator: "/")
        return .milliseconds(Int64(usual * 1000 * (0.2 + 1.6 * SeededRandom.fraction(part, seed: seed))))
    }
}
