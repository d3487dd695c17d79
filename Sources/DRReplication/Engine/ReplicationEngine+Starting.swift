public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// The way back from `stop`. Throws `fenced` where the application is no longer active.
    public func restart(_ order: ApplicationOrder, _ call: EngineCall) async throws -> StartReport {
        let direction = try await direction(order.pair, reversed: order.reversed)
        let application = try application(order.application)
        return try await namingSource(direction) {
            try await lock(application.name, at: [direction.destination, direction.source], for: call.holder)
            return try await inTurn(application.name) {
                let key = call.key.part("start")
                let standing = try await standing(of: application.name, direction)
                try standing.requireActive(at: direction.source.name)
                let record = standing.effectiveRecord(at: direction.source.name)
                if record.running, try await direction.source.committed(key.part("running")) == nil {
                    return StartReport(application: application.name, cluster: direction.source.name, ready_at: clock.now(), changed: false)
                }
                let ready = try await start(application, at: direction.source, key, call)
                return StartReport(application: application.name, cluster: direction.source.name, ready_at: ready, changed: true)
            }
        }
    }

    /// Gives every held workload its original replicas, one commit each, starts their processes, and waits until all are ready. Only then the record says
    /// that the application runs, so that a start that was cut off is carried on by whoever comes next. Returns when all were ready.
    func start(_ application: Application, at cluster: any Cluster, _ key: OperationKey, _ call: EngineCall) async throws -> Instant {
        let plan: StartDecision
        let planKey = key.part("plan")
        let planned = try await once(at: cluster, planKey, EffectLog()) {
            let record = try await cluster.record(of: application.name)
            return Transaction(planKey, answer: try Value(encoding: StartDecision(originals: record?.originals ?? [:])))
        }
        plan = try cluster.decoded(StartDecision.self, planned?.answer ?? .null, "start \(key)")
        failpoint("engine.start.planned")

        var started: [HeldWorkload] = []
        for (object, state) in try plan.steps() {
            if let workload = try await scale(object, to: state, of: application, at: cluster, key, call) { started.append(workload) }
            failpoint("engine.start.scaled")
        }
        for workload in started where workload.runs {
            _ = try await cluster.workload(.start, workload.object, replicas: workload.replicas)
            failpoint("engine.start.started")
        }
        for workload in started where workload.runs { try await waitReady(workload, of: application, at: cluster) }
        failpoint("engine.start.ready")
        return try await noteRunning(application, at: cluster, key, call)
    }

    /// The workload as it is afterwards; nil when it is gone.
    private func scale(
        _ object: ObjectKey, to state: String, of application: Application, at cluster: any Cluster, _ key: OperationKey, _ call: EngineCall
    ) async throws -> HeldWorkload? {
        let key = key.part("scale").part(object.reference)
        _ = try await once(at: cluster, key, call.effects) {
            guard let present = try await cluster.object(object), let workload = try HeldWorkload(present),
                let effect = workload.effect(to: state, at: cluster.name)
            else { return nil }
            let epoch = try await cluster.record(of: application.name)?.epoch ?? .first
            return Transaction(
                key, guards: [.epoch(application.name, epoch), .object(object, text: present.text)],
                changes: [.put(try workload.setting(state))], effects: [effect])
        }
        return try await cluster.object(object).flatMap { try HeldWorkload($0) }
    }

    private func waitReady(_ workload: HeldWorkload, of application: Application, at cluster: any Cluster) async throws {
        let deadline = clock.now() + application.ready
        var pause = Duration.milliseconds(100)
        while true {
            let state = try await cluster.workload(.ready, workload.object, replicas: workload.replicas)
            // Nothing of it was to run.
            if state == .ready || state == .virtual || workload.replicas == 0 { return }
            guard clock.now() < deadline else {
                throw DRError(
                    .timeout, "\(workload.object.key) at \(cluster.name) is \(state.rawValue), not ready, after \(application.ready.text)",
                    hint: "\(application.name) stays active at \(cluster.name); look at its processes there, then carry on")
            }
            try await clock.sleep(for: pause)
            pause = min(pause * 2, .seconds(2))
        }
    }

    private func noteRunning(_ application: Application, at cluster: any Cluster, _ key: OperationKey, _ call: EngineCall) async throws
        -> Instant
    {
        let now = clock.now()
        let key = key.part("running")
        let committed = try await once(at: cluster, key, call.effects) {
            guard let present = try await cluster.record(of: application.name) else { return nil }
            var next = present
            next.running = true
            next.originals = [:]
            return Transaction(
                key, guards: [.epoch(application.name, present.epoch), .document(.application(application.name), try present.value())],
                changes: [.write(.application(application.name), try next.value()), .remove(.synced(application.name))],
                answer: .instant(now))
        }
        failpoint("engine.start.noted")
        if case .instant(let instant)? = committed?.answer { return instant }
        return now
    }
}
