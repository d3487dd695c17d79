public import DRModel
internal import DRSupport

/// A person's word where nobody at a site can know.
extension ReplicationEngine {
    /// A person says that the clusters that do not answer are gone for good: what the agent stopped for their sake runs here again, in a new epoch and with
    /// the risk of two writers noted. Their silence stops it no more; one that answers again counts again. What cannot be started keeps no other from it: it is
    /// told as `failed`. Throws when nothing was started: `fenced` where one that answers took it over, `conflict` when all answer, `locked`, and `not-found`
    /// when the agent stopped nothing here.
    public func resumeAlone(_ name: ClusterName, reason: String, by person: String, _ call: EngineCall) async throws -> [AgentRound.Event] {
        let cluster = try cluster(name)
        let promises = AgentPromises(try known(try await cluster.agentMark(of: name), of: name, [:]))
        var reached: [any Cluster] = []
        for other in Set(peers(of: name)).union(promises.byCluster.keys).sorted() {
            do {
                _ = try await self.cluster(other).documents(in: .pairs)
                reached.append(try self.cluster(other))
            } catch let error as DRError where error.isSilence { continue }
        }
        var (events, failures): ([AgentRound.Event], [DRError]) = ([], [])
        for application in inventory.applications {
            do {
                guard let event = try await resumeAlone(application, at: cluster, reached, promises, reason, by: person, call) else {
                    continue
                }
                events.append(event)
            } catch let error as DRError {
                failures.append(error)
                events.append(AgentRound.Event(kind: .failed, application: application.name, message: error.message))
            }
        }
        try await release(run: call.holder.run)
        try await forget(run: call.holder.run)
        guard events.contains(where: { $0.kind != .failed }) else {
            throw failures.first.map { first in
                DRError(first.code, failures.map(\.message).joined(separator: "; "), hint: first.hint)
            } ?? DRError(.notFound, "the agent of \(name) stopped nothing there that could be started", hint: "see `drrunbook status`")
        }
        return events
    }

    private func resumeAlone(
        _ application: Application, at cluster: any Cluster, _ reached: [any Cluster], _ promises: AgentPromises, _ reason: String,
        by person: String, _ call: EngineCall
    ) async throws -> AgentRound.Event? {
        let name = cluster.name
        guard let mark = try await cluster.document(.selfFenced(application.name)) else { return nil }
        let home = home(of: application.name) ?? name
        let silent = Set(peers(of: name, for: application.name)).union(promises.clusters(relyingOn: application.name))
            .subtracting(reached.map(\.name)).sorted()
        guard !silent.isEmpty else {
            throw DRError(
                .conflict, "all clusters where \(application.name) could be live answer",
                hint: "`drrunbook agent \(name)` starts it by itself, unless one of them took it over")
        }
        try await lock(application.name, at: [cluster], for: call.holder)
        return try await inTurn(application.name) {
            var records: [ClusterName: ApplicationRecord] = [:]
            for place in [cluster] + reached { records[place.name] = try await place.record(of: application.name) }
            let standing = Standing(application: application.name, home: home, records: records)
            try standing.requireActive(at: name)
            let record = standing.effectiveRecord(at: name)
            guard mark["epoch"].integer == record.epoch.number, !record.isComplete else { return nil }
            // One above what a cluster that is not heard of may have given it in a disaster.
            var next = record
            next.epoch = record.epoch.next.next
            next.split_brain_risk = true
            var fenced = mark.map ?? [:]
            fenced["epoch"] = .integer(next.epoch.number)
            fenced["at"] = .instant(self.clock.now())
            let word: Value = [
                "clusters": .list(silent.map { .string($0.text) }), "reason": .string(reason), "by": .string(person),
                "at": .instant(self.clock.now()),
            ]
            self.visit(cluster, call.key)
            let committed = try await cluster.commit(
                Transaction(
                    call.key.part(application.name.text).part("alone"),
                    guards: [
                        .epoch(application.name, record.epoch),
                        .document(.application(application.name), try standing.record(at: name)?.value()),
                        .document(.selfFenced(application.name), mark),
                    ],
                    changes: [
                        .write(.application(application.name), try next.value()), .write(.alone(application.name), word),
                        .write(.selfFenced(application.name), .map(fenced)),
                    ], effects: [Effect(.activate, kind: "Application", name: application.name.text, at: name)]))
            call.effects.record(committed.effects)
            failpoint("engine.agent.alone")
            // From here on it is what the agent does when all answer again.
            let watch = Watch(application: application, cluster: cluster, reached: reached, silent: [], isOverdue: false, call: call)
            return try await self.look(watch) ?? self.event(.resumed, watch, "it was at rest, and may be started again")
        }
    }
}
