import DRModel
import DRSimulation
import DRSupport

/// What somebody who sees both clusters at once, which no host can, sees after every call of a port.
final class Watcher: Sendable {
    /// One cluster at one instant.
    private struct Sight {
        let name: ClusterName
        let epoch: Int64
        let active: String
        let risk: Bool
        /// So its record says.
        let running: Bool
        let processes: Int
        /// The last thing that was written to its volume.
        let written: Int
        let synced: Bool
        /// Of the recovery point that was numbered last, with its epoch.
        let number: (epoch: Int64, last: Int64)
        /// In which epoch it went live without any loss, by its own account.
        let lossless: Int64?

        var holds: Bool { active == name.text }

        init(_ cluster: MemoryCluster) {
            let documents = cluster.allDocuments
            func document(_ folder: String) -> Value? { documents[DocumentPath(folder, "ledger")] }
            let record = documents[.application("ledger")]
            name = cluster.name
            epoch = record?["epoch"].integer ?? 1
            active = record?["active"].string ?? "east"
            risk = record?["split_brain_risk"] == .bool(true)
            running = record.map { $0["running"] == .bool(true) } ?? (name == "east")
            processes = cluster.processes("pg")
            written = cluster.memory.read("pg-data").flatMap { Int($0) } ?? 0
            synced = document("synced")?.map?.isEmpty == false
            let counter = document("counters")
            number = (counter?["epoch"].integer ?? 0, counter?["last"].integer ?? 0)
            let activated = document("activated")
            // As a file would give it back.
            let exact = try? Value(json: Value(encoding: RecoveryPointObjective.exact(.zero)).json())
            lossless = activated?["rpo"] == exact ? activated?["epoch"].integer : nil
        }
    }

    private struct Seen {
        var instants = 0
        var findings: [String] = []
        var highest: Int64 = 1
        var before: [ClusterName: Sight] = [:]
        /// Who held the highest epoch last, and what was written there.
        var holder: (name: ClusterName, epoch: Int64, written: Int)?
    }

    private let world: EngineWorld
    private let seen = Lock(Seen())
    private let writes = Lock(0)

    init(_ world: EngineWorld) { self.world = world }

    var findings: [String] { seen.withLock { $0.findings } }
    var instants: Int { seen.withLock { $0.instants } }

    /// Whatever runs writes something that was never written before.
    func write() {
        for cluster in [world.east, world.west] where cluster.processes("pg") > 0 {
            let number = writes.withLock { writes in
                writes += 1
                return writes
            }
            cluster.memory.write("\(number)", to: "pg-data")
        }
        look()
    }

    func look() {
        let sights = [world.east, world.west].map(Sight.init)
        seen.withLock { seen in
            seen.instants += 1
            judgeWriters(sights, &seen)
            judgeUpdates(sights, &seen)
            for sight in sights { seen.before[sight.name] = sight }
        }
    }

    private func judgeWriters(_ sights: [Sight], _ seen: inout Seen) {
        let epoch = sights.map(\.epoch).max() ?? 1
        let holders = sights.filter { $0.epoch == epoch && $0.holds }
        if holders.count > 1 { seen.findings.append("two clusters hold epoch \(epoch)") }
        if epoch < seen.highest { seen.findings.append("the highest epoch fell from \(seen.highest) to \(epoch)") }
        seen.highest = max(seen.highest, epoch)
        if sights.allSatisfy({ $0.processes > 0 }), !holders.contains(where: \.risk) {
            seen.findings.append("processes run at both clusters in epoch \(epoch), and nobody says so")
        }
    }

    private func judgeUpdates(_ sights: [Sight], _ seen: inout Seen) {
        for sight in sights {
            if sight.running, sight.holds, sight.synced {
                seen.findings.append("lost update: \(sight.name) runs, and counts as copied in full")
            }
            guard let before = seen.before[sight.name] else { continue }
            if sight.epoch < before.epoch {
                seen.findings.append("lost update: the epoch of \(sight.name) fell from \(before.epoch) to \(sight.epoch)")
            }
            if sight.number.epoch == before.number.epoch, sight.number.last < before.number.last {
                seen.findings.append("lost update: the number of points at \(sight.name) fell from \(before.number.last)")
            }
        }
        let epoch = sights.map(\.epoch).max() ?? 1
        guard let holder = sights.first(where: { $0.epoch == epoch && $0.holds }) else { return }
        if let last = seen.holder {
            if last.name == holder.name, last.epoch == epoch, holder.written < last.written {
                seen.findings.append("lost update: \(last.written), written at \(holder.name) in epoch \(epoch), is gone")
            }
            if last.epoch < epoch, holder.lossless == epoch, holder.written != last.written {
                seen.findings.append(
                    "lost update: \(holder.name) has all of it in epoch \(epoch), but \(holder.written), not \(last.written)")
            }
        }
        seen.holder = (holder.name, epoch, holder.written)
    }
}
