public import DRModel

extension ReplicationEngine {
    /// Asks every cluster that a pair names, except `without`. One that does not answer is unknown, never taken for fenced or failed. A record that cannot be
    /// read is a problem of what it is about: where an application's own record is damaged, nobody can say where the application is. Throws `damaged` when
    /// that is so for all that were asked for.
    public func status(
        of applications: [ApplicationName], without: [ClusterName], _ call: EngineCall
    ) async throws -> [ApplicationStatus] {
        let asked = try applications.map { try application($0).name }
        var sights: [ClusterName: ClusterSight?] = [:]
        for name in clusters.keys.sorted() {
            sights[name] = without.contains(name) ? .some(nil) : .some(try await sight(of: try cluster(name), asked))
        }
        let now = clock.now()
        let damage = asked.map { name in sights.values.compactMap { $0?.unknowable[name] }.first }
        if let first = damage.first, let first, damage.allSatisfy({ $0 != nil }) { throw first }
        let decision = StatusDecision(inventory: inventory, selfFence: selfFence, sights: sights, now: now)
        return asked.map { decision.status(of: $0) }
    }

    /// What the cluster wrote by itself after it had lost the application.
    func forks(of name: ApplicationName, at cluster: any Cluster) async throws -> [Fork] {
        var forks = try await cluster.keptForks(of: name)
        if let mark = try await cluster.document(.deposed(name)) {
            var at: Instant?
            if case .instant(let instant) = mark["at"] { at = instant }
            forks.append(
                Fork(
                    application: name, cluster: cluster.name, epoch: Epoch(mark["epoch"].integer ?? Epoch.first.number), state: .live,
                    at: at))
        }
        return forks
    }

    /// Nil when the cluster does not answer.
    private func sight(of cluster: any Cluster, _ applications: [ApplicationName]) async throws -> ClusterSight? {
        do {
            var sight = ClusterSight()
            let (schedules, pairs) = (try await cluster.schedules(), try await cluster.pairs())
            (sight.schedules, sight.pairs) = (schedules.sound, pairs.sound)
            sight.problems = schedules.problems + pairs.problems
            let (locks, damaged) = try await cluster.locksOneByOne(of: applications) { try await cluster.locks(of: Set(applications)) }
            for lock in locks {
                if lock.alive { sight.attended.insert(lock.application) }
                if lock.counts, sight.locks[lock.application] == nil { sight.locks[lock.application] = lock.holder.run }
            }
            sight.problems += damaged.map(\.message)
            sight.onHold = Set(try await cluster.onHold())
            sight.agent = try await cluster.agentMark(of: cluster.name)
            for name in applications {
                do {
                    sight.records[name] = try await cluster.record(of: name)
                } catch let error as DRError where error.isOfOneRecord {
                    sight.unknowable[name] = error
                }
                sight.drills[name] = try await cluster.read(LastDrill.self, .drilled(name), "last drill of \(name)")
                if case .instant(let at)? = try await cluster.document(.activated(name))?["at"] { sight.activated[name] = at }
                if let mark = try await cluster.document(.selfFenced(name)), case .instant(let at) = mark["at"],
                    mark["at_rest"] != true, mark["epoch"].integer == (sight.records[name]?.epoch ?? .first).number
                {
                    sight.selfFenced[name] = at
                }
                sight.forks[name] = try await forks(of: name, at: cluster)
                let points = try await cluster.points(of: name)
                sight.points[name] = points.sound
                sight.pointProblems[name] = points.problems
            }
            return sight
        } catch let error as DRError where error.code == .clusterUnreachable {
            return nil
        }
    }
}
