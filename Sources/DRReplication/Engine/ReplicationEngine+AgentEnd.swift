public import DRModel
internal import DRSupport

/// How an agent ends: what it promised is taken back or kept, and never left to nobody.
extension ReplicationEngine {
    /// So long an agent that ends goes on trying to tell its peers: longer than most interruptions, and well within the time that service managers give.
    public static let lastWords: Duration = .seconds(15)

    /// The agent of a cluster ends: takes back what it promised its peers. Where one does not answer, it tries for `lastWords`, no longer than the promise allows;
    /// then it stops at once what that peer was promised, as if the time were over, and tries until it has. So it returns only when nobody relies on it any
    /// more for anything that runs. Returns the clusters that could not be told. `told`: what was stopped, and what could not be yet.
    public func endAgent(
        _ name: ClusterName, _ call: EngineCall, told: @Sendable (AgentRound.Event) -> Void
    ) async throws -> [ClusterName] {
        let began = clock.now()
        var (problem, isCancelled, tries) = (String?.none, false, 0)
        while true {
            tries += 1
            do {
                let promises = try await withdraw(name)
                let untold = promises.byCluster.keys.sorted()
                if untold.isEmpty { return [] }
                let until = promises.byCluster.values.map(\.end).reduce(began + Self.lastWords, min)
                if tries == 1 {
                    let text = "\(untold.map(\.text).listed) relies on it and does not answer"
                    told(AgentRound.Event(kind: .ending, application: nil, message: text))
                }
                if isCancelled || clock.now() >= until {
                    let own = EngineCall(
                        key: call.key.part("\(tries)"), holder: call.holder, effects: call.effects, points: call.points)
                    try await keep(name, promises, own, told)
                    return untold
                }
            } catch {
                let message = (error as? DRError)?.message ?? "\(error)"
                if message != problem { told(AgentRound.Event(kind: .failed, application: nil, message: message)) }
                problem = message
                // Whoever embeds this wants it to end, and nothing can be stopped.
                if isCancelled { throw error }
            }
            do { try await clock.sleep(for: .seconds(1)) } catch { isCancelled = true }
        }
    }

    /// The promises of which it could not be told that they are over.
    private func withdraw(_ name: ClusterName) async throws -> AgentPromises {
        let own = try cluster(name)
        let before = try await own.agentMark(of: name)
        var promises = AgentPromises(try known(before, of: name, [:]))
        for other in Set(peers(of: name)).union(promises.byCluster.keys).sorted() {
            do {
                try await cluster(other).noteAgent(mark(of: name, at: clock.now(), nil, nil))
                promises.heard(nil, by: other)
            } catch is DRError { continue }
        }
        // Whoever comes after it still keeps what those were promised that could not be told.
        let contacts = before?.contacts?.filter { promises.noted?[$0.key] != nil }
        try await own.noteAgent(
            AgentMark(cluster: name, at: clock.now(), lease: nil, every: .zero, contacts: contacts, promises: promises.noted))
        return promises
    }

    /// Stops what the clusters were promised would be stopped. Throws when something still runs, after all others were tried.
    private func keep(
        _ name: ClusterName, _ promises: AgentPromises, _ call: EngineCall, _ told: @Sendable (AgentRound.Event) -> Void
    ) async throws {
        let cluster = try cluster(name)
        var failure = forgotten(promises, reached: []).first.map { DRError(.notFound, $0.message) }
        for application in inventory.applications {
            do {
                let relying = promises.clusters(relyingOn: application.name)
                let silent = try await awaited(application.name, at: cluster, reached: [], promises).filter(relying.contains)
                guard !silent.isEmpty else { continue }
                let watch = Watch(application: application, cluster: cluster, reached: [], silent: silent, isOverdue: true, call: call)
                let event = try await inTurn(application.name) { () async throws -> AgentRound.Event? in
                    var records: [ClusterName: ApplicationRecord] = [:]
                    records[name] = try await cluster.record(of: application.name)
                    guard let home = try await self.home(of: watch, records[name]) else { return nil }
                    let standing = Standing(application: application.name, home: home, records: records)
                    let own = standing.effectiveRecord(at: name)
                    guard own.active == name else { return nil }
                    guard own.running else {
                        // Also when an earlier try, or a round before, committed it and its processes did not stop.
                        let mark = try await cluster.document(.selfFenced(application.name))
                        if mark != nil { try await confirmHeld(watch) }
                        return mark?["epoch"].integer == own.epoch.number ? nil : try await forbidStart(watch, standing, mark)
                    }
                    try await selfFence(watch, standing)
                    return self.event(
                        .kept, watch,
                        "\(silent.map(\.text).listed) could not be told that the agent ends: stopped here, as it was promised")
                }
                if let event { told(event) }
            } catch let error as DRError {
                failure = failure ?? DRError(error.code, "\(application.name): \(error.message)", hint: error.hint)
            }
        }
        try await release(run: call.holder.run)
        try await forget(run: call.holder.run)
        if let failure { throw failure }
    }
}
