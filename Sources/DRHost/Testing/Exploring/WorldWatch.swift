internal import DRModel
internal import DRSimulation
internal import DRSupport

/// What somebody sees after each change who sees both sites at once, which no host can. Applications that run write all the time.
final class WorldWatch: Sendable {
    private struct State {
        var seen: [String] = []
        var found: [(Invariant, String)] = []
        var highest: [ApplicationName: Int64] = [:]
        var writes = 0
        /// As they were found at a revision of the cluster's objects.
        var volumes: [ClusterName: (revision: Int, found: [ApplicationName: [VolumeName]])] = [:]
    }

    private let world: SimulatedWorld
    private let state = Lock(State())

    init(_ world: SimulatedWorld) {
        self.world = world
        world.onChange { [unowned self] call in look(call) }
        world.onActivation { [unowned self] order, report in judge(order, report) }
        world.onQuestion { [unowned self] call, action in ask(call, action) }
    }

    var found: [(Invariant, String)] { state.withLock { $0.found } }

    private func tell(_ invariant: Invariant, _ text: String) {
        state.withLock { state in
            if !state.seen.contains(text) {
                state.seen.append(text)
                state.found.append((invariant, text))
            }
        }
    }

    func look(_ call: PortCall) {
        let everywhere = world.running()
        for application in world.inventory.applications {
            let running = everywhere[application.name] ?? []
            epochs(of: application.name, running)
            for other in application.after {
                guard let there = everywhere[other], !running.isEmpty, there.isEmpty else { continue }
                tell(.dependencies, "\(application.name) runs at \(Self.names(running)) while \(other), on which it depends, runs nowhere")
            }
            write(application, running)
        }
    }

    private func epochs(of name: ApplicationName, _ running: [ClusterName]) {
        let records = world.clusters.values.compactMap { cluster -> (at: ClusterName, epoch: Int64, active: String)? in
            guard let record = cluster.allDocuments[.application(name)], let epoch = record["epoch"].integer else { return nil }
            return (cluster.name, epoch, record["active"].string ?? "")
        }
        let epoch = records.map(\.epoch).max() ?? 1
        let holders = records.filter { $0.epoch == epoch && $0.active == $0.at.text }.map(\.at).sorted()
        if holders.count > 1 { tell(.oneWriter, "\(Self.names(holders)) both hold epoch \(epoch) of \(name)") }
        let highest = state.withLock { state in
            let before = state.highest[name] ?? 0
            state.highest[name] = max(before, epoch)
            return before
        }
        if epoch < highest { tell(.oneWriter, "the epoch of \(name) fell from \(highest) to \(epoch)") }
        if running.count > 1, world.holder(of: name)?.risk != true {
            tell(.oneWriter, "\(name) runs at \(Self.names(running)), and nobody says that it may")
        }
    }

    // What was written before it stopped has to arrive.
    private func write(_ application: Application, _ running: [ClusterName]) {
        for name in running {
            guard let cluster = world.clusters[name] else { continue }
            let number = state.withLock { state in
                state.writes += 1
                return state.writes
            }
            for volume in volumes(of: application, at: cluster) {
                cluster.memory.write((cluster.memory.read(volume) ?? "") + "\(name) \(number)\n", to: volume)
            }
        }
    }

    private func volumes(of application: Application, at cluster: MemoryCluster) -> [VolumeName] {
        let revision = cluster.state.withLock { $0.revision }
        let known = state.withLock { $0.volumes[cluster.name] }
        if let known, known.revision == revision, let found = known.found[application.name] { return found }
        // A site whose manifests cannot be read has failed the run already.
        let found = (try? cluster.volumes(of: application)) ?? []
        state.withLock { state in
            if state.volumes[cluster.name]?.revision != revision { state.volumes[cluster.name] = (revision, [:]) }
            state.volumes[cluster.name]?.found[application.name] = found
        }
        return found
    }

    // When it went live: what it went live from.
    func judge(_ order: ActivationOrder, _ report: ActivationReport) {
        guard report.changed, let application = world.inventory.application(order.application) else { return }
        switch order.mode {
        case .disaster:
            guard let target = order.acceptedDataLoss ?? application.rpo, let instant = report.instant else { return }
            let age = world.clock.now() - instant
            // The engine judges when it makes it live; what the start itself takes is no older data.
            if age > target + .seconds(600) {
                tell(.dataLoss, "\(application.name) went live from data of \(age.text) ago, and \(target.text) were accepted")
            }
        case .planned:
            guard let pair = world.inventory.pair(order.pair), let source = world.clusters[order.reversed ? pair.destination : pair.source],
                let destination = world.clusters[report.active_at], source.name != destination.name
            else { return }
            for volume in volumes(of: application, at: source) {
                let arrived = Set((destination.memory.read(volume) ?? "").split(separator: "\n"))
                let missing = (source.memory.read(volume) ?? "").split(separator: "\n").filter { !arrived.contains($0) }
                if let first = missing.first {
                    tell(
                        .dataLoss,
                        "a planned move of \(application.name) lost \(missing.count) writes of \(volume), the first of them \"\(first)\"")
                }
            }
        }
    }

    private func ask(_ call: PortCall, _ action: ActionPlace) {
        guard action.input["mode"].string == "disaster" || action.input["without_source"].bool == true,
            let name = action.input["pair"].string, let pair = world.inventory.pairs.first(where: { $0.name.text == name })
        else { return }
        let source = action.input["reversed"].bool == true ? pair.destination : pair.source
        if call.place == source.text { tell(.sourceUntouched, "\(action.text) in disaster mode touched \(source): \(call.operation)") }
    }

    static func names(_ clusters: [ClusterName]) -> String { clusters.map(\.text).joined(separator: " and ") }
}
