public import DRActions
public import DRModel
internal import DRReplication
internal import DRSupport

/// A plan that people have looked at, bound to what it was made from: a run from it refuses when anything of that has changed.
public struct PlanRecord: Codable, Sendable, Hashable {
    public static let version = 2
    public var version = Self.version
    public let runbook: String
    /// SHA-256 of the runbook and of each module, by file.
    public let sources: [String: String]
    public let parameters: Value
    /// SHA-256 of dr.yaml.
    public let configuration: String
    public let outcome: RunOutcome
    /// Clusters that were taken as lost.
    public let without: [ClusterName]
    /// In the order of the plan.
    public let effects: [String]
    /// What it was made from in the clusters, by name: digests of manifests, where applications are active and in which epoch, volumes, pairs, schedules.
    public let inventory: [String: String]
    /// How old the data was that would go live, by application; those of which the plan knew.
    public let ages: [String: Duration]?
    /// How much older it may be when the plan is run. Nil: whatever `latest` gives then.
    public var maxAging: Duration?
}

extension PlanRecord {
    /// Unknown ages are not among them: a plan that could not tell binds nothing of it.
    static func ages(_ report: RunReport) -> [String: Duration] {
        report.applications.reduce(into: [:]) { $0[$1.name.text] = $1.rpo?.age }
    }

    var aging: DataAging? { ages.flatMap { ages in maxAging.map { DataAging(ages: ages, most: $0) } } }
}

extension Host {
    /// Writes the record of a plan to a new file. Throws `conflict` when the file exists.
    public func write(_ record: PlanRecord, to file: String) throws {
        let path = PathText.absolute(file, in: PathText.workingFolder)
        try NewFile.write(try Value(encoding: record).json() + "\n", to: path, shown: file)
    }

    /// Reads a plan's file. Throws `invalid-input`.
    public func readPlan(_ file: String) throws -> PlanRecord {
        guard let text = try TextFile.read(PathText.absolute(file, in: PathText.workingFolder), shown: file) else {
            throw DRError(
                .invalidInput, "there is no plan \(file)\(NearbyFile.hint(forGiven: file))",
                hint: "`drrunbook plan RUNBOOK --out \(file)` writes one")
        }
        guard let value = try? Value(json: text), value["version"].integer == Int64(PlanRecord.version),
            let record = try? value.decoded(as: PlanRecord.self)
        else {
            throw DRError(.invalidInput, "\(file) is not a plan of this version", hint: "write it with `drrunbook plan RUNBOOK --out FILE`")
        }
        return record
    }

    /// Plans, and binds the plan to what it was made from. `maxAging`: how much older the data that goes live may be when it is run than it is now.
    public func planRecord(
        _ runbook: String, parameters: Value = [:], without: [ClusterName] = [], maxAging: Duration? = nil,
        events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> (report: RunReport, record: PlanRecord) {
        var planned = try await planRecord(runbook, order(runbook, parameters), without, events)
        planned.record.maxAging = maxAging
        return planned
    }

    // The texts are read once: what the plan binds is what it was made of.
    private func planRecord(
        _ runbook: String, _ order: RunOrder, _ without: [ClusterName], _ events: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> (report: RunReport, record: PlanRecord) {
        let selection = Lock(PlanSelection())
        let report = try await plan(order, without: without) { [inventory = configuration.inventory] event in
            if case .actionStarted(let action) = event.kind { selection.withLock { $0.note(action.input, inventory) } }
            events(event)
        }
        let record = try await record(report, of: runbook, order, without, selection.withLock { $0 }.except(without))
        return (report, record)
    }

    private func record(
        _ report: RunReport, of runbook: String, _ order: RunOrder, _ without: [ClusterName], _ selection: PlanSelection
    ) async throws -> PlanRecord {
        let sources = order.sources
        var digests = [sources.main.file: Digest.hex(of: sources.main.text)]
        for module in sources.modules.values { digests[module.file] = Digest.hex(of: module.text) }
        return PlanRecord(
            runbook: runbook, sources: digests, parameters: order.parameters, configuration: order.configuration, outcome: report.outcome,
            without: without.sorted(), effects: report.effects.map(\.text), inventory: try await inventory(of: selection),
            ages: PlanRecord.ages(report))
    }

    /// Plans again and compares. Returns what was compared, to be run: the texts are read once, so what runs is what fitted. Throws `conflict` and names what differs from the
    /// plan that was looked at.
    public func check(_ record: PlanRecord, runbook: String, parameters: Value) async throws -> RunOrder {
        func stale(_ what: String) -> DRError {
            DRError(.conflict, "the plan no longer fits: \(what)", hint: "make and look at a new one with `drrunbook plan`")
        }
        guard record.runbook == runbook else { throw stale("it is of \(record.runbook), not of \(runbook)") }
        guard record.outcome == .succeeded || record.outcome == .targetMissed else {
            throw stale("it did not succeed when it was made (\(record.outcome.rawValue))")
        }
        guard record.parameters == parameters else { throw stale("the parameters differ") }
        guard record.configuration == configuration.digest else { throw stale("\(configuration.file) has changed") }
        let order = try order(runbook, parameters, plan: record)
        let (report, now) = try await planRecord(runbook, order, record.without) { _ in }
        for file in Set(record.sources.keys).union(now.sources.keys).sorted() where record.sources[file] != now.sources[file] {
            throw stale("\(file) has changed")
        }
        // Before what differs because of it.
        if let error = report.error { throw stale("it would fail now: \(error.description)") }
        // Where applications are is told first: other things follow from it.
        let names = Set(record.inventory.keys).union(now.inventory.keys).sorted {
            ($0.contains(" ") ? 1 : 0, $0) < ($1.contains(" ") ? 1 : 0, $1)
        }
        for name in names {
            switch (record.inventory[name], now.inventory[name]) {
            case (let then?, let now?) where then != now:
                // Digests and records say nothing to a person.
                throw stale("\(name) " + (now.contains(" ") && !now.contains("{") ? "was \(then) and is now \(now)" : "has changed"))
            case (_?, nil): throw stale("\(name) is gone")
            case (nil, _?): throw stale("\(name) is new")
            default: continue
            }
        }
        if let aged = record.aging?.exceeded(in: report) { throw stale(aged) }
        guard record.effects != now.effects else { return order }
        let index = zip(record.effects, now.effects).prefix { $0 == $1 }.count
        func effect(_ list: [String]) -> String { index < list.count ? "\"\(list[index])\"" : "nothing more" }
        throw stale("change \(index + 1) was \(effect(record.effects)) and is now \(effect(now.effects))")
    }
}
