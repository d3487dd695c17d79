public import DRModel
internal import DRSupport

extension ReplicationEngine {
    private static let remembersDrills = Duration.seconds(90 * 86_400)

    public func drills() async throws -> [DrillStatus] { try await standingDrills().found }

    /// The drills that stand, oldest first, at the clusters that answer, and the clusters that do not.
    public func standingDrills() async throws -> (found: [DrillStatus], silent: [ClusterName]) {
        var (found, silent): ([DrillStatus], [ClusterName]) = ([], [])
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                found += try await cluster.drills().sound.map { $0.status(at: cluster.name, now: clock.now()) }
            } catch let error as DRError where error.code == .clusterUnreachable {
                silent.append(cluster.name)
            }
        }
        return (found.sorted { ($0.begun, $0.id) < ($1.begun, $1.id) }, silent)
    }

    /// Removes what is left of it; nothing is changed where that was done before. Throws `unknown-name` when there never was such a drill, and
    /// `cluster-unreachable` while it may stand, or have stood, where nobody can look.
    public func cleanUp(_ drill: DrillID, _ call: EngineCall) async throws -> CleanupReport {
        var silent: DRError?
        var known: Set<String> = []
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                let isDone = try await cluster.committed(call.key.part("removed")) != nil
                let isHere = try await cluster.document(.drill(drill)) != nil
                if isDone || isHere { return try await cleanUp(drill, at: cluster, call) }
                for folder in [DocumentPath.drills, .removed] { known.formUnion(try await cluster.documents(in: folder).map(\.lastName)) }
            } catch let error as DRError where error.code == .clusterUnreachable {
                silent = error
            }
        }
        if known.contains(drill.text) { return CleanupReport(drill: drill, removed: 0, left: [], changed: false) }
        if let silent { throw silent }
        throw DRError(
            .unknownName, "there is no drill \"\(drill)\"\(Spelling.hint(for: drill.text, in: known.sorted()))",
            hint: known.isEmpty ? "no drill was ever made" : "known: \(known.sorted().joined(separator: ", "))")
    }

    /// Drills whose host died, or whose lease was over before it cleaned up. One that cannot be removed stays listed: it must not hold up anything else.
    func removeExpiredDrills(at cluster: any Cluster, for holder: LockHolder) async {
        guard let listed = try? await cluster.drills() else { return }
        for drill in listed.sound where drill.expires <= clock.now() {
            let key = OperationKey("expired/\(drill.id)/\(random.identifier())")
            _ = try? await cleanUp(drill.id, at: cluster, EngineCall(key: key, holder: holder))
        }
    }

    private func cleanUp(_ drill: DrillID, at cluster: any Cluster, _ call: EngineCall) async throws -> CleanupReport {
        let record = try await end(drill, at: cluster, call)
        failpoint("engine.cleanup.ending")
        try await stop(record, at: cluster, call)
        failpoint("engine.cleanup.stopped")
        let key = call.key.part("removed")
        let committed = try await once(at: cluster, key, call.effects) { try await self.removal(of: record, key, at: cluster) }
        failpoint("engine.cleanup.removed")
        for clone in record.clones {
            for volume in clone.point.volumes { try await cluster.volumes.discard(record.stagingKey(clone.application, volume.name)) }
        }
        try await cluster.volumes.discard(key)
        failpoint("engine.cleanup.discarded")
        var left = try await standing(in: placed(record, at: cluster), at: cluster).map(\.key.description)
        for volume in try record.volumes(placed: true) where try await cluster.volumes.stat(volume) != nil {
            left.append("volume \(volume)")
        }
        return CleanupReport(drill: drill, removed: committed?.answer.integer.map { Int($0) } ?? 0, left: left, changed: true)
    }

    /// From here on nobody adds anything to it.
    private func end(_ drill: DrillID, at cluster: any Cluster, _ call: EngineCall) async throws -> DrillRecord {
        let key = call.key.part("ending")
        let committed = try await once(at: cluster, key, EffectLog()) {
            guard let document = try await cluster.document(.drill(drill)) else { return nil }
            var record = try cluster.decoded(DrillRecord.self, document, "drill \(drill)")
            record.isEnding = true
            return Transaction(
                key, guards: [.document(.drill(drill), document)], changes: [.write(.drill(drill), try record.value())],
                answer: try record.value())
        }
        return try cluster.decoded(DrillRecord.self, committed?.answer ?? .null, "drill \(drill)")
    }

    private func stop(_ record: DrillRecord, at cluster: any Cluster, _ call: EngineCall) async throws {
        let namespaces = placed(record, at: cluster)
        let key = call.key.part("quiet")
        _ = try await once(at: cluster, key, call.effects) {
            let running = try HeldWorkload.among(CarriedObjects.of(try await standing(in: namespaces, at: cluster)))
                .filter { !$0.isHeld }.reversed()
            guard !running.isEmpty else { return nil }
            var transaction = Transaction(key)
            for workload in running {
                transaction.guards.append(.object(workload.object.key, text: workload.object.text))
                transaction.changes.append(.put(try workload.held()))
                if let effect = workload.effect(to: workload.heldState, at: cluster.name) { transaction.effects.append(effect) }
            }
            return transaction
        }
        let workloads = try HeldWorkload.among(CarriedObjects.of(try await standing(in: namespaces, at: cluster)))
        for workload in workloads.reversed() where workload.runs {
            let patience = record.clones.compactMap { try? application($0.application).ready }.max() ?? .seconds(60)
            let deadline = clock.now() + patience
            while true {
                let state = try await cluster.workload(.stopClone, workload.object, replicas: 0)
                if state == .stopped || state == .virtual { break }
                guard clock.now() < deadline else {
                    throw DRError(
                        .timeout, "the clone's \(workload.object.key) at \(cluster.name) still runs after \(patience.text)",
                        hint: "stop it there, then clean up drill \(record.id) again")
                }
                try await clock.sleep(for: .seconds(1))
            }
        }
    }

    /// The namespaces in which its clones are. Of one that was never placed nothing is there: what is was made by somebody else since.
    private func placed(_ record: DrillRecord, at cluster: any Cluster) -> Set<String> {
        let own = Set(record.ownNamespaces)
        var placed: Set<String> = []
        for clone in record.clones where clone.isPlaced {
            // Of an application that dr.yaml no longer names nobody knows which were its own.
            let names = inventory.application(clone.application)?.namespaces(at: cluster.name).compactMap { record.namespaces[$0] }
            placed.formUnion(names ?? record.ownNamespaces)
        }
        return placed.intersection(own)
    }

    private func removal(of record: DrillRecord, _ key: OperationKey, at cluster: any Cluster) async throws -> Transaction {
        var transaction = Transaction(key)
        let volumes = try record.volumes(placed: true)
        let claimed = try await cluster.objects(.keys(Set(volumes.map(ObjectKey.volume))))
        let objects = (try await standing(in: placed(record, at: cluster), at: cluster) + claimed)
            .sorted { (CarriedObjects.rank($1.key), $1.key) < (CarriedObjects.rank($0.key), $0.key) }
        for object in objects {
            transaction.guards.append(.object(object.key, text: object.text))
            transaction.changes.append(.delete(object.key))
            transaction.effects.append(Effect(.delete, object.key, at: cluster.name))
        }
        var removed = objects.count
        for volume in volumes where try await cluster.volumes.stat(volume) != nil {
            transaction.changes.append(.drop(volume))
            transaction.effects.append(Effect(.discard, .volume(volume), at: cluster.name))
            removed += 1
        }
        transaction.changes.append(.remove(.drill(record.id)))
        transaction.changes += try await forgottenDrills(at: cluster).map(Change.remove)
        transaction.changes.append(.write(.removed(record.id), ["at": .instant(clock.now())]))
        transaction.answer = .integer(Int64(removed))
        return transaction
    }

    /// Whoever cleans a drill up once more hears that it is done; after a while nobody asks.
    private func forgottenDrills(at cluster: any Cluster) async throws -> [DocumentPath] {
        var old: [DocumentPath] = []
        for path in try await cluster.documents(in: .removed) {
            do {
                guard case .instant(let at)? = try await cluster.document(path)?["at"], clock.now() - at <= Self.remembersDrills else {
                    old.append(path)
                    continue
                }
            } catch let error as DRError where error.isOfOneRecord {
                old.append(path)
            }
        }
        return old
    }
}
