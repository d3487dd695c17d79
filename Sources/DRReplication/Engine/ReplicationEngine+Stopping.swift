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

    /// Stops processes, last started first, and returns when none runs any more. Throws `timeout`, `workload-failed`.
    func confirmStopped(_ workloads: [HeldWorkload], of application: Application, at cluster: any Cluster) async throws {
        // What is held for a snapshot, by a process that died, cannot stop.
        _ = try await cluster.letGo(application.name)
        for workload in workloads.reversed() where workload.runs && workload.isHeld {
            let deadline = clock.now() + application.ready
            while true {
                let state = try await cluster.workload(.stop, workload.object, replicas: 0)
                if state == .stopped || state == .virtual { break }
                guard clock.now() < deadline else {
                    throw DRError(
                        .timeout, "\(workload.object.key) at \(cluster.name) still runs \(application.ready.text) after it was stopped",
                        hint: "look at its processes there, then carry on")
                }
                try await clock.sleep(for: .seconds(1))
            }
        }
    }
}
