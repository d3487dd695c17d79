internal import DRActions
public import DRModel
internal import DRReplication
internal import DRSupport

/// A plan that people have looked at, bound to what it was made from: a run from it refuses when anything of that has changed.
public struct PlanRecord: Codable, Sendable, Hashable {
    public var version = 1
    public let runbook: String
    /// SHA-256 of the runbook and of each module, by file.
    public let sources: [String: String]
    public let parameters: Value
    /// SHA-256 of dr.yaml.
    public let configuration: String
    public let outcome: RunOutcome
    /// In the order of the plan.
    public let effects: [String]
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
            throw DRError(.invalidInput, "there is no plan \(file)", hint: "`drrunbook plan RUNBOOK --out \(file)` writes one")
        }
        guard let value = try? Value(json: text), value["version"].integer == 1, let record = try? value.decoded(as: PlanRecord.self) else {
            throw DRError(.invalidInput, "\(file) is not a plan of this version", hint: "write it with `drrunbook plan RUNBOOK --out FILE`")
        }
        return record
    }

    /// Binds a plan's report to what it was made from.
    public func record(_ report: RunReport, of runbook: String, parameters: Value) throws -> PlanRecord {
        let sources = try RunbookFile(runbook).sources()
        var digests = [sources.main.file: Digest.hex(of: sources.main.text)]
        for module in sources.modules.values { digests[module.file] = Digest.hex(of: module.text) }
        return PlanRecord(
            runbook: runbook, sources: digests, parameters: parameters, configuration: configuration.digest, outcome: report.outcome,
            effects: report.effects.map(\.text))
    }

    /// Plans again and compares. Throws `conflict` and names what differs from the plan that was looked at.
    public func check(_ record: PlanRecord, runbook: String, parameters: Value) async throws {
        func stale(_ what: String) -> DRError {
            DRError(.conflict, "the plan no longer fits: \(what)", hint: "make and look at a new one with `drrunbook plan`")
        }
        guard record.runbook == runbook else { throw stale("it is of \(record.runbook), not of \(runbook)") }
        guard record.outcome == .succeeded || record.outcome == .targetMissed else {
            throw stale("it did not succeed when it was made (\(record.outcome.rawValue))")
        }
        guard record.parameters == parameters else { throw stale("the parameters differ") }
        guard record.configuration == configuration.digest else { throw stale("\(configuration.file) has changed") }
        let now = try self.record(try await plan(runbook, parameters: parameters), of: runbook, parameters: parameters)
        for file in Set(record.sources.keys).union(now.sources.keys).sorted() where record.sources[file] != now.sources[file] {
            throw stale("\(file) has changed")
        }
        guard record.effects != now.effects else { return }
        let index = zip(record.effects, now.effects).prefix { $0 == $1 }.count
        func effect(_ list: [String]) -> String { index < list.count ? "\"\(list[index])\"" : "nothing more" }
        throw stale("change \(index + 1) was \(effect(record.effects)) and is now \(effect(now.effects))")
    }
}
