public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// One application after the other, in the order of the names. Points and data that are older than the schedule's retention allows are no longer listed
    /// afterwards; their bytes stay until they are swept.
    public func migrate(_ order: MigrationOrder, _ call: EngineCall) async throws -> MigrationReport {
        let direction = try await direction(order.pair, reversed: order.reversed)
        let store = try store(of: direction)
        let names = Set(order.applications).sorted()
        guard !names.isEmpty else { throw DRError(.invalidInput, "no applications to migrate", hint: "name at least one") }
        let applications = try names.map { name in
            var application = try application(name)
            application.exclude.kinds += order.excludeKinds
            application.rules = order.rules.or(application.rules)
            return application
        }
        let begun = clock.now()
        return try await namingSource(direction) {
            // Everything is locked, and its standing known, before the first change.
            for application in applications {
                if !order.final { try direction.source.requireRules(application.rules) }
                try await lock(application.name, at: [direction.destination, direction.source], for: call.holder)
                let standing = try await standing(of: application.name, direction)
                if try await direction.destination.committed(call.key.part(application.name.text).part("point")) == nil {
                    try standing.requireActive(at: direction.source.name)
                    try requireStopped(for: order, application.name, standing, direction)
                }
            }
            var items: [String: MigrationReport.Item] = [:]
            var predicted = false
            // A copy may take hours, and the source be lost meanwhile.
            var warnings = try await noteAnswer(direction, asked: begun)
            for application in applications {
                let migration = Migration(
                    application: application, direction: direction, store: store, final: order.final,
                    key: call.key.part(application.name.text), call: call)
                let (answer, left) = try await inTurn(application.name) { try await perform(migration) }
                items[application.name.text] = answer.item
                warnings += left
                predicted = predicted || answer.predicted
            }
            return MigrationReport(
                applications: items, duration: clock.now() - begun, predicted: predicted, warnings: warnings.isEmpty ? nil : warnings)
        }
    }

    private func requireStopped(
        for order: MigrationOrder, _ application: ApplicationName, _ standing: Standing, _ direction: Direction
    ) throws {
        guard order.final, standing.effectiveRecord(at: direction.source.name).running else { return }
        throw running(application, at: direction.source.name, [])
    }

    private func running(_ application: ApplicationName, at source: ClusterName, _ awake: [ObjectKey]) -> DRError {
        let names = awake.isEmpty ? "" : " (\(awake.map(\.description).listed))"
        return DRError(
            .conflict, "\(application) is running at \(source)\(names): a final sync needs it stopped",
            hint: "quiesce it first, or migrate without final")
    }

    private struct Migration {
        let application: Application
        let direction: Direction
        let store: any ObjectStore
        let final: Bool
        let key: OperationKey
        let call: EngineCall
        var name: ApplicationName { application.name }
    }

    /// What is kept with the commit that lists the point.
    private struct MigrationAnswer: Codable {
        let item: MigrationReport.Item
        let predicted: Bool
        let final: Bool
        /// By which stop everything was at rest; nil: by none that is known.
        let stop: String?
        /// The effects before that commit's own.
        let before: [Effect]
    }

    /// With what could not be cleared away, a line each.
    private func perform(_ migration: Migration) async throws -> (MigrationAnswer, [String]) {
        let key = migration.key.part("point")
        let answer: MigrationAnswer
        var warnings: [String] = []
        if let earlier = try await migration.direction.destination.committed(key) {
            answer = try migration.direction.destination.decoded(MigrationAnswer.self, earlier.answer, "migration \(key)")
            _ = migration.call.points.symbol(for: answer.item.recovery_point, of: migration.name)
            migration.call.effects.record(answer.before + earlier.effects)
        } else {
            (answer, warnings) = try await copy(migration)
        }
        failpoint("engine.migrate.listed")
        standing[migration.call.holder.run, default: [:]][migration.name, default: []].insert(migration.direction.destination.name)
        try await settleSync(migration, answer)
        failpoint("engine.migrate.settled")
        let asked = clock.now()
        try await migration.direction.source.volumes.discard(migration.key.part("capture"))
        failpoint("engine.migrate.discarded")
        warnings += try await noteAnswer(migration.direction, asked: asked)
        warnings += try await applyRetention(migration)
        failpoint("engine.migrate.retained")
        return (answer, warnings)
    }

    private func noteAnswer(_ direction: Direction, asked: Instant) async throws -> [String] {
        do { try await noteContact(with: direction.source.name, at: direction.destination, asked: asked) } catch let error as DRError {
            return ["that \(direction.source.name) answered was not noted: \(error.message)"]
        }
        return []
    }

    private func copy(_ migration: Migration) async throws -> (MigrationAnswer, [String]) {
        let (source, destination) = (migration.direction.source, migration.direction.destination)
        let effectsBefore = migration.call.effects.effects.count
        try await depose(migration)
        failpoint("engine.migrate.deposed")
        let stop = try await source.document(.stopped(migration.name))?["by"].string
        let standing = try await standing(of: migration.name, migration.direction)
        try standing.requireActive(at: source.name)
        let record = standing.effectiveRecord(at: source.name)
        // Of a process that died meanwhile.
        _ = try await source.letGo(migration.name)
        let content = try MigrationContent(
            of: migration.application, objects: try await source.objects(of: migration.application), record: record, at: source.name)
        for volume in content.volumes where try await source.volumes.stat(volume) == nil {
            throw DRError(.volumeMissing, "\(source.name) has no volume \(volume), which a claim of \(migration.name) names")
        }
        // Somebody may have scaled it by hand.
        let awake = content.workloads.filter { !$0.isHeld }
        guard !migration.final || awake.isEmpty else {
            throw running(migration.name, at: source.name, awake.map(\.object.key))
        }
        let stopped = !record.running && awake.isEmpty
        if stopped { try await confirmStopped(content.workloads, of: migration.application, at: source) }
        let draft = try await number(migration, standing, final: stopped)
        failpoint("engine.migrate.numbered")

        let symbol = migration.call.points.symbol(for: draft.id, of: migration.name)
        let rules = stopped ? SnapshotRules() : migration.application.rules
        let capture = try await holding(migration.name, by: rules, at: source, migration.call.effects) {
            let capture = try await source.volumes.capture(
                content.volumes, of: migration.name, stopped: stopped, key: migration.key.part("capture"))
            migration.call.effects.record(content.volumes.map { Effect(.capture, .volume($0), to: symbol, at: source.name) })
            return capture
        }
        let before = Array(migration.call.effects.effects.dropFirst(effectsBefore))
        failpoint("engine.migrate.captured")

        let publication = try await source.volumes.publish(capture, as: draft, manifests: content.manifests, to: migration.store)
        failpoint("engine.migrate.published")
        let reception = try await destination.volumes.receive(draft.id, of: migration.name, from: migration.store)
        failpoint("engine.migrate.received")

        let item = MigrationReport.Item(
            recovery_point: draft.id, resources: content.manifests.count, volumes: content.volumes.count, bytes_read: publication.bytesRead,
            bytes_sent: publication.bytesSent, consistency: reception.point.consistency, instant: reception.point.instant)
        let answer = MigrationAnswer(item: item, predicted: publication.predicted, final: draft.final, stop: stop, before: before)
        let committed = try await destination.commit(
            Transaction(
                migration.key.part("point"), guards: [.epoch(migration.name, standing.epoch(at: destination.name))],
                changes: [.write(.point(draft.id, of: migration.name), try SealedPoint.value(of: reception.point))],
                effects: [Effect(.publish, kind: "RecoveryPoint", name: migration.name.text, to: symbol, at: destination.name)],
                answer: try Value(encoding: answer)))
        migration.call.effects.record(committed.effects)
        return (answer, publication.warnings.map { "\(migration.name): \($0)" })
    }

    /// A destination that was active itself in an older epoch, and lost it while nobody could tell it so, hears of it now: it is fenced, and what still runs
    /// there is stopped.
    private func depose(_ migration: Migration) async throws {
        let destination = migration.direction.destination
        let key = migration.key.part("depose")
        let committed = try await once(at: destination, key, migration.call.effects) {
            let standing = try await standing(of: migration.name, migration.direction)
            try standing.requireActive(at: migration.direction.source.name)
            guard standing.epoch(at: destination.name) < standing.epoch,
                standing.effectiveRecord(at: destination.name).active == destination.name
            else { return nil }
            let objects = try CarriedObjects.of(try await destination.objects(of: migration.application))
            return try StopDecision(
                application: migration.name, objects: objects, record: standing.record(at: destination.name), standing: standing,
                at: destination.name
            ).deposing(key, now: clock.now())
        }
        let isAtRisk = try await migration.direction.source.record(of: migration.name)?.split_brain_risk ?? false
        guard committed != nil || isAtRisk else { return }
        let workloads = try HeldWorkload.among(CarriedObjects.of(try await destination.objects(of: migration.application)))
        try await confirmStopped(workloads, of: migration.application, at: destination)
        // What somebody scaled up again there was not stopped.
        if isAtRisk, workloads.allSatisfy(\.isHeld) { try await settleRisk(migration) }
    }

    /// The former writer knows the present epoch, and nothing of the application runs there: it was seen fenced.
    private func settleRisk(_ migration: Migration) async throws {
        let (source, destination) = (migration.direction.source, migration.direction.destination)
        let key = migration.key.part("settled")
        _ = try await once(at: source, key, EffectLog()) {
            // Another cluster than the one that lost it proves nothing.
            guard try await destination.document(.deposed(migration.name)) != nil,
                let there = try await destination.record(of: migration.name), let here = try await source.record(of: migration.name),
                here.split_brain_risk, here.active == source.name, there.epoch == here.epoch, there.active == source.name
            else { return nil }
            var next = here
            next.split_brain_risk = false
            return Transaction(
                key, guards: [.epoch(migration.name, here.epoch), .document(.application(migration.name), try here.value())],
                changes: [.write(.application(migration.name), try next.value())])
        }
        failpoint("engine.migrate.risk-settled")
    }

    /// The point's name. It is taken at the source, once for the key: a migration that died keeps its own, another one gets the next.
    private func number(_ migration: Migration, _ standing: Standing, final: Bool) async throws -> PointDraft {
        let source = migration.direction.source
        let epoch = standing.epoch(at: source.name)
        let key = migration.key.part("number")
        let path = DocumentPath.counter(migration.name)
        let listed = try await migration.direction.destination.points(of: migration.name)
        let committed = try await once(at: source, key, EffectLog()) {
            let present = try await source.document(path)
            let last = present?["epoch"].integer == epoch.number ? present?["last"].integer ?? 0 : 0
            let highest = listed.names(of: migration.name).filter { $0.epoch == epoch }.map(\.generation).max() ?? 0
            let next = max(last, highest) + 1
            return Transaction(
                key, guards: [.epoch(migration.name, epoch), .document(path, present)],
                changes: [.write(path, ["epoch": .integer(epoch.number), "last": .integer(next)])], answer: .integer(next))
        }
        guard let generation = committed?.answer.integer else {
            throw DRError(.damaged, "\(source.name) gave no number for a recovery point of \(migration.name)")
        }
        return PointDraft(
            id: try PointID("\(migration.name)-e\(epoch)-g\(generation)"), epoch: epoch, generation: generation, source: source.name,
            final: final)
    }

    /// Notes at the source that the destination has everything of the stopped application.
    private func settleSync(_ migration: Migration, _ answer: MigrationAnswer) async throws {
        guard answer.final else { return }
        let source = migration.direction.source
        let key = migration.key.part("synced")
        _ = try await once(at: source, key, EffectLog()) {
            let standing = try await standing(of: migration.name, migration.direction)
            let stop = try await source.document(.stopped(migration.name))
            // Carried on after it was started again, even if it was stopped since, or went elsewhere: then it is no longer so.
            guard standing.active == source.name, !standing.effectiveRecord(at: source.name).running, stop?["by"].string == answer.stop
            else { return nil }
            let path = DocumentPath.synced(migration.name)
            let present = try await source.document(path)
            var destinations = present?.map ?? [:]
            destinations[migration.direction.destination.name.text] = .string(answer.item.recovery_point.text)
            return Transaction(
                key,
                guards: [
                    .document(path, present), .document(.stopped(migration.name), stop),
                    .document(.application(migration.name), try standing.record(at: source.name)?.value()),
                ],
                changes: [.write(path, .map(destinations))])
        }
    }

    private func applyRetention(_ migration: Migration) async throws -> [String] {
        let destination = migration.direction.destination
        let key = migration.key.part("retain")
        let committed = try await once(at: destination, key, EffectLog()) {
            // Unknown rules let nothing go.
            guard let retention = try await retention(migration) else { return nil }
            // What a drill was made of stays for as long as the drill.
            let pinned = Set(try await destination.drills().sound.flatMap { $0.clones.map(\.point.id) })
            let surplus = RetentionRule(retention: retention).surplus(of: try await destination.points(of: migration.name).sound)
                .filter { !pinned.contains($0.id) }
            guard !surplus.isEmpty else { return nil }
            let epoch = try await destination.record(of: migration.name)?.epoch ?? .first
            // It names the application, so that a run whose lock was taken while it was paused lets nothing go.
            return Transaction(
                key, guards: [.epoch(migration.name, epoch)], changes: surplus.map { .remove(.point($0.id, of: migration.name)) },
                effects: surplus.map { point in
                    let symbol = migration.call.points.symbol(for: point.id, of: migration.name)
                    return Effect(.delete, kind: "RecoveryPoint", name: migration.name.text, to: symbol, at: destination.name)
                },
                answer: .list(surplus.map { .string($0.id.text) }))
        }
        guard let committed else { return [] }
        // Also when it was done before, so that later points are called the same.
        for id in committed.answer.list ?? [] {
            if let text = id.string { _ = migration.call.points.symbol(for: try PointID(text), of: migration.name) }
        }
        migration.call.effects.record(committed.effects)
        return try await sweep(migration.name, at: migration.direction.destination, migration.store)
    }

    /// The most generous of the schedules that copy the application this way; nil where one of them cannot be read.
    private func retention(_ migration: Migration) async throws -> Retention? {
        let destination = migration.direction.destination
        let listed = try await destination.schedules()
        guard listed.damaged.isEmpty else { return nil }
        var rules = listed.sound
        rules += inventory.schedules.filter { declared in !rules.contains { $0.name == declared.name } }
        let fitting = rules.filter { $0.pair == migration.direction.pair && $0.covers(migration.name) }.map(\.retain)
        guard let first = fitting.first else { return Retention() }
        return fitting.dropFirst().reduce(first) { a, b in
            Retention(
                last: max(a.last, b.last), hourly: max(a.hourly, b.hourly), daily: max(a.daily, b.daily), weekly: max(a.weekly, b.weekly),
                monthly: max(a.monthly, b.monthly))
        }
    }
}
