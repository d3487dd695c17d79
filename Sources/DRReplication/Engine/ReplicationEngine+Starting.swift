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
                if record.isComplete, try await direction.source.committed(key.part("plan")) == nil {
                    return StartReport(application: application.name, cluster: direction.source.name, ready_at: clock.now(), changed: false)
                }
                let ready = try await start(application, at: direction.source, key, in: standing.epoch, call)
                return StartReport(application: application.name, cluster: direction.source.name, ready_at: ready, changed: true)
            }
        }
    }

    /// Gives all held workloads their original state in one commit, starts their processes, and waits until all are ready. Only then the record lets go
    /// of the originals, so that a start that was cut off is carried on by whoever comes next. Returns when all were ready.
    ///
    /// All of it belongs to `epoch`: carried on after the application went elsewhere or was stopped by somebody, it is refused. So is what the cluster's agent
    /// stopped in that epoch, unless it is the agent that starts it: another cluster may rely on it.
    func start(
        _ application: Application, at cluster: any Cluster, _ key: OperationKey, in epoch: Epoch, asAgent: Bool = false, _ call: EngineCall
    ) async throws -> Instant {
        let start = Start(application: application, cluster: cluster, key: key, epoch: epoch, call: call)
        let mark = try await cluster.document(.selfFenced(application.name))
        if !asAgent { try await requireNotSelfFenced(start, mark) }
        let plan = try await begin(start, mark)
        failpoint("engine.start.planned")
        _ = try await current(start)
        let started = try await scale(try plan.steps(), start)
        failpoint("engine.start.scaled")
        do {
            for together in HeldWorkload.together(started.filter(\.runs)) {
                _ = try await cluster.perform(.start, together.map { ($0.object, $0.replicas) })
                failpoint("engine.start.started")
            }
            _ = try await current(start)
        } catch {
            do { try await stopLate(started, start) } catch let second {
                throw Self.told(error, "what was started too late could not be stopped", second)
            }
            throw error
        }
        for workload in started where workload.runs { try await waitReady(workload, start) }
        failpoint("engine.start.ready")
        return try await finish(start)
    }

    /// Whoever slept right before it started processes may find that the application went elsewhere or was stopped, and by somebody who saw none of them: nobody
    /// else would stop these.
    private func stopLate(_ started: [HeldWorkload], _ start: Start) async throws {
        guard let record = try await start.cluster.record(of: start.name), record.active != start.cluster.name || !record.running else {
            return
        }
        for together in HeldWorkload.together(started.filter(\.runs)).reversed() {
            _ = try await start.cluster.perform(.stop, together.reversed().map { ($0.object, 0) })
        }
    }

    private struct Start {
        let application: Application
        let cluster: any Cluster
        let key: OperationKey
        let epoch: Epoch
        let call: EngineCall
        var name: ApplicationName { application.name }

        func guards(_ record: ApplicationRecord?) throws -> [Guard] {
            [.epoch(name, epoch), .document(.application(name), try record?.value())]
        }
    }

    private func requireNotSelfFenced(_ start: Start, _ mark: Value?) async throws {
        let (name, place) = (start.name, start.cluster.name)
        guard let mark, mark["epoch"].integer == start.epoch.number,
            try await start.cluster.record(of: name)?.running != true
        else { return }
        throw DRError(
            .notAllowed,
            "\(name) was \(mark["at_rest"] == true ? "kept" : "stopped") by the agent of \(place), as a cluster where it may have gone live did not answer",
            hint:
                "`drrunbook agent \(place)` starts it when all answer and nobody took it over; `drrunbook agent \(place) --resume --reason TEXT --yes` "
                + "is a person's word that the other cluster is gone for good")
    }

    /// From here on it counts as running: whatever was copied while it was stopped may no longer be all there is.
    private func begin(_ start: Start, _ mark: Value?) async throws -> StartDecision {
        let key = start.key.part("plan")
        let begun = try await once(at: start.cluster, key, EffectLog()) {
            let present = try await start.cluster.record(of: start.name)
            let answer = try Value(encoding: StartDecision(originals: present?.originals ?? [:]))
            // Its agent may have promised meanwhile that it stays at rest, which its record does not show.
            let guards = try start.guards(present) + [.document(.selfFenced(start.name), mark)]
            guard var next = present else { return Transaction(key, guards: guards, answer: answer) }
            next.running = true
            return Transaction(
                key, guards: guards,
                changes: [.write(.application(start.name), try next.value()), .remove(.synced(start.name)), .remove(.stopped(start.name))],
                answer: answer)
        }
        return try start.cluster.decoded(StartDecision.self, begun?.answer ?? .null, "start \(key)")
    }

    /// The record as this start left it. Throws `fenced` or `conflict` when somebody else moved or stopped the application since.
    private func current(_ start: Start) async throws -> ApplicationRecord? {
        guard let record = try await start.cluster.record(of: start.name) else { return nil }
        guard record.epoch == start.epoch, record.active == start.cluster.name else {
            throw DRError(
                .fenced, "\(start.name) was moved by somebody else: it is active at \(record.active) since epoch \(record.epoch)",
                hint: "look at `drrunbook status`, and begin anew", details: record.whereabouts(of: start.name))
        }
        guard record.running else {
            throw DRError(
                .conflict, "\(start.name) was stopped at \(start.cluster.name) by somebody else while it started", hint: "begin anew")
        }
        return record
    }

    /// The workloads as they are afterwards, without those that are gone.
    private func scale(_ steps: [(object: ObjectKey, state: String)], _ start: Start) async throws -> [HeldWorkload] {
        guard !steps.isEmpty else { return [] }
        let (cluster, key) = (start.cluster, start.key.part("scale"))
        let keys = Set(steps.map(\.object))
        _ = try await once(at: cluster, key, start.call.effects) {
            let record = try await current(start)
            let present = try await objects(keys, at: cluster)
            var transaction = Transaction(key, guards: try start.guards(record))
            for (object, state) in steps {
                guard let found = present[object], let workload = try HeldWorkload(found),
                    let effect = workload.effect(to: state, at: cluster.name)
                else { continue }
                transaction.guards.append(.object(object, text: found.text))
                transaction.changes.append(.put(try workload.setting(state)))
                transaction.effects.append(effect)
            }
            return transaction.effects.isEmpty ? nil : transaction
        }
        let present = try await objects(keys, at: cluster)
        return try HeldWorkload.among(steps.compactMap { present[$0.object] })
    }

    private func objects(_ keys: Set<ObjectKey>, at cluster: any Cluster) async throws -> [ObjectKey: ManifestObject] {
        Dictionary(try await cluster.objects(.keys(keys)).map { ($0.key, $0) }) { first, _ in first }
    }

    private func waitReady(_ workload: HeldWorkload, _ start: Start) async throws {
        let (cluster, patience) = (start.cluster, start.application.ready)
        let deadline = clock.now() + patience
        var pause = Duration.milliseconds(100)
        while true {
            let state = try await cluster.perform(.ready, [(workload.object, workload.replicas)]).first ?? .starting
            // Nothing of it was to run.
            if state == .ready || state == .virtual || workload.replicas == 0 { return }
            guard clock.now() < deadline else {
                throw DRError(
                    .timeout, "\(workload.object.key) at \(cluster.name) is \(state.rawValue), not ready, after \(patience.text)",
                    hint: "\(start.name) stays active at \(cluster.name); look at its processes there, then carry on")
            }
            try await clock.sleep(for: pause)
            pause = min(pause * 2, .seconds(2))
        }
    }

    private func finish(_ start: Start) async throws -> Instant {
        let now = clock.now()
        let key = start.key.part("running")
        let committed = try await once(at: start.cluster, key, EffectLog()) {
            guard let present = try await current(start) else { return nil }
            var next = present
            next.originals = [:]
            return Transaction(
                key, guards: try start.guards(present), changes: [.write(.application(start.name), try next.value())],
                answer: .instant(now))
        }
        failpoint("engine.start.noted")
        if case .instant(let instant)? = committed?.answer { return instant }
        return now
    }
}
