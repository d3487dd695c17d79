public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// Throws what `ActivationMachine` refuses, with nothing changed; after that only what a port cannot do.
    public func activate(_ order: ActivationOrder, _ call: EngineCall) async throws -> ActivationReport {
        let direction = try await direction(order.pair, reversed: order.reversed)
        let application = try application(order.application)
        let planned = order.mode == .planned
        let work: () async throws -> ActivationReport = {
            try await self.lock(
                application.name, at: planned ? [direction.destination, direction.source] : [direction.destination], for: call.holder)
            return try await self.inTurn(application.name) {
                try await self.activate(Activation(order: order, application: application, direction: direction, call: call))
            }
        }
        return planned ? try await namingSource(direction, work) : try await work()
    }

    /// The surroundings of one activation; the source is absent in a disaster, so that nothing can touch it.
    private struct Activation {
        let order: ActivationOrder
        let application: Application
        let home: ClusterName
        let sourceName: ClusterName
        let source: (any Cluster)?
        let destination: any Cluster
        let store: StoreName
        let mended = Mended()
        let call: EngineCall
        let effectsBefore: Int
        var name: ApplicationName { application.name }

        init(order: ActivationOrder, application: Application, direction: Direction, call: EngineCall) {
            self.order = order
            self.application = application
            home = direction.home
            sourceName = direction.source.name
            source = order.mode == .planned ? direction.source : nil
            destination = direction.destination
            store = direction.storeName
            self.call = call
            effectsBefore = call.effects.effects.count
        }

        func key(_ part: String) -> OperationKey { call.key.part(part) }
        func volumeKey(_ volume: VolumeName) -> OperationKey { key("volume").part(volume.text) }
    }

    private func activate(_ activation: Activation) async throws -> ActivationReport {
        var machine = ActivationMachine(
            order: activation.order, target: activation.application.rpo, home: activation.home, source: activation.sourceName,
            destination: activation.destination.name)
        var command = machine.begin()
        while true {
            let event: ActivationMachine.Event
            switch command {
            case .recall: event = try await recall(activation)
            case .read(let withSource): event = .read(try await read(activation, withSource: withSource))
            case .settle(let choice): event = .settled(try await settle(choice, activation))
            case .verify(let point):
                try await mending(point, activation) { try await activation.destination.volumes.verify(point) }
                event = .verified
            case .survey(let point, let owned, let byHistory):
                event = .surveyed(try await survey(point, owned: owned, byHistory: byHistory, activation))
            case .quiet(let placement):
                try await quiet(placement, activation)
                event = .quieted
            case .materialise(let volume, let point): event = .staged(try await materialise(volume, of: point, activation))
            case .fence(let epoch, let record, let choice):
                try await fence(to: epoch, record, choice, activation)
                event = .fenced
            case .goLive(let placement, let epoch, let staged, let choice, let former):
                event = .live(try await goLive(placement, epoch, staged, choice, former, activation))
            case .finish(let answer): return try await finish(answer, activation)
            case .already(let record, let start): return try await confirm(record, start: start, activation)
            }
            command = try machine.handle(event)
        }
    }

    private func recall(_ activation: Activation) async throws -> ActivationMachine.Event {
        let (destination, call) = (activation.destination, activation.call)
        let choice = try await destination.committed(activation.key("choice")).map {
            try destination.decoded(ActivationChoice.self, $0.answer, "activation \(call.key)")
        }
        if let choice { _ = call.points.symbol(for: choice.point.id, of: activation.name) }
        guard let live = try await destination.committed(activation.key("live")) else { return .recalled(choice: choice, answer: nil) }
        let answer = try destination.decoded(ActivationAnswer.self, live.answer, "activation \(call.key)")
        call.effects.record(answer.before + live.effects)
        return .recalled(choice: choice, answer: answer)
    }

    private func read(_ activation: Activation, withSource: Bool) async throws -> ActivationMachine.Facts {
        let record = try await activation.destination.record(of: activation.name)
        let points = try await activation.destination.points(of: activation.name)
        var facts = ActivationMachine.Facts(destination: record, points: points.sound, damagedPoints: points.damaged, now: clock.now())
        if withSource, let source = activation.source {
            facts.source = try await source.record(of: activation.name)
            let objects = try CarriedObjects.of(try await source.objects(of: activation.application))
            facts.awake = try HeldWorkload.among(objects).filter { !$0.isHeld }.map(\.object.key)
            let synced = try await source.document(.synced(activation.name))?[activation.destination.name.text].string
            facts.synced = try synced.map { text throws(DRError) in try PointID(text) }
        }
        facts.others = try await recordsElsewhere(of: activation.name, than: [activation.sourceName, activation.destination.name])
        failpoint("engine.activate.read")
        return facts
    }

    private func settle(_ choice: ActivationChoice, _ activation: Activation) async throws -> ActivationChoice {
        let key = activation.key("choice")
        let committed = try await once(at: activation.destination, key, EffectLog()) {
            let epoch = try await activation.destination.record(of: activation.name)?.epoch ?? .first
            return Transaction(key, guards: [.epoch(activation.name, epoch)], answer: try Value(encoding: choice))
        }
        failpoint("engine.activate.chosen")
        let settled = try activation.destination.decoded(ActivationChoice.self, committed?.answer ?? .null, "activation \(key)")
        _ = activation.call.points.symbol(for: settled.point.id, of: activation.name)
        return settled
    }

    private func survey(
        _ point: RecoveryPoint, owned: [ObjectKey], byHistory: Bool, _ activation: Activation
    ) async throws -> Survey {
        let destination = activation.destination
        let form = ClusterForm(application: activation.application, cluster: destination.name)
        var manifests: [ManifestObject] = []
        var changes: [ObjectKey: [String: ValueChange]] = [:]
        let kept = try await mending(point, activation) { try await destination.volumes.manifests(of: point) }
        for object in try CarriedObjects.of(kept) {
            let local = try form.local(object)
            manifests.append(local.object)
            if !local.changes.isEmpty { changes[local.object.key] = local.changes }
        }
        var existing: [ObjectKey: ManifestObject] = [:]
        var history: Set<String> = []
        if byHistory {
            for object in try CarriedObjects.of(try await destination.objects(of: activation.application)) {
                existing[object.key] = object
                history.insert(object.key.reference)
            }
        }
        let unseen = Set(manifests.map(\.key) + owned).subtracting(existing.keys)
        for object in try await destination.objects(.keys(unseen)) { existing[object.key] = object }
        var live: Set<VolumeName> = []
        for volume in point.volumes where try await destination.volumes.stat(volume.name) != nil { live.insert(volume.name) }
        return Survey(
            manifests: manifests, existing: existing, ownedByHistory: history, liveVolumes: live,
            deposed: try await deposed(byHistory: byHistory, activation), changes: changes)
    }

    /// Deposed by a copy it received, or by nothing yet: then its own record still calls it active.
    private func deposed(byHistory: Bool, _ activation: Activation) async throws -> Epoch? {
        if byHistory { return try await activation.destination.record(of: activation.name)?.epoch ?? .first }
        guard let mark = try await activation.destination.document(.deposed(activation.name)) else { return nil }
        return Epoch(mark["epoch"].integer ?? Epoch.first.number)
    }

    // Nothing of the application may hold the volumes open that are about to be replaced.
    private func quiet(_ placement: Placement, _ activation: Activation) async throws {
        let key = activation.key("quiet")
        _ = try await once(at: activation.destination, key, activation.call.effects) { try placement.quieting(key) }
        failpoint("engine.activate.quieted")
        var quiet = placement
        try quiet.quieted()
        // Alone: what was surveyed must still be so when it goes live, past the point of no return.
        try await confirmStopped(try quiet.workloads(), of: activation.application, at: activation.destination, alone: true)
    }

    private func materialise(_ volume: PointVolume, of point: RecoveryPoint, _ activation: Activation) async throws -> StagedVolume {
        let staged = try await mending(point, activation) {
            try await activation.destination.volumes.materialise(volume, of: point, key: activation.volumeKey(volume.name))
        }
        let symbol = activation.call.points.symbol(for: point.id, of: activation.name)
        activation.call.effects.record(Effect(.materialise, .volume(volume.name), to: symbol, at: activation.destination.name))
        failpoint("engine.activate.materialised")
        return staged
    }

    private func mending<Result>(_ point: RecoveryPoint, _ activation: Activation, _ body: () async throws -> Result) async throws -> Result
    {
        try await mending(point, at: activation.destination, from: activation.store, activation.mended, activation.call, body)
    }

    /// What was read when the activation began is looked at again, and must be so when it is committed: making the volumes may have taken hours.
    private func fence(
        to epoch: Epoch, _ record: ApplicationRecord?, _ choice: ActivationChoice, _ activation: Activation
    ) async throws {
        guard let source = activation.source else { return }
        let key = activation.key("fence")
        _ = try await once(at: source, key, activation.call.effects) {
            var next = record ?? .unmoved(at: activation.home)
            guard next.epoch < epoch else { return nil }
            let workloads = try HeldWorkload.among(CarriedObjects.of(try await source.objects(of: activation.application)))
            let awake = workloads.filter { !$0.isHeld }.map(\.object.key)
            guard awake.isEmpty else { throw ActivationMachine.running(activation.name, at: source.name, awake) }
            let synced = try await source.document(.synced(activation.name))
            guard choice.loss != .exact(.zero) || synced?[activation.destination.name.text].string == choice.point.id.text else {
                throw ActivationMachine.outdated(choice, of: activation.name, at: source.name)
            }
            let guards: [Guard] = [
                .epoch(activation.name, next.epoch), .document(.application(activation.name), try record?.value()),
                .document(.synced(activation.name), synced),
            ]
            next.epoch = epoch
            next.active = activation.destination.name
            next.running = false
            next.originals = [:]
            return Transaction(
                key, guards: guards + workloads.map { .object($0.object.key, text: $0.object.text) },
                changes: [.write(.application(activation.name), try next.value())],
                effects: [Effect(.fence, kind: "Application", name: activation.name.text, at: source.name)])
        }
        failpoint("engine.activate.fenced")
    }

    private func goLive(
        _ placement: Placement, _ epoch: Epoch, _ staged: [StagedVolume], _ choice: ActivationChoice, _ known: FormerSite?,
        _ activation: Activation
    ) async throws -> ActivationAnswer {
        let before = Array(activation.call.effects.effects.dropFirst(activation.effectsBefore))
        func commit(_ former: FormerSite?, _ promise: Guard?) async throws -> ActivationAnswer {
            let answer = ActivationAnswer(
                point: choice.point.id, instant: choice.point.instant, loss: choice.loss, epoch: epoch, risk: former == nil, former: former,
                // Without a time it was verified on the way here.
                verified: (staged.compactMap(\.verifiedAt) + [choice.point.verifiedAt ?? clock.now()]).min(), before: before)
            var transaction = try placement.transaction(activation.key("live"), epoch: epoch, staged: staged, risk: answer.risk)
            if let promise { transaction.guards.append(promise) }
            transaction.changes.append(
                .write(
                    .activated(activation.name),
                    [
                        "epoch": .integer(epoch.number), "at": .instant(clock.now()), "rpo": try Value(encoding: choice.loss),
                        "point": .string(choice.point.id.text), "instant": .instant(choice.point.instant),
                        "former": former.map { .string($0.rawValue) } ?? .null,
                    ]))
            transaction.answer = try Value(encoding: answer)
            let committed = try await activation.destination.commit(transaction)
            activation.call.effects.record(committed.effects)
            failpoint("engine.activate.live")
            return answer
        }
        guard known == nil, activation.source == nil, let promise = try await waitForSelfFence(activation) else {
            return try await commit(known, nil)
        }
        do { return try await commit(.agent, promise) } catch let error as DRError where error.code == .conflict {
            // The promise was waited for, and yet its site is back: it is no longer known to be stopped.
            guard try await self.promise(activation).guard != promise else { throw error }
            return try await commit(nil, nil)
        }
    }

    /// What is known here of the source's agent, and the guard that it is still so.
    private func promise(_ activation: Activation) async throws -> (mark: AgentMark?, contact: SiteContact?, guard: Guard) {
        let source = activation.sourceName
        let mark = try await activation.destination.agentMark(of: source)
        let contact = try await activation.destination.contact(with: source)
        return (mark, contact, .promise(of: source, mark, contact))
    }

    /// What must still be so when it goes live. Nil: nobody promised that the source stops by itself, its agent still reaches this cluster, so that it does
    /// not, or it answers and its agent no longer does.
    private func waitForSelfFence(_ activation: Activation) async throws -> Guard? {
        let promise = try await selfFence(of: activation.application, by: activation.sourceName, at: activation.destination)
        guard let (until, mark) = promise else { return nil }
        // What waits for the same promise afterwards finds an older mark, and the same loss.
        let before = try await activation.destination.contact(with: activation.sourceName)
        if before?.silent == nil {
            try await activation.destination.noteContact(
                SiteContact(cluster: activation.sourceName, reached: before?.reached ?? mark.at, silent: clock.now()))
        }
        // Waited for by what passes: a clock that is set ahead meanwhile stops nothing at the source.
        var left = until - clock.now()
        while true {
            let present = try await self.promise(activation)
            guard present.mark == mark, !AgentPromise.isRefuted(mark, present.contact) else { return nil }
            guard left > .zero else { return present.guard }
            let pause = min(.seconds(1), left)
            try await clock.sleep(for: pause)
            left -= pause
        }
    }

    private func finish(_ answer: ActivationAnswer, _ activation: Activation) async throws -> ActivationReport {
        let ready = try await start(
            activation.application, at: activation.destination, activation.key("start"), in: answer.epoch, activation.call)
        standing[activation.call.holder.run, default: [:]][activation.name, default: []].insert(activation.destination.name)
        // It serves by now: what is left of the staging takes room and keeps nobody down.
        var warnings = activation.mended.warnings
        for volume in try await volumes(of: answer, activation) {
            do { try await activation.destination.volumes.discard(activation.volumeKey(volume)) } catch let error as DRError {
                warnings.append(
                    "\(activation.name): what was \(volume) at \(activation.destination.name) before was not removed: \(error.message)")
            }
        }
        failpoint("engine.activate.discarded")
        return ActivationReport(
            application: activation.name, active_at: activation.destination.name, epoch: answer.epoch, recovery_point: answer.point,
            instant: answer.instant, rpo: answer.loss, ready_at: ready, split_brain_risk: answer.risk, changed: true,
            verified_at: answer.verified, warnings: warnings, former: answer.former)
    }

    private func volumes(of answer: ActivationAnswer, _ activation: Activation) async throws -> [VolumeName] {
        let choice = try await activation.destination.committed(activation.key("choice")).map {
            try activation.destination.decoded(ActivationChoice.self, $0.answer, "activation \(activation.call.key)")
        }
        return choice?.point.volumes.map(\.name) ?? []
    }

    private func confirm(_ record: ApplicationRecord, start: Bool, _ activation: Activation) async throws -> ActivationReport {
        let key = activation.key("start")
        let begun = try await activation.destination.committed(key.part("plan")) != nil
        var ready = clock.now()
        if start || begun {
            ready = try await self.start(activation.application, at: activation.destination, key, in: record.epoch, activation.call)
        }
        guard start || begun else {
            return ActivationReport(
                application: activation.name, active_at: activation.destination.name, epoch: record.epoch, recovery_point: nil,
                instant: nil, rpo: .unknown, ready_at: ready, split_brain_risk: record.split_brain_risk, changed: false)
        }
        // Brought to its end by another run than the one that made it live: what was lost then is what was lost.
        let live = try await activation.destination.document(.activated(activation.name))
        let own = live?["epoch"].integer == record.epoch.number ? live : nil
        var instant: Instant?
        if case .instant(let at) = own?["instant"] { instant = at }
        return ActivationReport(
            application: activation.name, active_at: activation.destination.name, epoch: record.epoch,
            recovery_point: try own?["point"].string.map { try PointID($0) }, instant: instant,
            rpo: try own.map { try $0["rpo"].decoded(as: RecoveryPointObjective.self) } ?? .unknown, ready_at: ready,
            split_brain_risk: record.split_brain_risk, changed: true,
            former: record.split_brain_risk ? nil : own?["former"].string.flatMap(FormerSite.init(rawValue:)))
    }
}
