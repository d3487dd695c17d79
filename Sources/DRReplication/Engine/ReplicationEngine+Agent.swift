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
        let others = peers(of: name)
        var contacts = contacts ?? [:]
        let lease = every == nil ? nil : selfFence
        var reached: [any Cluster] = []
        // What cannot be noted keeps nothing from being stopped.
        var problems: [DRError] = []
        var promised: Set<ClusterName>
        do {
            let before = try await cluster.agentMark(of: name)
            if contacts.isEmpty, let own = before?.contacts {
                for other in others { contacts[other] = own[other.text] }
            }
            promised = before?.promises ?? []
        } catch let error as DRError where !contacts.isEmpty {
            problems.append(error)
            promised = Set(others)
        }
        for other in others {
            do {
                // Counted from before it was written: whoever reads it later waits long enough.
                try await self.cluster(other).noteAgent(mark(of: name, at: began, lease, every, for: other))
                if lease == nil { promised.remove(other) } else { promised.insert(other) }
                reached.append(try self.cluster(other))
                contacts[other] = began
            } catch let error as DRError {
                contacts[other] = contacts[other] ?? began
                // Why one that answers cannot be told is for a person to know: a full disk, say. It may have been told all the same.
                if error.code != .clusterUnreachable {
                    problems.append(error)
                    if lease != nil { promised.insert(other) }
                }
            }
            do { try await noteContact(with: other, at: cluster, answered: reached.last?.name == other) } catch let error as DRError {
                problems.append(error)
            }
        }
        let own = AgentMark(
            cluster: name, at: began, lease: lease, every: every ?? .zero, applications: [],
            contacts: Dictionary(uniqueKeysWithValues: contacts.map { ($0.key.text, $0.value) }), promised: promised.sorted())
        do { try await cluster.noteAgent(own) } catch let error as DRError { problems.append(error) }
        var events = problems.prefix(1).map { AgentRound.Event(kind: .failed, application: nil, message: $0.message) }
        for application in inventory.applications {
            do {
                let needed = try await awaited(application.name, at: cluster, reached: Set(reached.map(\.name)))
                let oldest = needed.compactMap { contacts[$0] }.min()
                let watch = Watch(
                    application: application, cluster: cluster, reached: reached,
                    silent: needed.filter { peer in !reached.contains { $0.name == peer } },
                    isOverdue: every == nil ? false : selfFence.map { lease in oldest.map { began - $0 >= lease } ?? false } ?? false,
                    call: call)
                if let event = try await inTurn(application.name, { try await look(watch) }) { events.append(event) }
            } catch let error as DRError {
                events.append(AgentRound.Event(kind: .failed, application: application.name, message: error.message))
            }
        }
        try await release(run: call.holder.run)
        try await forget(run: call.holder.run)
        return AgentRound(contacts: contacts, events: events, silent: others.filter { other in !reached.contains { $0.name == other } })
    }

    /// The clusters that have to answer: those that it could be live at, without those that a person said are gone and that did not answer since.
    func awaited(_ application: ApplicationName, at cluster: any Cluster, reached: Set<ClusterName>) async throws -> [ClusterName] {
        let peers = peers(of: cluster.name, for: application)
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

    /// A person says that the clusters that do not answer are gone for good: what the agent stopped for their sake runs here again, in a new epoch and with
    /// the risk of two writers noted. Their silence stops it no more; one that answers again counts again. What cannot be started keeps no other from it: it is
    /// told as `failed`. Throws when nothing was started: `fenced` where one that answers took it over, `conflict` when all answer, `locked`, and `not-found`
    /// when the agent stopped nothing here.
    public func resumeAlone(_ name: ClusterName, reason: String, by person: String, _ call: EngineCall) async throws -> [AgentRound.Event] {
        let cluster = try cluster(name)
        var reached: [any Cluster] = []
        for other in peers(of: name) {
            do {
                _ = try await self.cluster(other).documents(in: .pairs)
                reached.append(try self.cluster(other))
            } catch let error as DRError where error.code == .clusterUnreachable { continue }
        }
        var (events, failures): ([AgentRound.Event], [DRError]) = ([], [])
        for application in inventory.applications {
            do {
                guard let event = try await resumeAlone(application, at: cluster, reached, reason, by: person, call) else { continue }
                events.append(event)
            } catch let error as DRError {
                failures.append(error)
                events.append(AgentRound.Event(kind: .failed, application: application.name, message: error.message))
            }
        }
        try await release(run: call.holder.run)
        try await forget(run: call.holder.run)
        guard events.contains(where: { $0.kind != .failed }) else {
            throw failures.first.map { first in
                DRError(first.code, failures.map(\.message).joined(separator: "; "), hint: first.hint)
            } ?? DRError(.notFound, "the agent of \(name) stopped nothing there that could be started", hint: "see `drrunbook status`")
        }
        return events
    }

    private func resumeAlone(
        _ application: Application, at cluster: any Cluster, _ reached: [any Cluster], _ reason: String, by person: String,
        _ call: EngineCall
    ) async throws -> AgentRound.Event? {
        let name = cluster.name
        guard let mark = try await cluster.document(.selfFenced(application.name)), let home = home(of: application.name) else {
            return nil
        }
        let silent = peers(of: name, for: application.name).filter { peer in !reached.contains { $0.name == peer } }
        guard !silent.isEmpty else {
            throw DRError(
                .conflict, "all clusters where \(application.name) could be live answer",
                hint: "`drrunbook agent \(name)` starts it by itself, unless one of them took it over")
        }
        try await lock(application.name, at: [cluster], for: call.holder)
        return try await inTurn(application.name) {
            var records: [ClusterName: ApplicationRecord] = [:]
            for place in [cluster] + reached { records[place.name] = try await place.record(of: application.name) }
            let standing = Standing(application: application.name, home: home, records: records)
            try standing.requireActive(at: name)
            let record = standing.effectiveRecord(at: name)
            guard mark["epoch"].integer == record.epoch.number, !record.isComplete else { return nil }
            // One above what a cluster that is not heard of may have given it in a disaster.
            var next = record
            next.epoch = record.epoch.next.next
            next.split_brain_risk = true
            let word: Value = [
                "clusters": .list(silent.map { .string($0.text) }), "reason": .string(reason), "by": .string(person),
                "at": .instant(self.clock.now()),
            ]
            self.visit(cluster, call.key)
            let committed = try await cluster.commit(
                Transaction(
                    call.key.part(application.name.text).part("alone"),
                    guards: [
                        .epoch(application.name, record.epoch),
                        .document(.application(application.name), try standing.record(at: name)?.value()),
                        .document(.selfFenced(application.name), mark),
                    ],
                    changes: [
                        .write(.application(application.name), try next.value()), .write(.alone(application.name), word),
                        .write(.selfFenced(application.name), ["epoch": .integer(next.epoch.number), "at": .instant(self.clock.now())]),
                    ], effects: [Effect(.activate, kind: "Application", name: application.name.text, at: name)]))
            call.effects.record(committed.effects)
            failpoint("engine.agent.alone")
            // From here on it is what the agent does when all answer again.
            let watch = Watch(application: application, cluster: cluster, reached: reached, silent: [], isOverdue: false, call: call)
            return try await self.look(watch)
        }
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

    func mark(of name: ClusterName, at began: Instant, _ lease: Duration?, _ every: Duration?, for other: ClusterName) -> AgentMark {
        let covered = lease == nil ? [] : inventory.applications.map(\.name).filter { peers(of: name, for: $0).contains(other) }
        return AgentMark(cluster: name, at: began, lease: lease, every: every ?? .zero, applications: covered.sorted())
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

    struct Watch {
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

    private func look(_ watch: Watch) async throws -> AgentRound.Event? {
        guard let home = home(of: watch.name) else { return nil }
        var records: [ClusterName: ApplicationRecord] = [:]
        for cluster in [watch.cluster] + watch.reached { records[cluster.name] = try await cluster.record(of: watch.name) }
        let standing = Standing(application: watch.name, home: home, records: records)
        let here = watch.cluster.name
        let own = standing.effectiveRecord(at: here)
        let mark = try await watch.cluster.document(.selfFenced(watch.name))
        if let event = try await letGoForgotten(watch) { return event }
        guard own.active == here else { return nil }
        if own.epoch < standing.epoch {
            try await seize(watch)
            try await hold(watch) { objects in
                try StopDecision(
                    application: watch.name, objects: objects, record: standing.record(at: here), standing: standing, at: here
                ).deposing(watch.key("depose"), now: self.clock.now())
            }
            return event(
                .deposed, watch, "live at \(standing.active) since epoch \(standing.epoch): stopped here, where epoch \(own.epoch) was lost"
            )
        }
        // Also what its own start, which failed, left half running.
        if watch.isOverdue, own.running {
            try await selfFence(watch, standing)
            return event(
                .selfFenced, watch, "\(watch.silent.map(\.text).listed) could not be asked whether it lives there: stopped here")
        }
        // Also when the round before died between the commit and the processes.
        if mark != nil, !watch.isInTouch { try await confirmHeld(watch) }
        guard let mark, watch.isInTouch else { return nil }
        try await lock(watch.name, at: [watch.cluster], for: watch.call.holder)
        let isOurs = mark["epoch"].integer == own.epoch.number && !own.isComplete
        if isOurs {
            _ = try await start(watch.application, at: watch.cluster, watch.key("start"), in: own.epoch, asAgent: true, watch.call)
        }
        _ = try await watch.cluster.commit(
            Transaction(
                watch.key("resumed"), guards: [.document(.selfFenced(watch.name), mark)], changes: [.remove(.selfFenced(watch.name))]))
        return isOurs ? event(.resumed, watch, "nobody took it over: it runs again") : nil
    }

    /// Stops it, and notes that no person did.
    func selfFence(_ watch: Watch, _ standing: Standing) async throws {
        let here = watch.cluster.name
        try await seize(watch)
        try await hold(watch) { objects in
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

    /// Commits what holds the workloads, stops their processes, and then runs the cluster's own `fence` command, also when they do not stop.
    private func hold(_ watch: Watch, _ make: ([ManifestObject]) throws -> Transaction?) async throws {
        let objects = try CarriedObjects.of(try await watch.cluster.objects(of: watch.application))
        if let transaction = try make(objects) {
            watch.call.effects.record(try await watch.cluster.commit(transaction).effects)
        }
        failpoint("engine.agent.held")
        do {
            try await confirmHeld(watch)
        } catch {
            try await watch.cluster.fence(watch.name)
            throw error
        }
        try await watch.cluster.fence(watch.name)
        failpoint("engine.agent.fenced")
    }

    func confirmHeld(_ watch: Watch) async throws {
        let objects = try CarriedObjects.of(try await watch.cluster.objects(of: watch.application))
        try await confirmStopped(try HeldWorkload.among(objects), of: watch.application, at: watch.cluster)
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
