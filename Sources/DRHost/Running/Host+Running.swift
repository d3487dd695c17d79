public import DRActions
internal import DRJournal
public import DRModel
internal import DRReplication
internal import DRSupport

extension Host {
    /// Executes a runbook. Throws what was found before its first record; everything later is in the report.
    ///
    /// `parameters`: a map, checked against what the runbook declares; texts are read as the declared type. `mayActivate`: somebody said yes to applications
    /// going live; without it an activation fails with `not-allowed`.
    public func run(
        _ runbook: String, parameters: Value = [:], mayActivate: Bool, events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        try await run(order(runbook, parameters), mayActivate: mayActivate, events: events)
    }

    /// The same with texts that were read before: those that were planned, or that a plan's check found to fit.
    public func run(
        _ order: RunOrder, mayActivate: Bool, events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        try await writing { journal in
            try await runner(world, journal, predicted: false, mayActivate: mayActivate, events).run(order)
        }
    }

    /// What `run` would do: the same code over clusters whose changes stay in memory. Nothing on disk changes, the state folder included.
    ///
    /// `without`: clusters that are to be taken as lost.
    public func plan(
        _ runbook: String, parameters: Value = [:], without: [ClusterName] = [],
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        try await plan(order(runbook, parameters), without: without, events: events)
    }

    /// The same with texts that were read before.
    public func plan(
        _ order: RunOrder, without: [ClusterName] = [], events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        for name in without where !configuration.inventory.clusters.contains(name) {
            throw DRError.unknown("cluster", name.text, among: configuration.inventory.clusters.map(\.text))
        }
        let world = world.planned(without: LostClusters(without, configuration), configuration)
        remains(world)
        return try await runner(world, MemoryJournal(), predicted: true, mayActivate: true, events).run(order)
    }

    /// Carries on a run that was interrupted, with the texts it was started with.
    ///
    /// `settled`: what a person found out about calls outside whose answer was lost, by key; while one is unknown the report says `waiting`. `more`: what it is given
    /// that it was not started with, until it waits, ends or is put down.
    public func resume(
        _ run: RunID, mayActivate: Bool, settled: Settlements = [:], more: MoreTime = MoreTime(), word: TakeUpWord = TakeUpWord(),
        request: StopRequest? = nil,
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        try await resume(
            run, mayActivate: mayActivate, settled: settled, more: more, word: word, request: request, isWaitedFor: false, events: events)
    }

    /// `isWaitedFor`: by whoever saw it wait, and wants it to go on only where nobody has ended it or put it down since. Looked at under the journal's lock, so that no
    /// word to stop is lost between the two.
    func resume(
        _ run: RunID, mayActivate: Bool, settled: Settlements = [:], more: MoreTime, word: TakeUpWord = TakeUpWord(),
        request: StopRequest? = nil,
        isWaitedFor: Bool,
        events: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> RunReport {
        // Who wants it to end asks the process that has it, and does not wait for that.
        try await writing(patience: request == nil ? Self.patience : .zero) { journal in
            if !word.takesOver { try await requireLeft(run) }
            if let taken = try adopt(run, journal, word, ends: request != nil) {
                events(RunEvent(run: run, time: world.clock.now(), kind: .warning(taken)))
            }
            let (header, records) = (try journal.header(of: run), try journal.records(of: run))
            if isWaitedFor, let ended = try RunReport(of: run, in: records) {
                events(RunEvent(run: run, time: world.clock.now(), kind: .runFinished(ended)))
                return ended
            }
            for change in changes(since: header) {
                events(RunEvent(run: run, time: world.clock.now(), kind: .warning(change)))
            }
            let taking = try takeUp(header, records, word, ends: request != nil)
            // Under a yes nothing needs to be looked for.
            let begun = mayActivate ? [] : ActivationGate.begun(header, records)
            return try await runner(
                world, journal, predicted: false, mayActivate: mayActivate, begun: begun, runningAs: header.runningAs ?? .live, events
            ).resume(header, records, settled: settled, more: more, taking: taking, request: request)
        }
    }

    // A resume carries on what was started; a person who edited something meanwhile has to know what counts.
    private func changes(since header: RunHeader) -> [String] {
        var changes: [String] = []
        if header.configuration != configuration.digest {
            changes.append(
                "\(configuration.file) differs from the one run \(header.id) was started with; who may approve and what is allowed count as recorded, the rest as it is now"
            )
        }
        do {
            let then = try RunbookSources(header: header), now = try RunbookFile(header.runbook).sources()
            var edited = then.main.text == now.main.text ? [] : [header.runbook]
            for (name, module) in then.modules where now.modules[name]?.text != module.text { edited.append(module.file) }
            for file in edited.sorted() {
                changes.append("\(file) was edited since run \(header.id) was started; the recorded text is carried on")
            }
        } catch {
            changes.append(
                "\(header.runbook) cannot be compared with the text run \(header.id) was started with, which is carried on: "
                    + ((error as? DRError)?.message ?? "\(error)"))
        }
        return changes
    }

    /// What `resume` would still do. `events` with `replayed` are what the run has behind it. `isCarriedOn`: what the process that has the run would do.
    public func planResume(
        _ run: RunID, settled: Settlements = [:], word: TakeUpWord = TakeUpWord(), request: StopRequest? = nil,
        isCarriedOn: Bool = false,
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        let (header, records) = try newest(run, word, ends: request != nil)
        return try await planRest(
            of: header, records.map { TimedEntry($0.entry, at: $0.time) }, settled: settled, request: request, isCarriedOn: isCarriedOn,
            events: events)
    }

    private func planRest(
        of header: RunHeader, _ entries: [TimedEntry], settled: Settlements = [:], request: StopRequest? = nil,
        isCarriedOn: Bool = false,
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        let copy = MemoryJournal()
        try copy.begin(header)
        let copied = try copy.append(entries, to: header.id)
        let runningAs = header.runningAs ?? .live
        return try await runner(world.planned(), copy, predicted: true, mayActivate: true, runningAs: runningAs, events).resume(
            header, copied, settled: settled, request: request, isCarriedOn: isCarriedOn)
    }

    /// Loads a runbook without running it. Throws `runbook` or `invalid-input` with file and line.
    public func inspect(_ runbook: String) async throws -> Runbook {
        let sources = try RunbookFile(runbook).sources()
        return try await runner(world.planned(), MemoryJournal(), predicted: true, mayActivate: false) { _ in }.inspect(sources)
    }

    /// What is to be run: the runbook and its modules as they stand now. Throws `invalid-input`, `runbook`.
    public func order(_ runbook: String, _ parameters: Value) throws -> RunOrder { try order(runbook, parameters, plan: nil) }

    func order(_ runbook: String, _ parameters: Value, plan: PlanRecord?) throws -> RunOrder {
        RunOrder(
            sources: try RunbookFile(runbook).sources(), parameters: parameters, who: identity.who, configuration: configuration.digest,
            allow: configuration.allow.digest, plan: try plan.map { Digest.hex(of: try Value(encoding: $0).json()) }, aging: plan?.aging)
    }

    func runner(
        _ world: World, _ journal: any Journal, predicted: Bool, mayActivate: Bool, begun: Set<OperationKey> = [],
        runningAs: RunningAs = .live, _ events: @escaping @Sendable (RunEvent) -> Void
    ) -> RunbookRunner {
        let engine = engine(over: world)
        let gated: any DREngine =
            runningAs == .drill
            ? DrillEngine(engine: engine, inventory: configuration.inventory, clock: world.clock)
            : ActivationGate(engine: engine, isConfirmed: mayActivate, begun: begun)
        return RunbookRunner(
            engine: world.simulated?.engine(gated) ?? gated, outside: outside(of: world, predicted: predicted),
            approvals: configuration.approvals, admission: admission, runningAs: runningAs, inventory: configuration.inventory,
            clock: world.clock, random: world.random, journal: journal, registry: registry, limits: RunLimits(configuration.limits),
            coverage: world.simulated?.coverage, host: identity.host, process: identity.process, who: identity.who, predicted: predicted,
            confirmed: !predicted && mayActivate,
            expectations: predicted ? pastDurations() : PastDurations(),
            control: predicted ? nil : world.simulated?.control ?? fileControl,
            mirror: runningAs == .drill ? nil : mirror(journal, of: world, predicted: predicted),
            touches: { world.lost?.touches ?? [] },
            previous: { [self] in try previous($0, $1, predicted: predicted) },
            rest: { [self] header, unwritten in
                let records = try journal.records(of: header.id).map { TimedEntry($0.entry, at: $0.time) }
                return try await planRest(of: header, records + unwritten, isCarriedOn: true)
            }, executor: executor, events: events)
    }

    // Read beside the process that writes: a run is open while it asks, so it never finds itself.
    private func previous(_ runbook: String, _ outcome: String?, predicted: Bool) throws -> Value {
        guard let journal = try history(changingNothing: predicted) else { return .null }
        let found = try journal.runs().last { run in
            run.runbook == runbook && run.finished != nil && (outcome == nil || run.outcome?.rawValue == outcome)
        }
        guard let found else { return .null }
        let end = try journal.records(of: found.id).last?.entry.payload ?? .null
        return [
            "run": .string(found.id.text), "runbook": .string(found.runbook), "outcome": .string(found.outcome?.rawValue ?? ""),
            "started": .instant(found.started), "finished": found.finished.map(Value.instant) ?? .null, "results": end["results"],
            "parameters": try journal.header(of: found.id).parameters,
        ]
    }

    private func outside(of world: World, predicted: Bool) -> any Outside {
        let base = world.outside ?? outside(predicts: predicted)
        return world.lost.map { OutsideWithout(base: base, allowances: configuration.allow, lost: $0) } ?? base
    }

    // Runs that are simulated stand at no cluster.
    private func mirror(_ journal: any Journal, of world: World, predicted: Bool) -> (any RunMirror)? {
        if predicted {
            let isEmbedded = self.world.clusters.values.contains { $0 is DirectoryCluster }
            return isEmbedded ? PlannedMirror(configuration: configuration, lost: world.lost) : nil
        }
        return (journal as? SQLiteJournal).map {
            ClusterMirror(
                journal: $0, configuration: configuration, owner: "\(identity.who) \(identity.process) \(world.random.identifier())",
                signatures: headSignatures)
        }
    }

    /// How long a run waits for another one to end.
    private static let patience: Duration = .seconds(2)

    func writing(
        patience: Duration = Host.patience, _ body: (any Journal) async throws -> RunReport
    ) async throws -> RunReport {
        if let simulated = world.simulated { return try await body(simulated.journal) }
        try headSignatures.checkKey()
        try NewFile.makeFolders(configuration.state, shown: configuration.state, isPrivate: true)
        let journal = try await opened(patience)
        let report: RunReport
        do {
            report = try await body(journal)
        } catch {
            // The cause is what a person needs to see; the next opening checks the file anyway.
            try? journal.close()
            throw error
        }
        try journal.close()
        return report
    }
}

extension Host {
    /// The journal, for writing. Throws `locked` and names the run that goes on, and the way to put it down.
    private func opened(_ patience: Duration) async throws -> SQLiteJournal {
        let end = world.clock.now() + patience
        while true {
            do {
                return try SQLiteJournal.open(configuration.journal)
            } catch let error as DRError where error.code == .locked {
                guard world.clock.now() < end else { throw try going(error) }
            }
            try await world.clock.sleep(for: .milliseconds(100))
        }
    }

    private func going(_ error: DRError) throws -> DRError {
        guard let last = try fileControl.last, error.details?["process"].integer == Int64(last.process) else { return error }
        let header = try reading().header(of: last.run)
        let job = last.job.map { ", the job \($0) of `drrunbook serve`," } ?? ""
        return DRError(
            .locked, "run \(last.run) of \(header.runbook)\(job) goes on since \(header.started), in process \(last.process)",
            hint: "wait until it has ended, or put it down after what it is doing: `drrunbook stop \(last.run)` lets its applications go, "
                + "`drrunbook pause \(last.run)` keeps them locked for fifteen minutes, so that only what needs none of them can be run; "
                + "`drrunbook resume \(last.run)` carries it on afterwards",
            details: ["process": .integer(Int64(last.process)), "run": .string(last.run.text)])
    }
}

extension RunLimits {
    init(_ limits: RunbookLimits) {
        self.init(
            memory: limits.memory, computing: limits.cpu, output: limits.output, records: limits.records, branches: limits.branches,
            deadline: limits.deadline)
    }
}
