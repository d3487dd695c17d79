internal import DRModel
internal import DRSupport

/// What the agent of a cluster knows of its promises, and of the time that passed since.
extension ReplicationEngine {
    /// What is noted in the agent's own mark.
    func known(_ mark: AgentMark?, of name: ClusterName, _ contacts: [ClusterName: Instant]) throws -> [ClusterName: AgentMark.Promise] {
        guard let mark else { return [:] }
        var promises: [ClusterName: AgentMark.Promise] = [:]
        for (other, promise) in mark.promises ?? [:] { promises[try ClusterName(other)] = promise }
        // An older version noted no more than to whom.
        for other in mark.promised ?? [] where promises[other] == nil {
            promises[other] = AgentMark.Promise(
                at: contacts[other] ?? mark.contacts?[other.text] ?? mark.at, lease: mark.lease ?? selfFence[name] ?? .zero,
                applications: covered(by: other, at: name))
        }
        return promises
    }

    /// The applications that could be live at another cluster, so that it is promised that they are stopped.
    func covered(by other: ClusterName, at name: ClusterName) -> [ApplicationName] {
        inventory.applications.map(\.name).filter { peers(of: name, for: $0).contains(other) }.sorted()
    }

    /// What was promised of applications that dr.yaml no longer names cannot be kept: nobody knows what to stop.
    func forgotten(_ promises: AgentPromises, reached: Set<ClusterName>) -> [AgentRound.Event] {
        let known = Set(inventory.applications.map(\.name))
        return promises.byCluster.sorted { $0.key < $1.key }.filter { !reached.contains($0.key) }.flatMap { cluster, promise in
            promise.applications.filter { !known.contains($0) }.map { application in
                AgentRound.Event(
                    kind: .failed, application: application,
                    message: "\(cluster) does not answer and relies on its being stopped here at \(promise.end), but dr.yaml no longer "
                        + "names it: put it back until \(cluster) was told")
            }
        }
    }

    /// Clusters that dr.yaml no longer names, so that they cannot be told, and of which a person said that they are gone.
    func released(_ promises: AgentPromises, at cluster: any Cluster) async throws -> [ClusterName] {
        var released: [ClusterName] = []
        for (other, promise) in promises.byCluster.sorted(by: { $0.key < $1.key }) where clusters[other] == nil {
            var isRelied = false
            for application in promise.applications where inventory.application(application) != nil {
                let word = try await cluster.document(.alone(application))?["clusters"].list ?? []
                isRelied = isRelied || !word.contains(.string(other.text))
            }
            if !isRelied { released.append(other) }
        }
        return released
    }

    /// By how much the time of day was set back since the last round in this process. Set forward counts as passed: a machine that was stopped as a whole finds just that,
    /// and whoever relies on a promise did not wait for it.
    func jumpOfClock(at name: ClusterName) -> Duration {
        let (now, uptime) = (clock.now(), clock.uptime())
        defer { rounds[name] = (now, uptime) }
        guard let last = rounds[name] else { return .zero }
        let jump = (now - last.now) - (uptime - last.uptime)
        // Less is how clocks are kept right, and how long it takes to read two of them.
        return jump > .seconds(-1) ? .zero : jump
    }
}

extension DRError {
    /// Nobody answered; any other error is an answer. A cluster that dr.yaml no longer names is not asked.
    var isSilence: Bool { code == .clusterUnreachable || code == .unknownName }
}
