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
        _ name: ClusterName, selfFence: Duration?, _ call: EngineCall, told: @Sendable (AgentRound.Event) -> Void
    ) async throws -> [ClusterName] {
        let began = clock.now()
        var (problem, isCancelled, tries) = (String?.none, false, 0)
        while true {
            tries += 1
            do {
                let (untold, reached) = try await withdraw(name)
                if untold.isEmpty { return [] }
                var until = began + Self.lastWords
                if let reached, let selfFence { until = min(until, reached + selfFence) }
                if tries == 1 {
                    let text = "\(untold.sorted().map(\.text).listed) relies on it and does not answer"
                    told(AgentRound.Event(kind: .ending, application: nil, message: text))
                }
                if isCancelled || clock.now() >= until {
                    let own = EngineCall(
                        key: call.key.part("\(tries)"), holder: call.holder, effects: call.effects, points: call.points)
                    try await keep(name, to: untold, own, told)
                    return untold.sorted()
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

    /// Which clusters hold a promise and could not be told that it is over, and when the first of them was last reached.
    private func withdraw(_ name: ClusterName) async throws -> (untold: Set<ClusterName>, reached: Instant?) {
        let own = try cluster(name)
        let before = try await own.agentMark(of: name)
        var untold = before?.promises ?? []
        for other in peers(of: name) {
            do {
                try await cluster(other).noteAgent(mark(of: name, at: clock.now(), nil, nil, for: other))
                untold.remove(other)
            } catch is DRError { continue }
        }
        untold.formIntersection(peers(of: name))
        // Whoever comes after it still keeps what those were promised that could not be told.
        let contacts = before?.contacts?.filter { entry in untold.contains { $0.text == entry.key } }
        try await own.noteAgent(
            AgentMark(cluster: name, at: clock.now(), lease: nil, every: .zero, contacts: contacts, promised: untold.sorted()))
        return (untold, contacts?.values.min())
    }

    /// Stops what the clusters were promised would be stopped. Throws when something still runs, after all others were tried.
    private func keep(
        _ name: ClusterName, to untold: Set<ClusterName>, _ call: EngineCall, _ told: @Sendable (AgentRound.Event) -> Void
    ) async throws {
        let cluster = try cluster(name)
        var failure: DRError?
        for application in inventory.applications {
            do {
                let silent = try await awaited(application.name, at: cluster, reached: []).filter(untold.contains)
                guard !silent.isEmpty, let home = home(of: application.name) else { continue }
                let watch = Watch(application: application, cluster: cluster, reached: [], silent: silent, isOverdue: true, call: call)
                let event = try await inTurn(application.name) { () async throws -> AgentRound.Event? in
                    var records: [ClusterName: ApplicationRecord] = [:]
                    records[name] = try await cluster.record(of: application.name)
                    let standing = Standing(application: application.name, home: home, records: records)
                    let own = standing.effectiveRecord(at: name)
                    guard own.active == name else { return nil }
                    guard own.running else {
                        // Also when an earlier try, or a round before, committed it and its processes did not stop.
                        if try await cluster.document(.selfFenced(application.name)) != nil { try await confirmHeld(watch) }
                        return nil
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

extension AgentMark {
    /// Which clusters it promised something. One of an older version does not say: all that it knew.
    var promises: Set<ClusterName> {
        if let promised { return Set(promised) }
        return lease == nil && contacts?.isEmpty != false ? [] : Set((contacts ?? [:]).keys.compactMap { try? ClusterName($0) })
    }
}
