public import DRModel
internal import DRReplication

extension Host {
    /// The agent of a cluster: a round every few seconds until `isStopped` says so, or one. A round that fails is told and made again. Throws `unknown-name`.
    public func watch(
        _ cluster: ClusterName, once: Bool = false, until isStopped: @escaping @Sendable () -> Bool, tell: (Instant, AgentRound) -> Void
    ) async throws {
        let engine = engine(over: world)
        let selfFence = configuration.clusters.first { $0.name == cluster }?.selfFence
        // So often that a lease is renewed several times before it runs out.
        let pause = min(.seconds(10), max(.seconds(1), (selfFence ?? .seconds(60)) / 5))
        var contact: Instant?
        var silent: [ClusterName] = []
        repeat {
            let round = try await engine.watch(cluster, selfFence: selfFence, contact: contact, try observation("agent-\(cluster)"))
            contact = round.contact
            if !round.events.isEmpty || round.silent != silent || once { tell(world.clock.now(), round) }
            silent = round.silent
            let wake = world.clock.now() + pause
            while !once, !isStopped(), world.clock.now() < wake { try await world.clock.sleep(for: .milliseconds(200)) }
        } while !once && !isStopped()
    }
}
