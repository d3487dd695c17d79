public import DRModel
internal import DRReplication

extension Host {
    /// A person says that the clusters that do not answer are gone: what the agent of `cluster` stopped runs there again, in a new epoch. Throws `unknown-name`,
    /// `conflict` when all answer, `fenced` when one that answers took it over, `not-found` when nothing was stopped.
    public func resumeAlone(_ cluster: ClusterName, reason: String) async throws -> [AgentRound.Event] {
        let call = try observation("agent-resume-\(cluster)")
        return try await engine(over: world).resumeAlone(cluster, reason: reason, by: identity.who, call)
    }

    /// The agent of a cluster: a round every few seconds until `isStopped` says so, or one, which promises nothing. Ending, it takes back what it promised, and
    /// where it cannot, keeps it: stops what a cluster that does not answer relies on (`kept`). Returns the clusters that could not be told. A round that
    /// fails is told and made again. Throws `unknown-name`.
    public func watch(
        _ cluster: ClusterName, once: Bool = false, until isStopped: @escaping @Sendable () -> Bool,
        tell: @escaping @Sendable (Instant, AgentRound) -> Void
    ) async throws -> [ClusterName] {
        let (engine, clock) = (engine(over: world), world.clock)
        let selfFence = configuration.clusters.first { $0.name == cluster }?.selfFence
        // So often that a lease is renewed several times before it runs out.
        let pause = min(.seconds(10), max(.seconds(1), (selfFence ?? .seconds(60)) / 5))
        var contacts: [ClusterName: Instant]?
        var silent: [ClusterName] = []
        var isCancelled = false
        repeat {
            let round: AgentRound
            do {
                round = try await engine.watch(
                    cluster, selfFence: selfFence, every: once ? nil : pause, contacts: contacts, try observation("agent-\(cluster)"))
            } catch {
                let known = error as? DRError
                // Before anything was promised. After that nothing but an end in order ends it.
                if once || known?.code == .unknownName { throw error }
                let event = AgentRound.Event(kind: .failed, application: nil, message: known?.message ?? "\(error)")
                round = AgentRound(contacts: contacts ?? [:], events: [event], silent: silent)
            }
            contacts = round.contacts
            if !round.events.isEmpty || round.silent != silent || once { tell(clock.now(), round) }
            silent = round.silent
            // By what passed: the time of day may be set back meanwhile.
            let wake = clock.uptime() + pause
            while !once, !isCancelled, !isStopped(), clock.uptime() < wake {
                do { try await clock.sleep(for: .milliseconds(200)) } catch { isCancelled = true }
            }
        } while !once && !isCancelled && !isStopped()
        if once { return [] }
        return try await engine.endAgent(cluster, try observation("agent-\(cluster)")) { event in
            tell(clock.now(), AgentRound(contacts: [:], events: [event], silent: []))
        }
    }
}
