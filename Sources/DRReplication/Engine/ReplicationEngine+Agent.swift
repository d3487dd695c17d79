public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// One round of the agent of a cluster, to be made every few seconds at its side: tells the others that it is there, stops what lives elsewhere by now, and
    /// stops what may live elsewhere because nobody could be asked for `selfFence` (nil = never). `contact`: what the last round said; nil = the first one, which
    /// counts from the last sign of life of an agent before it.
    public func watch(_ name: ClusterName, selfFence: Duration?, contact: Instant?, _ call: EngineCall) async throws -> AgentRound {
        let cluster = try cluster(name)
        let began = clock.now()
        let others = Set(inventory.pairs.filter { $0.source == name || $0.destination == name }.flatMap { [$0.source, $0.destination] })
            .subtracting([name]).sorted()
        var reached: [any Cluster] = []
        for other in others {
            do {
                // Counted from before it was written: whoever reads it later waits long enough.
                try await self.cluster(other).noteAgent(AgentMark(cluster: name, at: began, lease: selfFence))
                reached.append(try self.cluster(other))
            } catch let error as DRError where error.code == .clusterUnreachable || error.code == .io { continue }
        }
        let isInTouch = reached.count == others.count
        var last = contact ?? began
        if contact == nil, let mark = try await cluster.agentMark(of: name) { last = mark.at }
        let contact = isInTouch ? began : last
        if isInTouch { try await cluster.noteAgent(AgentMark(cluster: name, at: began, lease: selfFence)) }
        var events: [AgentRound.Event] = []
        for application in inventory.applications {
            do {
                let watch = Watch(
                    application: application, cluster: cluster, reached: reached, isInTouch: isInTouch,
                    isOverdue: selfFence.map { began - contact >= $0 } ?? false, call: call)
                if let event = try await inTurn(application.name, { try await look(watch) }) { events.append(event) }
            } catch let error as DRError {
                events.append(AgentRound.Event(kind: .failed, application: application.name, message: error.message))
            }
        }
        try await release(run: call.holder.run)
        try await forget(run: call.holder.run)
        return AgentRound(contact: contact, events: events, silent: others.filter { name in !reached.contains { $0.name == name } })
    }

    private struct Watch {
        let application: Application
        let cluster: any Cluster
        let reached: [any Cluster]
        let isInTouch: Bool
        let isOverdue: Bool
        let call: EngineCall
        var name: ApplicationName { application.name }
        func key(_ part: String) -> OperationKey { call.key.part(application.name.text).part(part) }
    }

    private func look(_ watch: Watch) async throws -> AgentRound.Event? {
        guard let home = home(of: watch.name) else { return nil }
        var records: [ClusterName: ApplicationRecord] = [:]
        for cluster in [watch.cluster] + watch.reached { records[cluster.name] = try await cluster.record(of: watch.name) }
        let standing = Standing(application: watch.name, home: home, records: records)
        let here = watch.cluster.name
        let own = standing.effectiveRecord(at: here)
        let mark = try await watch.cluster.document(.selfFenced(watch.name))
        if let event = try await letGoForgotten(watch) { return event }
        guard own.active == here else { return nil }
        if own.epoch < standing.epoch {
            try await lock(watch.name, at: [watch.cluster], for: watch.call.holder)
            try await hold(watch) { objects in
                try StopDecision(
                    application: watch.name, objects: objects, record: standing.record(at: here), standing: standing, at: here
                ).deposing(watch.key("depose"), now: self.clock.now())
            }
            return event(
                .deposed, watch, "live at \(standing.active) since epoch \(standing.epoch): stopped here, where epoch \(own.epoch) was lost"
            )
        }
        if watch.isOverdue, mark == nil, own.running {
            try await lock(watch.name, at: [watch.cluster], for: watch.call.holder)
            try await hold(watch) { objects in
                var transaction = try StopDecision(
                    application: watch.name, objects: objects, record: standing.record(at: here), standing: standing, at: here
                ).transaction(watch.key("fence"))
                transaction?.changes.append(
                    .write(.selfFenced(watch.name), ["epoch": .integer(own.epoch.number), "at": .instant(self.clock.now())]))
                return transaction
            }
            return event(.selfFenced, watch, "nobody could be asked whether it lives elsewhere: stopped here")
        }
        // Also when the round before died between the commit and the processes.
        if mark != nil, !watch.isInTouch { try await confirmHeld(watch) }
        guard let mark, watch.isInTouch else { return nil }
        try await lock(watch.name, at: [watch.cluster], for: watch.call.holder)
        let isOurs = mark["epoch"].integer == own.epoch.number && !own.running
        if isOurs { _ = try await start(watch.application, at: watch.cluster, watch.key("start"), in: own.epoch, watch.call) }
        _ = try await watch.cluster.commit(
            Transaction(
                watch.key("resumed"), guards: [.document(.selfFenced(watch.name), mark)], changes: [.remove(.selfFenced(watch.name))]))
        return isOurs ? event(.resumed, watch, "nobody took it over: it runs again") : nil
    }

    /// A process that died between the rules of a snapshot left the application quiet. Who works on it holds its lock, and lets it go itself.
    private func letGoForgotten(_ watch: Watch) async throws -> AgentRound.Event? {
        guard try await watch.cluster.onHold().contains(watch.name) else { return nil }
        do { try await lock(watch.name, at: [watch.cluster], for: watch.call.holder) } catch let error as DRError
            where error.code == .locked
        {
            return nil
        }
        guard try await watch.cluster.letGo(watch.name) else { return nil }
        return event(.letGo, watch, "held for a snapshot by a process that is gone: it goes on")
    }

    private func event(_ kind: AgentRound.Event.Kind, _ watch: Watch, _ message: String) -> AgentRound.Event {
        AgentRound.Event(kind: kind, application: watch.name, message: message)
    }

    /// Commits what holds the workloads, stops their processes, and then runs the cluster's own `fence` command, also when they do not stop.
    private func hold(_ watch: Watch, _ make: ([ManifestObject]) throws -> Transaction?) async throws {
        let objects = try CarriedObjects.of(try await watch.cluster.objects(of: watch.application))
        if let transaction = try make(objects) {
            watch.call.effects.record(try await watch.cluster.commit(transaction).effects)
        }
        failpoint("engine.agent.held")
        do {
            try await confirmHeld(watch)
        } catch {
            try await watch.cluster.fence(watch.name)
            throw error
        }
        try await watch.cluster.fence(watch.name)
        failpoint("engine.agent.fenced")
    }

    private func confirmHeld(_ watch: Watch) async throws {
        let objects = try CarriedObjects.of(try await watch.cluster.objects(of: watch.application))
        try await confirmStopped(try HeldWorkload.among(objects), of: watch.application, at: watch.cluster)
    }

    /// Where it is when no cluster has a record: the source of the pairs that copy it, as far as they agree.
    private func home(of name: ApplicationName) -> ClusterName? {
        let scheduled = Set(inventory.schedules.filter { $0.covers(name) }.map(\.pair))
        let fitting = inventory.pairs.filter { scheduled.contains($0.name) }
        let sources = Set((fitting.isEmpty ? inventory.pairs : fitting).map(\.source))
        return sources.count == 1 ? sources.first : nil
    }

    /// When the source, if nobody can reach it, has stopped the application by itself at the latest; nil = no agent there promised that.
    ///
    /// A mark counts only if it is about as young as the newest point: an agent that died long before the source was lost stops nothing.
    func selfFence(of application: Application, by source: ClusterName, at destination: any Cluster) async throws -> Instant? {
        guard let mark = try await destination.agentMark(of: source), let lease = mark.lease else { return nil }
        let newest = try await destination.points(of: application.name).sound.first?.instant
        if let newest, mark.at + .seconds(60) < newest { return nil }
        return mark.at + lease + AgentMark.grace
    }
}

extension DocumentPath {
    /// That the cluster's agent stopped the application because nobody could be asked.
    static func selfFenced(_ application: ApplicationName) -> DocumentPath { DocumentPath("selffenced", application.text) }
}
