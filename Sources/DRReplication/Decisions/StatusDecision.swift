internal import DRModel

/// What one cluster that answered says.
struct ClusterSight {
    var records: [ApplicationName: ApplicationRecord] = [:]
    /// Applications whose record here cannot be read: they may be anywhere.
    var unknowable: [ApplicationName: DRError] = [:]
    var points: [ApplicationName: [RecoveryPoint]] = [:]
    var pointProblems: [ApplicationName: [String]] = [:]
    var pairs: [ClusterPair] = []
    var schedules: [Schedule] = []
    /// By whom applications are locked.
    var locks: [ApplicationName: RunID] = [:]
    /// Locked by a process that lives.
    var attended: Set<ApplicationName> = []
    var drills: [ApplicationName: LastDrill] = [:]
    /// What this cluster wrote by itself.
    var forks: [ApplicationName: [Fork]] = [:]
    /// When it went live here last.
    var activated: [ApplicationName: Instant] = [:]
    /// Stopped here by the cluster's own agent in the epoch that the cluster knows, since when.
    var selfFenced: [ApplicationName: Instant] = [:]
    /// What the cluster's agent last left here.
    var agent: AgentMark?
    /// Quiet for a snapshot.
    var onHold: Set<ApplicationName> = []
    /// Records that cannot be read and belong to no application alone.
    var problems: [String] = []
}

/// Where applications stand, judged from the clusters that answered.
struct StatusDecision {
    /// Nil = it was not asked, or did not answer.
    private let sights: [ClusterName: ClusterSight?]
    private let now: Instant
    private let selfFence: [ClusterName: Duration]
    private let known: [(name: ClusterName, sight: ClusterSight)]
    private let pairs: [ClusterPair]
    /// Of all applications, by name.
    private let schedules: [Schedule]

    init(inventory: Inventory, selfFence: [ClusterName: Duration], sights: [ClusterName: ClusterSight?], now: Instant) {
        self.sights = sights
        self.selfFence = selfFence
        self.now = now
        known = sights.compactMap { name, sight in sight.map { (name, $0) } }.sorted { $0.name < $1.name }
        var schedules = known.flatMap(\.sight.schedules)
        schedules += inventory.schedules.filter { declared in !schedules.contains { $0.name == declared.name } }
        self.schedules = schedules.sorted { $0.name < $1.name }
        var pairs = inventory.pairs
        for pair in known.flatMap(\.sight.pairs) where !pairs.contains(where: { $0.name == pair.name }) { pairs.append(pair) }
        self.pairs = pairs
    }

    /// The source of the pairs that copy it; nil when they do not agree.
    private func home(_ schedules: [Schedule]) -> ClusterName? {
        let scheduled = Set(schedules.map(\.pair))
        let fitting = pairs.filter { scheduled.contains($0.name) }
        let sources = Set((fitting.isEmpty ? pairs : fitting).map(\.source))
        return sources.count == 1 ? sources.first : nil
    }

    func status(of application: ApplicationName) -> ApplicationStatus {
        let schedules = schedules.filter { $0.covers(application) }
        let home = home(schedules)
        let records = known.compactMap { cluster in cluster.sight.records[application].map { (cluster.name, $0) } }
        let standing = Standing(
            application: application, home: home ?? "unknown", records: Dictionary(records) { first, _ in first })
        // Two that each name themselves active in one epoch: nobody can say which.
        let claims = Set(records.filter { $0.1.epoch == standing.epoch && $0.1.active == $0.0 }.map(\.0))
        let unknowable = known.contains { $0.sight.unknowable[application] != nil }
        let active = known.isEmpty || unknowable || claims.count > 1 ? nil : records.isEmpty ? home : standing.active
        let ownRecord = active.flatMap { standing.record(at: $0) }
        let newest = known.compactMap { cluster in
            cluster.sight.points[application]?.first { $0.verifiedAt != nil && cluster.name != active }
        }.max(by: RecoveryPoint.isOlder)
        let schedule = schedules.first { leads(from: active, $0) } ?? schedules.first
        let isProtected = schedule.map { leads(from: active, $0) && !$0.suspended && newest?.epoch == standing.epoch } ?? false
        let wentLive = active.flatMap { sights[$0] ?? nil }?.activated[application]
        return ApplicationStatus(
            name: application, active_at: active, epoch: standing.epoch,
            running: active.flatMap { isRunning($0, ownRecord, standing) },
            split_brain_risk: claims.count > 1 || ownRecord?.split_brain_risk == true, clusters: roles(of: application, active, standing),
            rpo: newest.map { max(.zero, now - $0.instant) }, last_point: newest?.id, last_point_at: newest?.instant,
            protected: isProtected,
            schedule: schedule?.name,
            lock: known.lazy.compactMap { $0.sight.locks[application] }.first,
            problems: problems(of: application) + agentProblems(of: application, active, ownRecord),
            last_drill: known.compactMap { $0.sight.drills[application] }.max { $0.ready_at < $1.ready_at },
            unprotected_since: isProtected ? nil : newest?.epoch == standing.epoch ? newest?.instant : wentLive ?? newest?.instant,
            forks: known.flatMap { $0.sight.forks[application] ?? [] }, returned: returned(active, standing),
            self_fenced: selfFenced(application, active, ownRecord))
    }

    /// Clusters of its pairs whose own record still says what was so in an older epoch.
    private func returned(_ active: ClusterName?, _ standing: Standing) -> [ClusterName] {
        guard let active else { return [] }
        return pairs.filter { $0.source == active || $0.destination == active }.flatMap { [$0.source, $0.destination] }.filter { name in
            guard name != active, (sights[name] ?? nil) != nil, standing.epoch(at: name) < standing.epoch else { return false }
            return standing.effectiveRecord(at: name).active == name
        }.reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
    }

    private func problems(of application: ApplicationName) -> [String] {
        known.flatMap { name, sight in
            (sight.unknowable[application].map { [$0.message] } ?? []) + (sight.pointProblems[application] ?? []) + sight.problems
                + (isForgotten(application, sight) ? [forgotten(at: name)] : [])
        }
    }

    // Who works on it lets it go; nobody does for a process that is gone.
    private func isForgotten(_ application: ApplicationName, _ sight: ClusterSight) -> Bool {
        sight.onHold.contains(application) && !sight.attended.contains(application)
    }

    private func forgotten(at cluster: ClusterName) -> String {
        "it is still held at \(cluster) for a snapshot by a process that is gone, and may answer nobody: "
            + "`drrunbook agent \(cluster) --once`, the resume of that run, and the next copy let it go"
    }

    // Of a cluster that does not answer nobody knows whether anything runs there.
    private func isRunning(_ active: ClusterName, _ record: ApplicationRecord?, _ standing: Standing) -> Bool? {
        guard (sights[active] ?? nil) != nil else { return nil }
        if let record { return record.isComplete && record.active == active }
        return standing.epoch == .first
    }

    /// A schedule copies from wherever the application lives, as far as its pair leads that way.
    private func leads(from active: ClusterName?, _ schedule: Schedule) -> Bool {
        guard let pair = pairs.first(where: { $0.name == schedule.pair }) else { return false }
        return pair.source == active || pair.bothWays && pair.destination == active
    }

    private func roles(of application: ApplicationName, _ active: ClusterName?, _ standing: Standing) -> [String: String] {
        let paired = Set(pairs.flatMap { [$0.source, $0.destination] })
        var roles: [String: String] = [:]
        for (name, sight) in sights where paired.isEmpty || paired.contains(name) {
            if sight == nil {
                roles[name.text] = "unknown, not fenced"
            } else if sight?.unknowable[application] != nil {
                roles[name.text] = "record damaged"
            } else if name == active {
                roles[name.text] = "active"
            } else if active == nil {
                // It answered; a cluster that did not may know more.
                roles[name.text] = "answers, not known active"
            } else if standing.effectiveRecord(at: name).active != name {
                roles[name.text] = standing.record(at: name) == nil ? "standby" : "fenced"
            } else {
                roles[name.text] = sight?.selfFenced[application] == nil ? "back, not fenced" : "stopped by its agent"
            }
        }
        return roles
    }

    private func selfFenced(_ application: ApplicationName, _ active: ClusterName?, _ record: ApplicationRecord?) -> Instant? {
        guard let active, record?.running == false else { return nil }
        return (sights[active] ?? nil)?.selfFenced[application]
    }

    /// Why it does not run though nobody stopped it, and who would stop it when its cluster is cut off.
    private func agentProblems(of application: ApplicationName, _ active: ClusterName?, _ record: ApplicationRecord?) -> [String] {
        guard let active, let sight = sights[active] ?? nil else { return [] }
        if let since = selfFenced(application, active, record) {
            let absence = sight.agent.absence(now: now)
            let starts = absence.map { "\($0): `drrunbook agent \(active)` starts it when all answer" } ?? "it starts it when all answer"
            return [
                "it was stopped at \(active) by its agent at \(since): a cluster where it could have gone live did not answer; \(starts); "
                    + "`drrunbook agent \(active) --resume --reason TEXT --yes` starts it when a cluster is gone for good"
            ]
        }
        guard let lease = selfFence[active], let absence = sight.agent.absence(now: now) else { return [] }
        return [
            "dr.yaml says that \(active) stops it after \(lease.text) without its peers, and \(absence): start `drrunbook agent \(active)`"
        ]
    }
}
