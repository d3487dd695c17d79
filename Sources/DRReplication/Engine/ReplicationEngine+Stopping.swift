public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// Holds every workload (replicas 0, CronJobs suspended) in one commit that also keeps what they were, then stops their processes, last started first.
    public func stop(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StopReport {
        let direction = try await direction(order.pair, reversed: order.reversed)
        let application = try application(order.application)
        return try await namingSource(direction) {
            try await lock(application.name, at: [direction.destination, direction.source], for: call.holder)
            return try await inTurn(application.name) { try await stop(application, direction, call) }
        }
    }

    private func stop(_ application: Application, _ direction: Direction, _ call: EngineCall) async throws -> StopReport {
        let source = direction.source
        let key = call.key.part("stop")
        let standing = try await standing(of: application.name, direction)
        if try await source.committed(key) == nil { try standing.requireActive(at: source.name) }
        let committed = try await once(at: source, key, call.effects) {
            let objects = try CarriedObjects.of(try await source.objects(of: application))
            guard !objects.isEmpty else {
                throw DRError(.notFound, "\(source.name) has no objects of \(application.name)", hint: "see its namespaces in dr.yaml")
            }
            return try StopDecision(
                application: application.name, objects: objects, record: standing.record(at: source.name), standing: standing,
                at: source.name
            ).transaction(key)
        }
        failpoint("engine.stop.held")
        // Carried on after somebody started it again, it would report what is not so.
        if let record = try await source.record(of: application.name), record.running, record.active == source.name {
            throw DRError(
                .conflict, "\(application.name) was started again at \(source.name) by somebody else since it was stopped",
                hint: "look at `drrunbook status`, and begin anew")
        }
        let workloads = try HeldWorkload.among(try CarriedObjects.of(try await source.objects(of: application)))
        try await confirmStopped(workloads, of: application, at: source)
        failpoint("engine.stop.stopped")
        return StopReport(application: application.name, cluster: source.name, stopped_at: clock.now(), changed: committed != nil)
    }

    /// Stops processes, last started first, those that started together side by side, and returns when none runs any more. `alone`: no other operation of this
    /// process goes on meanwhile. `within`: how long all of it may take; nil = each as long as the application takes to be ready. Throws `timeout`,
    /// `workload-failed`.
    func confirmStopped(
        _ workloads: [HeldWorkload], of application: Application, at cluster: any Cluster, alone: Bool = false,
        within patience: Duration? = nil
    ) async throws {
        let end = patience.map { clock.now() + $0 }
        // What is held for a snapshot, by a process that died, cannot stop.
        _ = try await cluster.letGo(application.name)
        for together in HeldWorkload.together(workloads.filter { $0.runs && $0.isHeld }).reversed() {
            let deadline = end ?? clock.now() + application.ready
            var running = Array(together.reversed())
            while true {
                var states: [WorkloadState] = []
                if alone {
                    for workload in running { states.append(try await cluster.workload(.stop, workload.object, replicas: 0)) }
                } else {
                    states = try await cluster.perform(.stop, running.map { ($0.object, 0) })
                }
                running = zip(running, states).filter { $1 != .stopped && $1 != .virtual }.map(\.0)
                guard let first = running.first else { break }
                guard clock.now() < deadline else {
                    let time = (patience ?? application.ready).text
                    throw DRError(
                        .timeout, "\(first.object.key) at \(cluster.name) still runs \(time) after it was stopped",
                        hint: "look at its processes there, then carry on")
                }
                try await clock.sleep(for: .seconds(1))
            }
        }
    }
}
