public import DRModel
internal import DRSupport

extension ReplicationEngine {
    /// One round of the agent of a cluster, to be made every few seconds at its side: tells the others that it is there, stops what lives elsewhere by now, and
    /// stops what may live elsewhere because a cluster it could go to was not reached for `selfFence` (nil = never). `contacts`: what the last round said;
    /// nil = the first one, which counts from the last sign of life of an agent before it. `every`: when the next round is made; nil = there is none, so
    /// that nothing is promised to anybody.
    public func watch(
        _ name: ClusterName, selfFence: Duration?, every: Duration?, contacts: [ClusterName: Instant]?, _ call: EngineCall
    ) async throws -> AgentRound {
        let cluster = try cluster(name)
        let began = clock.now()
        var contacts = contacts ?? [:]
        // What cannot be noted keeps nothing from being stopped.
        var problems: [DRError] = []
        var before: AgentMark?
        do { before = try await cluster.agentMark(of: name) } catch let error as DRError where !contacts.isEmpty { problems.append(error) }
        if contacts.isEmpty { for (other, at) in before?.contacts ?? [:] { contacts[try ClusterName(other)] = at } }
        // A mark that cannot be read takes no promise back.
        var promises = AgentPromises(try before.map { try known($0, of: name, contacts) } ?? promisesMade[name] ?? [:])
        defer { promisesMade[name] = promises.byCluster }
        let jump = jumpOfClock(at: name)
        promises.shift(by: jump)
        contacts = contacts.mapValues { $0 + jump }
        for gone in try await released(promises, at: cluster) { promises.heard(nil, by: gone) }

        let paired = peers(of: name)
        let others = Set(paired).union(promises.byCluster.keys).sorted()
        let lease = every == nil ? nil : selfFence
        var wanted: [ClusterName: AgentMark.Promise] = [:]
        for peer in paired {
            wanted[peer] = lease.map { AgentMark.Promise(at: began, lease: $0, applications: covered(by: peer, at: name)) }
        }
        func own(_ contacts: [ClusterName: Instant], _ promises: AgentPromises) -> AgentMark {
            AgentMark(
                cluster: name, at: began, lease: lease, every: every ?? .zero,
                contacts: Dictionary(uniqueKeysWithValues: contacts.map { ($0.key.text, $0.value) }), promises: promises.noted)
        }
        // Before anybody hears of it: whoever comes after a crash keeps it, too.
        let noted = promises
        if promises.prepare(wanted) {
            do { try await cluster.noteAgent(own(contacts, promises)) } catch let error as DRError {
                problems.append(error)
                // What is not noted is not promised.
                promises = noted
                wanted = wanted.filter { promises.covers($0.value, to: $0.key) }
            }
        }
        var reached: [any Cluster] = []
        for other in others {
            var failure: DRError?
            do {
                // Counted from before it was written: whoever reads it later waits long enough.
                try await self.cluster(other).noteAgent(mark(of: name, at: began, wanted[other], every))
                promises.heard(wanted[other], by: other)
                reached.append(try self.cluster(other))
                contacts[other] = began
            } catch let error as DRError {
                failure = error
                contacts[other] = contacts[other] ?? began
                // Why one that answers cannot be told is for a person to know: a full disk, say. It may have been told all the same.
                if error.code == .clusterUnreachable { promises.unheard(by: other, noted) } else { problems.append(error) }
            }
            // One that answers with an error is not silent.
            do { try await noteContact(with: other, at: cluster, answered: failure?.isSilence != true) } catch let error as DRError {
                problems.append(error)
            }
        }
        do { try await cluster.noteAgent(own(contacts, promises)) } catch let error as DRError { problems.append(error) }
        var events = problems.prefix(1).map { AgentRound.Event(kind: .failed, application: nil, message: $0.message) }
        let answered = Set(reached.map(\.name))
        if every != nil { events += forgotten(promises, reached: answered) }
        var watches: [(Int, Watch)] = []
        var told: [Int: AgentRound.Event] = [:]
        for (index, application) in inventory.applications.enumerated() {
            do {
                let needed = try await awaited(application.name, at: cluster, reached: answered, promises)
                let silent = needed.filter { !answered.contains($0) }
                let now = clock.now()
                let isQuiet = silent.compactMap { contacts[$0] }.min().flatMap { oldest in selfFence.map { now - oldest >= $0 } } ?? false
                let isDue = silent.contains { promises.end(of: application.name, to: $0).map { $0 <= now } ?? false }
                let watch = Watch(
                    application: application, cluster: cluster, reached: reached, silent: silent,
                    isOverdue: every != nil && (isQuiet || isDue), call: call)
                watches.append((index, watch))
            } catch let error as DRError {
                told[index] = AgentRound.Event(kind: .failed, application: application.name, message: error.message)
            }
        }
        // Whose time is over is stopped side by side: one that is slow to stop must not make a broken promise of the others'.
        await withTaskGroup { group in
            for (index, watch) in watches where watch.isOverdue { group.addTask { (index, await self.outcome(of: watch)) } }
            for await (index, event) in group { told[index] = event }
        }
        for (index, watch) in watches where !watch.isOverdue { told[index] = await outcome(of: watch) }
        events += told.sorted { $0.key < $1.key }.map(\.value)
        try await release(run: call.holder.run)
        try await forget(run: call.holder.run)
        return AgentRound(contacts: contacts, events: events, silent: others.filter { !answered.contains($0) })
    }

    /// The clusters that have to answer: those that it could be live at, or that rely on a promise, without those that a person said are gone and that did not
    /// answer since.
    func awaited(
        _ application: ApplicationName, at cluster: any Cluster, reached: Set<ClusterName>, _ promises: AgentPromises
    ) async throws -> [ClusterName] {
        let peers = Set(peers(of: cluster.name, for: application)).union(promises.clusters(relyingOn: application)).sorted()
        guard let word = try await cluster.document(.alone(application)) else { return peers }
        let gone = Set(word["clusters"].list?.compactMap(\.string) ?? [])
        let still = gone.subtracting(reached.map(\.text))
        if still != gone {
            var members = word.map ?? [:]
            members["clusters"] = .list(still.sorted().map(Value.string))
            let change: Change = still.isEmpty ? .remove(.alone(application)) : .write(.alone(application), .map(members))
            _ = try await cluster.commit(
                Transaction(
                    OperationKey("alone/\(random.identifier())"), guards: [.document(.alone(application), word)], changes: [change]))
        }
        return peers.filter { !still.contains($0.text) }
    }

    /// Notes for each pair, at either end, whether the other one answers.
    public func noteContacts() async throws {
        var answers: [ClusterName: Bool] = [:]
        for name in clusters.keys.sorted() {
            do {
                _ = try await cluster(name).documents(in: .pairs)
                answers[name] = true
            } catch let error as DRError where error.code == .clusterUnreachable {
                answers[name] = false
            }
        }
        for name in answers.keys.sorted() where answers[name] == true {
            for other in peers(of: name) {
                try await noteContact(with: other, at: try cluster(name), answered: answers[other] == true)
            }
        }
    }

    func noteContact(with other: ClusterName, at cluster: any Cluster, answered: Bool) async throws {
        let now = clock.now()
        if answered { return try await noteContact(with: other, at: cluster, asked: now) }
        // Who was never reached was not lost.
        guard let before = try await cluster.contact(with: other), before.silent == nil else { return }
        try await cluster.noteContact(SiteContact(cluster: other, reached: before.reached, silent: now))
    }

    /// It answered what it was asked at `asked`. A silence that began after that, as somebody else noted, goes on.
    func noteContact(with other: ClusterName, at cluster: any Cluster, asked: Instant) async throws {
        let before = try await cluster.contact(with: other)
        try await cluster.noteContact(
            SiteContact(
                cluster: other, reached: max(before?.reached ?? asked, asked),
                silent: before?.silent.flatMap { $0 > asked ? $0 : nil }))
    }

    /// What another cluster is told; without a promise it hears that none stands any more.
    func mark(of name: ClusterName, at began: Instant, _ promise: AgentMark.Promise?, _ every: Duration?) -> AgentMark {
        AgentMark(cluster: name, at: began, lease: promise?.lease, every: every ?? .zero, applications: promise?.applications ?? [])
    }

    /// The clusters it shares a pair with: with an application, those that the application could be made live at from here.
    func peers(of name: ClusterName, for application: ApplicationName? = nil) -> [ClusterName] {
        var pairs = inventory.pairs.filter { $0.source == name || $0.destination == name }
        if let application {
            let scheduled = Set(inventory.schedules.filter { $0.covers(application) }.map(\.pair))
            let own = pairs.filter { scheduled.contains($0.name) }
            if !own.isEmpty { pairs = own }
        }
        return Set(pairs.flatMap { [$0.source, $0.destination] }).subtracting([name]).sorted()
    }

    struct Watch: Sendable {
        let application: Application
        let cluster: any Cluster
        let reached: [any Cluster]
        /// Clusters it could be live at that do not answer.
        let silent: [ClusterName]
        var isInTouch: Bool { silent.isEmpty }
        let isOverdue: Bool
        let call: EngineCall
        var name: ApplicationName { application.name }
        func key(_ part: String) -> OperationKey { call.key.part(application.name.text).part(part) }
    }

    private func outcome(of watch: Watch) async -> AgentRound.Event? {
        do { return try await inTurn(watch.name) { try await look(watch) } } catch {
            let message = (error as? DRError)?.message ?? "\(error)"
            return event(.failed, watch, message)
        }
    }

    func look(_ watch: Watch) async throws -> AgentRound.Event? {
        let here = watch.cluster.name
        let record = try await watch.cluster.record(of: watch.name)
        guard let home = try await home(of: watch, record) else { return nil }
        var records: [ClusterName: ApplicationRecord] = [:]
        records[here] = record
        var failure: DRError?
        for cluster in watch.reached {
            do { records[cluster.name] = try await cluster.record(of: watch.name) } catch let error as DRError {
                failure = failure ?? error
            }
        }
        let standing = Standing(application: watch.name, home: home, records: records)
        let own = standing.effectiveRecord(at: here)
        guard own.active == here else { return try await letGoForgotten(watch) }
        if own.epoch < standing.epoch {
            try await hold(watch) { objects in
                try StopDecision(
                    application: watch.name, objects: objects, record: standing.record(at: here), standing: standing, at: here
                ).deposing(watch.key("depose"), now: self.clock.now())
            }
            return event(
                .deposed, watch, "live at \(standing.active) since epoch \(standing.epoch): stopped here, where epoch \(own.epoch) was lost"
            )
        }
        // Also what its own start, which failed, left half running; and whatever else cannot be read or let go: a promise waits for nothing.
        if watch.isOverdue, own.running {
            try await selfFence(watch, standing)
            return event(
                .selfFenced, watch, "\(watch.silent.map(\.text).listed) could not be asked whether it lives there: stopped here")
        }
        let mark = try await watch.cluster.document(.selfFenced(watch.name))
        if watch.isOverdue, mark?["epoch"].integer != own.epoch.number { return try await forbidStart(watch, standing, mark) }
        // Also when the round before died between the commit and the processes.
        if mark != nil, !watch.isInTouch { try await confirmHeld(watch) }
        if let failure { throw failure }
        if let event = try await letGoForgotten(watch) { return event }
        guard let mark, watch.isInTouch else { return nil }
        try await lock(watch.name, at: [watch.cluster], for: watch.call.holder)
        let isOurs = mark["epoch"].integer == own.epoch.number && !own.isComplete && mark["at_rest"] != true
        if isOurs {
            try await requireNobodyWentLive(watch, standing)
            _ = try await start(watch.application, at: watch.cluster, watch.key("start"), in: own.epoch, asAgent: true, watch.call)
        }
        _ = try await watch.cluster.commit(
            Transaction(
                watch.key("resumed"), guards: [.document(.selfFenced(watch.name), mark)], changes: [.remove(.selfFenced(watch.name))]))
        return isOurs ? event(.resumed, watch, "nobody took it over: it runs again") : nil
    }

    /// An activation at a peer may have looked at this agent's mark before it was renewed, and be about to rely on it. Either it is committed by now, and seen
    /// by these commits; or it comes after them, and its own guard sees the new mark.
    private func requireNobodyWentLive(_ watch: Watch, _ standing: Standing) async throws {
        for peer in watch.reached {
            let key = watch.key("asked")
            visit(peer, key)
            _ = try await peer.commit(
                Transaction(
                    key, guards: [.document(.application(watch.name), try standing.record(at: peer.name)?.value())]))
        }
    }

    /// It is at rest already, and whoever relies on that has it stay so: nobody starts it until all answer, or a person says so.
    func forbidStart(_ watch: Watch, _ standing: Standing, _ mark: Value?) async throws -> AgentRound.Event? {
        let here = watch.cluster.name
        let word: Value = [
            "epoch": .integer(standing.effectiveRecord(at: here).epoch.number), "at": .instant(clock.now()), "at_rest": true,
        ]
        _ = try await watch.cluster.commit(
            Transaction(
                watch.key("rest"),
                guards: [
                    .document(.application(watch.name), try standing.record(at: here)?.value()),
                    .document(.selfFenced(watch.name), mark),
                ], changes: [.write(.selfFenced(watch.name), word)]))
        return nil
    }

    /// Stops it, and notes that no person did.
    func selfFence(_ watch: Watch, _ standing: Standing) async throws {
        let here = watch.cluster.name
        try await hold(watch, within: Self.selfFencing) { objects in
            var transaction = try StopDecision(
                application: watch.name, objects: objects, record: standing.record(at: here), standing: standing, at: here
            ).transaction(watch.key("fence"))
            let epoch = standing.effectiveRecord(at: here).epoch.number
            transaction?.changes.append(.write(.selfFenced(watch.name), ["epoch": .integer(epoch), "at": .instant(self.clock.now())]))
            return transaction
        }
    }

    /// Whoever holds it, also a run that was put down: what was promised to the others does not wait for it. It is refused at its next commit.
    private func seize(_ watch: Watch) async throws {
        do { try await lock(watch.name, at: [watch.cluster], for: watch.call.holder) } catch let error as DRError
            where error.code == .locked || error.isOfOneRecord
        {
            _ = try await watch.cluster.breakLock(watch.name)
            try await lock(watch.name, at: [watch.cluster], for: watch.call.holder)
        }
    }

    /// A process that died between the rules of a snapshot left the application quiet. Who works on it holds its lock, and lets it go itself.
    private func letGoForgotten(_ watch: Watch) async throws -> AgentRound.Event? {
        guard try await watch.cluster.onHold().contains(watch.name) else { return nil }
        do { try await lock(watch.name, at: [watch.cluster], for: watch.call.holder) } catch let error as DRError
            where error.code == .locked
        {
            return nil
        }
        guard try await watch.cluster.letGo(watch.name) else { return nil }
        return event(.letGo, watch, "held for a snapshot by a process that is gone: it goes on")
    }

    func event(_ kind: AgentRound.Event.Kind, _ watch: Watch, _ message: String) -> AgentRound.Event {
        AgentRound.Event(kind: kind, application: watch.name, message: message)
    }

    /// Commits what holds the workloads, stops their processes, and then runs the cluster's own `fence` command, also when they do not stop. What cannot be
    /// committed, on a disk that is full, is stopped all the same, and told.
    private func hold(
        _ watch: Watch, within patience: Duration? = nil, _ make: ([ManifestObject]) throws -> Transaction?
    ) async throws {
        do {
            try await seize(watch)
            let objects = try CarriedObjects.of(try await watch.cluster.objects(of: watch.application))
            if let transaction = try make(objects) {
                watch.call.effects.record(try await watch.cluster.commit(transaction).effects)
            }
            failpoint("engine.agent.held")
            try await confirmHeld(watch, within: patience)
        } catch {
            await stopAnyway(watch)
            do { try await watch.cluster.fence(watch.name) } catch let second { throw Self.told(error, "it could not be fenced", second) }
            throw error
        }
        try await watch.cluster.fence(watch.name)
        failpoint("engine.agent.fenced")
    }

    /// What went wrong first, with what went wrong after it.
    static func told(_ error: any Error, _ what: String, _ second: any Error) -> any Error {
        guard var told = error as? DRError else { return error }
        told.hint = [told.hint, "\(what): \((second as? DRError)?.message ?? "\(second)")"].compactMap(\.self).joined(separator: "; ")
        return told
    }

    // What went wrong before is the error to tell; what goes wrong here is tried again by the next round.
    private func stopAnyway(_ watch: Watch) async {
        _ = try? await watch.cluster.letGo(watch.name)
        guard let objects = try? CarriedObjects.of(try await watch.cluster.objects(of: watch.application)),
            let workloads = try? HeldWorkload.among(objects)
        else { return }
        for together in HeldWorkload.together(workloads.filter(\.runs)).reversed() {
            _ = try? await watch.cluster.perform(.stop, together.reversed().map { ($0.object, 0) })
        }
    }

    func confirmHeld(_ watch: Watch, within patience: Duration? = nil) async throws {
        let objects = try CarriedObjects.of(try await watch.cluster.objects(of: watch.application))
        try await confirmStopped(try HeldWorkload.among(objects), of: watch.application, at: watch.cluster, within: patience)
    }

    /// So long processes have to stop by themselves when a promise is kept: whoever relies on it waits `AgentMark.grace`, in which the round comes late, too.
    private static let selfFencing: Duration = .seconds(40)

    /// Where it is when no cluster has a record. Where pairs do not agree on that, it is here as far as it runs here.
    func home(of watch: Watch, _ record: ApplicationRecord?) async throws -> ClusterName? {
        if let home = home(of: watch.name) { return home }
        if record != nil { return watch.cluster.name }
        let objects = try CarriedObjects.of(try await watch.cluster.objects(of: watch.application))
        return try HeldWorkload.among(objects).contains { !$0.isHeld } ? watch.cluster.name : nil
    }

    /// Where it is when no cluster has a record: the source of the pairs that copy it, as far as they agree.
    func home(of name: ApplicationName) -> ClusterName? {
        let scheduled = Set(inventory.schedules.filter { $0.covers(name) }.map(\.pair))
        let fitting = inventory.pairs.filter { scheduled.contains($0.name) }
        let sources = Set((fitting.isEmpty ? inventory.pairs : fitting).map(\.source))
        return sources.count == 1 ? sources.first : nil
    }

    /// When the source, if nobody can reach it, has stopped the application by itself at the latest, with the mark that says so; nil = nobody knows.
    func selfFence(of application: Application, by source: ClusterName, at destination: any Cluster) async throws -> (Instant, AgentMark)? {
        guard let mark = try await destination.agentMark(of: source) else { return nil }
        let end = AgentPromise.end(
            mark, try await destination.contact(with: source),
            newest: try await destination.points(of: application.name).sound.first?.instant, of: application.name, now: clock.now())
        return end.map { ($0, mark) }
    }
}

extension DocumentPath {
    /// That the cluster's agent stopped the application because nobody could be asked.
    static func selfFenced(_ application: ApplicationName) -> DocumentPath { DocumentPath("selffenced", application.text) }
    /// That a person let it run here though clusters where it could be live do not answer.
    static func alone(_ application: ApplicationName) -> DocumentPath { DocumentPath("alone", application.text) }
}
