public import DRModel
internal import DRSupport

extension ReplicationEngine {
    public func openDrill(_ order: DrillOrder, _ call: EngineCall) async throws -> DrillReport {
        let direction = try await direction(order.pair, reversed: order.reversed)
        let destination = direction.destination
        let applications = try Set(order.applications).sorted().map { try application($0) }
        guard !applications.isEmpty else { throw DRError(.invalidInput, "no applications to drill", hint: "name at least one") }
        guard order.lease > .zero else {
            throw DRError(
                .invalidInput, "ttl: a drill of \(order.lease.text) would be over at once", hint: "expected a duration such as \"2h\"")
        }
        let key = call.key.part("open")
        if try await destination.committed(key) == nil { await removeExpiredDrills(at: destination, for: call.holder) }
        let committed = try await once(at: destination, key, call.effects) {
            let record = try await self.record(of: order, applications, at: destination, call)
            return Transaction(
                key, guards: [.document(.drill(record.id), nil)], changes: [.write(.drill(record.id), try record.value())],
                answer: try record.value())
        }
        failpoint("engine.drill.opened")
        let record = try destination.decoded(DrillRecord.self, committed?.answer ?? .null, "drill \(key)")
        for clone in record.clones { _ = call.points.symbol(for: clone.point.id, of: clone.application) }
        return record.report(at: destination.name)
    }

    private func record(
        of order: DrillOrder, _ applications: [Application], at destination: any Cluster, _ call: EngineCall
    ) async throws -> DrillRecord {
        let cluster = destination.name
        var namespaces: [String: String] = [:]
        for name in Set(inventory.applications.flatMap { $0.namespaces(at: cluster) }) { namespaces[name] = "\(name)-\(order.suffix)" }
        let own = Set(applications.flatMap { $0.namespaces(at: cluster) })
        for name in own.sorted() {
            let clone = "\(name)-\(order.suffix)"
            guard (try? ApplicationName(clone)) != nil, !clone.contains("."), clone.utf8.count <= 63 else {
                throw DRError(
                    .invalidInput, "suffix \"\(order.suffix)\": \"\(clone)\" is not a valid namespace",
                    hint: "use lower-case letters, digits and '-', at most 63 with the namespace's own name")
            }
        }
        var clones = Set(own.compactMap { namespaces[$0] })
        // All that is in them goes with the drill.
        if let real = clones.intersection(namespaces.keys).min() {
            let owners = inventory.applications.filter { $0.namespaces(at: cluster).contains(real) }.map(\.name.text)
            throw DRError(
                .invalidInput, "suffix \"\(order.suffix)\": \"\(real)\" is a namespace of \(owners.listed) itself",
                hint: "use another suffix")
        }
        let ours = clones.sorted()
        for other in try await destination.drills().sound where !clones.isDisjoint(with: other.ownNamespaces) {
            // A runbook that is run as a drill clones one application after the other.
            if other.run == call.holder.run, other.suffix == order.suffix, !other.isEnding {
                clones.subtract(other.ownNamespaces)
                continue
            }
            throw DRError(
                .conflict, "drill \(other.id) stands at \(cluster) under the same names until \(other.expires)",
                hint: "clean it up with `drrunbook cleanup \(other.id)`, or use another suffix")
        }
        if let taken = try await standing(in: clones, at: destination).first {
            throw DRError(
                .foreignObject, "\(cluster) already has \(taken.key), where the drill's clone would be", hint: "use another suffix")
        }
        var record = DrillRecord(
            id: try DrillRecord.id(for: call.key), pair: order.pair, suffix: order.suffix, begun: clock.now(),
            expires: clock.now() + order.lease, run: call.holder.run, namespaces: namespaces,
            ownNamespaces: ours, clones: [])
        for application in applications {
            let points = try await destination.points(of: application.name)
            let wanted = ActivationOrder(
                pair: order.pair, application: application.name, mode: .disaster, point: order.points[application.name.text])
            let point = try ActivationChoice.pick(wanted, from: points.sound, points.damaged, at: cluster)
            record.clones.append(DrillRecord.Clone(application: application.name, point: point))
        }
        for volume in try record.volumes() where try await destination.volumes.stat(volume) != nil {
            throw DRError(.foreignObject, "\(cluster) already has a volume \(volume)", hint: "use another suffix")
        }
        return record
    }

    /// Everything in these namespaces, and the namespaces themselves.
    func standing(in namespaces: Set<String>, at cluster: any Cluster) async throws -> [ManifestObject] {
        let all = Application(name: "drill", namespaces: namespaces.sorted())
        return try await cluster.objects(of: all).filter { object in
            object.key.namespace.map(namespaces.contains) ?? (object.key.kind == "Namespace" && namespaces.contains(object.key.name))
        }
    }

    // MARK: One clone

    private struct Cloning {
        let order: CloneOrder
        let application: Application
        let cluster: any Cluster
        let mended = Mended()
        let call: EngineCall
        var name: ApplicationName { application.name }
        func key(_ part: String) -> OperationKey { call.key.part(part) }
    }

    /// What is kept with the commit that places a clone.
    private struct CloneAnswer: Codable {
        let before: [Effect]
    }

    public func startClone(_ order: CloneOrder, _ call: EngineCall) async throws -> CloneReport {
        let cloning = Cloning(
            order: order, application: try application(order.application), cluster: try cluster(order.cluster), call: call)
        try await place(cloning)
        let placed = try await current(cloning)
        for volume in placed.clone.point.volumes {
            try await cloning.cluster.volumes.discard(placed.record.stagingKey(cloning.name, volume.name))
        }
        failpoint("engine.drill.discarded")
        let started = try await start(cloning)
        for workload in started where workload.runs { try await waitReady(workload, cloning) }
        let ready = try await settle(cloning)
        let (record, clone, _) = try await current(cloning)
        let objects = try await standing(in: Set(record.ownNamespaces), at: cloning.cluster)
        let own = Set(cloning.application.namespaces(at: order.cluster).compactMap { record.namespaces[$0] })
        return CloneReport(
            application: cloning.name, cluster: order.cluster, recovery_point: clone.point.id, instant: clone.point.instant,
            ready_at: ready,
            endpoints: try CloneForm.endpoints(objects.filter { $0.key.namespace.map(own.contains) ?? false }), left_out: clone.leftOut,
            warnings: cloning.mended.warnings)
    }

    /// The drill as it is. Throws `conflict` when it is over: whoever cleans up must find nothing new.
    private func current(_ cloning: Cloning) async throws -> (record: DrillRecord, clone: DrillRecord.Clone, document: Value) {
        let (id, cluster) = (cloning.order.drill, cloning.cluster)
        guard let document = try await cluster.document(.drill(id)) else {
            throw DRError(.conflict, "drill \(id) was cleaned up meanwhile", hint: "begin a new one")
        }
        let record = try cluster.decoded(DrillRecord.self, document, "drill \(id)")
        guard !record.isEnding, record.expires > clock.now() else {
            throw DRError(.conflict, "drill \(id) is over since \(record.expires)", hint: "begin a new one, with a longer ttl")
        }
        guard let index = record.index(of: cloning.name) else {
            throw DRError(.notFound, "\(cloning.name) is no part of drill \(id)")
        }
        return (record, record.clones[index], document)
    }

    private func place(_ cloning: Cloning) async throws {
        let (cluster, call) = (cloning.cluster, cloning.call)
        let key = cloning.key("place")
        if let earlier = try await cluster.committed(key) {
            call.effects.record(try cluster.decoded(CloneAnswer.self, earlier.answer, "drill \(key)").before + earlier.effects)
            return
        }
        let (record, clone, document) = try await current(cloning)
        if clone.isPlaced { return }
        let point = clone.point
        let store = try await pair(record.pair).objectStore
        func mending<Result>(_ body: () async throws -> Result) async throws -> Result {
            try await self.mending(point, at: cluster, from: store, cloning.mended, call, body)
        }
        if point.verifiedAt == nil { try await mending { try await cluster.volumes.verify(point) } }
        let form = ClusterForm(application: cloning.application, cluster: cluster.name)
        let manifests = try CarriedObjects.of(try await mending { try await cluster.volumes.manifests(of: point) })
            .map { try form.local($0).object }
        let placement = try ClonePlacement(clone, of: record, manifests: manifests, at: cluster.name)
        let symbol = call.points.symbol(for: point.id, of: cloning.name)
        var staged: [StagedVolume] = []
        var before: [Effect] = []
        for volume in point.volumes {
            let name = try record.volume(volume.name)
            let staging = record.stagingKey(cloning.name, volume.name)
            staged.append(try await mending { try await cluster.volumes.materialise(volume, of: point, as: name, key: staging) })
            before.append(Effect(.materialise, .volume(name), to: symbol, at: cluster.name))
            failpoint("engine.drill.materialised")
        }
        var present: [ObjectKey: ManifestObject] = [:]
        for object in try await cluster.objects(.keys(Set(placement.objects.map(\.key)))) { present[object.key] = object }
        // Materialising takes long: is it still ours to go on with?
        guard try await current(cloning).document == document else {
            throw DRError(.conflict, "drill \(record.id) was changed by somebody else meanwhile", hint: "try again")
        }
        var transaction = try placement.transaction(key, before: document, present: present, staged: staged)
        transaction.answer = try Value(encoding: CloneAnswer(before: before))
        let committed = try await cluster.commit(transaction)
        call.effects.record(before + committed.effects)
        failpoint("engine.drill.placed")
    }

    private func start(_ cloning: Cloning) async throws -> [HeldWorkload] {
        let cluster = cloning.cluster
        var started: [HeldWorkload] = []
        for original in try await current(cloning).clone.originals {
            guard let object = ObjectKey(reference: original.object) else {
                throw DRError(.damaged, "\"\(original.object)\" names no object of drill \(cloning.order.drill)")
            }
            let key = cloning.key("scale").part(original.object)
            _ = try await once(at: cluster, key, cloning.call.effects) {
                let document = try await current(cloning).document
                guard let present = try await cluster.object(object), let workload = try HeldWorkload(present),
                    let effect = workload.effect(to: original.state, at: cluster.name)
                else { return nil }
                return Transaction(
                    key, guards: [.document(.drill(cloning.order.drill), document), .object(object, text: present.text)],
                    changes: [.put(try workload.setting(original.state))], effects: [effect])
            }
            failpoint("engine.drill.scaled")
            if let workload = try await cluster.object(object).flatMap({ try HeldWorkload($0) }) { started.append(workload) }
        }
        for workload in started where workload.runs {
            _ = try await cluster.workload(.startClone, workload.object, replicas: workload.replicas)
            failpoint("engine.drill.started")
        }
        return started
    }

    private func waitReady(_ workload: HeldWorkload, _ cloning: Cloning) async throws {
        let (cluster, patience) = (cloning.cluster, cloning.application.ready)
        let deadline = clock.now() + patience
        while workload.replicas > 0 {
            let state = try await cluster.workload(.readyClone, workload.object, replicas: workload.replicas)
            if state == .ready || state == .virtual { return }
            guard clock.now() < deadline else {
                throw DRError(
                    .timeout,
                    "the clone's \(workload.object.key) at \(cluster.name) is \(state.rawValue), not ready, after \(patience.text)",
                    hint: "look at it there, then clean up drill \(cloning.order.drill)")
            }
            try await clock.sleep(for: .milliseconds(500))
        }
    }

    private func settle(_ cloning: Cloning) async throws -> Instant {
        let now = clock.now()
        let key = cloning.key("ready")
        let committed = try await once(at: cloning.cluster, key, EffectLog()) {
            let (record, clone, document) = try await current(cloning)
            var next = record
            if let index = next.index(of: cloning.name) { next.clones[index].ready = now }
            let last = LastDrill(id: record.id, ready_at: now, recovery_point: clone.point.id, rto: now - record.begun)
            return Transaction(
                key, guards: [.document(.drill(record.id), document)],
                changes: [.write(.drill(record.id), try next.value()), .write(.drilled(cloning.name), try Value(encoding: last))],
                answer: .instant(now))
        }
        failpoint("engine.drill.ready")
        if case .instant(let instant)? = committed?.answer { return instant }
        return now
    }
}
