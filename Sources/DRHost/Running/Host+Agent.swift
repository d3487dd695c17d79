public import DRModel
internal import DRReplication

extension Host {
    /// A person says that the clusters that do not answer are gone: what the agent of `cluster` stopped runs there again, in a new epoch. Throws `unknown-name`,
    /// `conflict` when all answer, `fenced` when one that answers took it over, `not-found` when nothing was stopped.
    public func resumeAlone(_ cluster: ClusterName, reason: String) async throws -> [AgentRound.Event] {
        let call = try observation("agent-resume-\(cluster)")
        return try await engine(over: world).resumeAlone(cluster, reason: reason, by: identity.who, call)
    }

    /// The agent of a cluster: a round every few seconds until `isStopped` says so, or one, which promises nothing. Says which clusters could not be told that
    /// it ended. A round that fails is told and made again. Throws `unknown-name`.
    public func watch(
        _ cluster: ClusterName, once: Bool = false, until isStopped: @escaping @Sendable () -> Bool, tell: (Instant, AgentRound) -> Void
    ) async throws -> [ClusterName] {
        let engine = engine(over: world)
        let selfFence = configuration.clusters.first { $0.name == cluster }?.selfFence
        // So often that a lease is renewed several times before it runs out.
        let pause = min(.seconds(10), max(.seconds(1), (selfFence ?? .seconds(60)) / 5))
        var contacts: [ClusterName: Instant]?
        var silent: [ClusterName] = []
        repeat {
            let round: AgentRound
            do {
                round = try await engine.watch(
                    cluster, selfFence: selfFence, every: once ? nil : pause, contacts: contacts, try observation("agent-\(cluster)"))
            } catch let error as DRError where !once && error.code != .unknownName {
                // An agent that ends keeps nothing that it promised.
                let event = AgentRound.Event(kind: .failed, application: nil, message: error.message)
                round = AgentRound(contacts: contacts ?? [:], events: [event], silent: silent)
            }
            contacts = round.contacts
            if !round.events.isEmpty || round.silent != silent || once { tell(world.clock.now(), round) }
            silent = round.silent
            let wake = world.clock.now() + pause
            while !once, !isStopped(), world.clock.now() < wake { try await world.clock.sleep(for: .milliseconds(200)) }
        } while !once && !isStopped()
        return once || selfFence == nil ? [] : try await engine.withdrawAgent(cluster)
    }
}
