internal import DRManifest
internal import DRModel

/// What stands at a destination before an activation.
struct Survey {
    /// The point's, in the order in which they are made.
    let manifests: [ManifestObject]
    /// Of the point's objects and of our own those that exist.
    var existing: [ObjectKey: ManifestObject]
    /// The application's own here, though no record says so: this cluster was active in an older epoch and never told that it no longer is.
    let ownedByHistory: Set<String>
    /// Of the point's volumes those that exist.
    let liveVolumes: Set<VolumeName>
    /// The epoch in which this cluster was deposed: it wrote by itself then, and nobody else has what it wrote.
    var deposed: Epoch?
    /// What transforms changed in the manifests.
    var changes: [ObjectKey: [String: ValueChange]] = [:]
}

extension DocumentPath {
    /// In which epoch the cluster was deposed, until the application is live there again.
    static func deposed(_ application: ApplicationName) -> DocumentPath { DocumentPath("deposed", application.text) }
    /// When it went live here last, for `unprotected_since`.
    static func activated(_ application: ApplicationName) -> DocumentPath { DocumentPath("activated", application.text) }
}

/// What puts a recovery point in place at a destination: everything held, nothing of others touched.
struct Placement {
    let application: ApplicationName
    let cluster: ClusterName
    let point: RecoveryPoint
    let record: ApplicationRecord?
    private(set) var survey: Survey
    private let owned: Set<String>

    /// Throws `foreign-object` where something of somebody else stands in the way.
    init(_ point: RecoveryPoint, at cluster: ClusterName, record: ApplicationRecord?, survey: Survey) throws(DRError) {
        application = point.application
        self.cluster = cluster
        self.point = point
        self.record = record
        self.survey = survey
        owned = Set(record?.owned ?? []).union(survey.ownedByHistory)
        try refuseForeign()
    }

    private func isOurs(_ key: ObjectKey) -> Bool { owned.contains(key.reference) }

    // A namespace, or what serves the whole cluster, may well be there before its application.
    private func isShared(_ key: ObjectKey) -> Bool { CarriedObjects.isShared(key) }

    // Others may have come to rely on what is there.
    private func isLeftAsItIs(_ key: ObjectKey) -> Bool { isShared(key) && (key.kind != "Namespace" || !isOurs(key)) }

    private func refuseForeign() throws(DRError) {
        var foreign = survey.manifests.map(\.key).filter { survey.existing[$0] != nil && !isOurs($0) && !isShared($0) }.map(\.description)
        for volume in survey.liveVolumes.sorted() where !isOurs(.volume(volume)) && survey.existing[.volume(volume)] == nil {
            foreign.append("volume \(volume)")
        }
        guard !foreign.isEmpty else { return }
        throw DRError(
            .foreignObject,
            "\(cluster) already has \(foreign.prefix(5).joined(separator: ", "))"
                + (foreign.count > 5 ? " and \(foreign.count - 5) more" : "") + ", which \(application) did not make; nothing was changed",
            hint: "remove or rename it at \(cluster), or take it out of the application", details: .list(foreign.map(Value.string)))
    }

    /// Our own workloads here that exist.
    func workloads() throws(DRError) -> [HeldWorkload] {
        try HeldWorkload.among(CarriedObjects.of(survey.existing.values.filter { isOurs($0.key) }))
    }

    /// Holds what runs here although the application is active elsewhere; nil when nothing does.
    func quieting(_ key: OperationKey) throws -> Transaction? {
        let running = try workloads().filter { !$0.isHeld }.reversed()
        guard !running.isEmpty else { return nil }
        var transaction = Transaction(key, guards: [.epoch(application, record?.epoch ?? .first)])
        for workload in running {
            transaction.guards.append(.object(workload.object.key, text: workload.object.text))
            transaction.changes.append(.put(try workload.held()))
            if let effect = workload.effect(to: workload.heldState, at: cluster) { transaction.effects.append(effect) }
        }
        return transaction
    }

    mutating func quieted() throws(DRError) {
        for workload in try workloads() where !workload.isHeld { survey.existing[workload.object.key] = try workload.held() }
    }

    /// Puts all in place in one commit: objects, volumes, and the record with the new epoch.
    func transaction(_ key: OperationKey, epoch: Epoch, staged: [StagedVolume], risk: Bool) throws -> Transaction {
        var transaction = Transaction(
            key, guards: [.epoch(application, record?.epoch ?? .first), .document(.application(application), try record?.value())])
        var next = ApplicationRecord(epoch: epoch, active: cluster, running: false, split_brain_risk: risk)
        for manifest in survey.manifests {
            let present = survey.existing[manifest.key]
            transaction.guards.append(.object(manifest.key, text: present?.text))
            if present != nil, isLeftAsItIs(manifest.key) { continue }
            if !isShared(manifest.key) || manifest.key.kind == "Namespace" { next.owned.append(manifest.key.reference) }
            if let changes = survey.changes[manifest.key] {
                next.transformed = (next.transformed ?? [:]).merging([manifest.key.reference: changes]) { $1 }
            }
            var wanted = manifest
            if let workload = try HeldWorkload(manifest), !workload.isHeld {
                next.originals[manifest.key.reference] = workload.state
                wanted = try workload.held()
            }
            if let present, try isSame(wanted, present) { continue }
            if let present { wanted = try Preparation.keeping(of: present, in: wanted) }
            wanted.location = nil
            transaction.changes.append(.put(wanted))
            transaction.effects.append(Effect(present == nil ? .create : .patch, manifest.key, at: cluster))
        }
        for object in gone() {
            transaction.guards.append(.object(object.key, text: object.text))
            transaction.changes.append(.delete(object.key))
            transaction.effects.append(Effect(.delete, object.key, at: cluster))
        }
        for volume in staged {
            if let epoch = survey.deposed, survey.liveVolumes.contains(volume.volume) {
                transaction.changes.append(.keep(volume.volume, of: application, epoch))
                transaction.effects.append(Effect(.keep, .volume(volume.volume), to: "divergent", at: cluster))
            }
            transaction.changes.append(.swap(volume))
            transaction.effects.append(Effect(.swap, .volume(volume.volume), at: cluster))
        }
        next.owned.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        transaction.changes.append(.write(.application(application), try next.value()))
        transaction.changes.append(.remove(.synced(application)))
        if survey.deposed != nil { transaction.changes.append(.remove(.deposed(application))) }
        transaction.effects.append(Effect(.activate, kind: "Application", name: application.text, at: cluster))
        return transaction
    }

    // Addresses and the like that only this cluster could give are not in a point.
    private func isSame(_ wanted: ManifestObject, _ present: ManifestObject) throws -> Bool {
        if wanted.text == present.text { return true }
        return try Manifest(wanted).isSame(as: try Manifest(try Preparation.prepared(present, in: [])))
    }

    /// Ours, but not in the point; made last, removed first.
    private func gone() -> [ManifestObject] {
        let kept = Set(survey.manifests.map(\.key))
        return survey.existing.values.filter { isOurs($0.key) && !isShared($0.key) && !kept.contains($0.key) }
            .sorted { (CarriedObjects.rank($1.key), $1.key) < (CarriedObjects.rank($0.key), $0.key) }
    }
}
