internal import DRModel

/// What holds an application at rest where it is active.
struct StopDecision {
    let application: ApplicationName
    /// Carried objects, in the order of start.
    let objects: [ManifestObject]
    let record: ApplicationRecord?
    let standing: Standing
    let cluster: ClusterName

    init(
        application: ApplicationName, objects: [ManifestObject], record: ApplicationRecord?, standing: Standing, at cluster: ClusterName
    ) {
        self.application = application
        self.objects = objects
        self.record = record
        self.standing = standing
        self.cluster = cluster
    }

    /// Nil when everything is held already.
    func transaction(_ key: OperationKey) throws -> Transaction? {
        let present = record ?? .unmoved(at: standing.home)
        let running = try running()
        guard present.running || !running.isEmpty else { return nil }
        return try holding(running, present, key)
    }

    /// Holds everything at a cluster that was active in an older epoch, and gives it the record of the one that is active now.
    func deposing(_ key: OperationKey, now: Instant) throws -> Transaction {
        var next = record ?? .unmoved(at: standing.home)
        next.epoch = standing.epoch
        next.active = standing.active
        var transaction = try holding(try running(), next, key)
        // Whatever it wrote since that epoch was passed is nowhere else.
        transaction.changes.append(
            .write(.deposed(application), ["epoch": .integer((record?.epoch ?? .first).number), "at": .instant(now)]))
        transaction.effects.append(Effect(.fence, kind: "Application", name: application.text, at: cluster))
        return transaction
    }

    // Last started, first stopped.
    private func running() throws(DRError) -> [HeldWorkload] { try HeldWorkload.among(objects).filter { !$0.isHeld }.reversed() }

    private func holding(_ running: [HeldWorkload], _ record: ApplicationRecord, _ key: OperationKey) throws -> Transaction {
        var next = record
        var transaction = Transaction(
            key,
            guards: [
                .epoch(application, self.record?.epoch ?? .first), .document(.application(application), try self.record?.value()),
            ])
        for workload in running {
            next.originals[workload.object.key.reference] = workload.state
            transaction.guards.append(.object(workload.object.key, text: workload.object.text))
            transaction.changes.append(.put(try workload.held()))
            if let effect = workload.effect(to: workload.heldState, at: cluster) { transaction.effects.append(effect) }
        }
        next.running = false
        if next.active != cluster { next.originals = [:] }
        // What stands here now is the application's own: should it come back, it may be replaced.
        next.owned = Set(objects.map(\.key).filter { !CarriedObjects.isShared($0) || $0.kind == "Namespace" }.map(\.reference))
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        transaction.changes.append(.write(.application(application), try next.value()))
        transaction.changes.append(.remove(.synced(application)))
        transaction.changes.append(.write(.stopped(application), ["by": .string(key.text)]))
        return transaction
    }
}
