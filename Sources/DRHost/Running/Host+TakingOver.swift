internal import DRModel
internal import DRReplication

extension Host {
    /// Nobody is seen to carry the run on: no process that lives, and whose lease counts, holds a lock of it. One that was put down, or stands at a gate, holds none: its locks are kept
    /// by their lease alone. Throws `locked` and says who it is.
    func requireLeft(_ run: RunID) async throws {
        guard world.simulated == nil else { return }
        let holding = try await locks().found.filter { place in
            let holder = place.lock.holder
            return holder.run == run && place.lock.alive && place.lock.counts
                && !(holder.host == identity.host && holder.process == identity.process)
        }
        guard let (cluster, lock) = holding.max(by: { ($0.lock.expires ?? $0.lock.since) < ($1.lock.expires ?? $1.lock.since) }) else {
            return
        }
        let seen = lock.expires.map { $0 - LockLease.length } ?? lock.since
        let age = max(Duration.zero, world.clock.now() - seen)
        throw DRError(
            .locked,
            "run \(run) is carried on by process \(lock.holder.process) on \(lock.holder.host), which has \(lock.application) locked at \(cluster): "
                + "last sign of life \(seen), \(Duration.seconds(age.components.seconds).text) ago",
            hint:
                "nothing was done. Put it down there (`drrunbook pause \(run)` on \(lock.holder.host)), or wait: without a sign of life its lease is over after "
                + "\(LockLease.length.text). `--take-over` takes the run from it at once, and it ends at its next change",
            details: [
                "run": .string(run.text), "holder": .string("\(lock.holder.host)/\(lock.holder.process)"), "cluster": .string(cluster.text),
                "seen": .instant(seen),
            ])
    }
}
