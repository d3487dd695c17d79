public import DRModel

/// How a run ended, or was put down, in the record and out of it.
extension RunReport {
    /// What its last record says; nil while the run goes on, waits, or was interrupted. Throws `journal-damaged`.
    public init?(of run: RunID, in records: [JournalRecord]) throws {
        let held = records.putDown
        guard let end = held ?? records.last(where: { $0.entry.kind == .finished }) else { return nil }
        let payload = end.entry.payload
        do {
            var (effects, error): (BranchEffects, DRError?) = (BranchEffects(), nil)
            for record in records where record.entry.kind == .outcome {
                effects.add(try ActionOutcome(payload: record.entry.payload).effects, of: record.entry.branch)
            }
            if let held { error = try StopRequest(payload: held.entry.payload).error }
            if !payload["error"].isNull { error = try payload["error"].decoded(as: DRError.self) }
            guard let outcome = held == nil ? payload["outcome"].string.flatMap(RunOutcome.init(rawValue:)) : .stopped else {
                throw DRError(.journalDamaged, "the end of run \(run) has no outcome that is known")
            }
            var rto: Duration?
            if case .duration(let time) = payload["rto"] { rto = time }
            self.init(
                run: run, outcome: outcome, error: error, rto: rto, applications: try payload["applications"].decodedList(),
                effects: effects.inOrder, undos: try payload["undos"].decodedList(), isHeld: held != nil)
        } catch let error as DecodingError {
            throw DRError(.journalDamaged, "the end of run \(run) cannot be read: \(error)")
        }
    }

    /// What its last record holds.
    func payload() throws -> [String: Value] {
        [
            "outcome": .string(outcome.rawValue), "error": try error.map { try Value(encoding: $0) } ?? .null,
            "applications": try Value(encoding: applications), "rto": rto.map(Value.duration) ?? .null, "undos": try Value(encoding: undos),
        ]
    }
}

extension Value {
    /// Empty where there is none: older versions put a run down without them.
    fileprivate func decodedList<Element: Decodable>() throws -> [Element] { isNull ? [] : try decoded(as: [Element].self) }
}

/// Effects by branch path, in the order of their actions.
struct BranchEffects {
    private var byBranch: [String: [Effect]] = [:]

    mutating func add(_ effects: [Effect], of branch: String) {
        if !effects.isEmpty { byBranch[branch, default: []] += effects }
    }

    var isEmpty: Bool { byBranch.isEmpty }

    var inOrder: [Effect] {
        byBranch.map { (Self.numbers($0.key), $0.value) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }.flatMap(\.1)
    }

    // "0.4-10" comes after "0.4-2".
    private static func numbers(_ branch: String) -> [Int] { branch.split { $0 == "." || $0 == "-" }.map { Int($0) ?? 0 } }
}

extension JournalEntry {
    /// The branch that asked for it: what its key begins with.
    var branch: String { String(key.prefix { $0 != "/" }) }
}
