public import DRModel

extension Reference {
    /// Why a call would be refused for the values, by field or argument, that stand written out in it: what a plan would say where it came by. `isWhole`:
    /// nothing else stands in it, and nothing is missing. A refusal without a field is of several together.
    public func refusals(
        of function: String, _ values: [String: Value], isWhole: Bool, in surroundings: ParameterSurroundings
    ) -> [(field: String?, error: DRError)] {
        let types = types(of: function)
        var found: [(field: String?, error: DRError)] = []
        for (field, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let type = types[field], let error = type.refusal(of: value, in: surroundings) else { continue }
            found.append((field: field, error: error))
        }
        guard found.isEmpty, isWhole else { return found }
        let own = values.filter { $0.key != "deadline" }
        guard let error = registry.refusal(of: function, .map(own), in: surroundings) else { return [] }
        return [(field: nil, error: error)]
    }

    private func types(of function: String) -> [String: any ParameterType.Type] {
        guard let verb = verbs.first(where: { $0.spec.name == function }) else { return FlowFunction.types[function] ?? [:] }
        let declared = verb.parameters.map { ($0.name, $0.declaration.type) }
        return Dictionary(declared) { first, _ in first }.merging(["deadline": Duration.self]) { own, _ in own }
    }
}

extension ActionRegistry {
    /// Nil where a call with this table would be taken, or is none of a verb with rules for several fields together.
    fileprivate func refusal(of name: String, _ input: Value, in surroundings: ParameterSurroundings) -> DRError? {
        guard action(named: name)?.spec.isInternal == false else { return nil }
        do { _ = try prepare(name, input, in: surroundings) } catch { return error as? DRError }
        return nil
    }
}

extension ParameterType {
    fileprivate static func refusal(of value: Value, in surroundings: ParameterSurroundings) -> DRError? {
        do { _ = try Self(parameter: value, in: surroundings) } catch { return error as? DRError }
        return nil
    }
}

extension FlowFunction {
    /// What fields and arguments of functions hold, where that is checked as verbs' fields are.
    static let types: [String: [String: any ParameterType.Type]] = [
        "step": ["deadline": Duration.self], "call": ["deadline": Duration.self],
        "undo": ["application": ApplicationReference.self, "while_active_at": ClusterReference.self, "name": String.self],
        "previous": ["outcome": RunOutcome.self],
        "in_order": ["parallel": Int.self, "reverse": Bool.self, "raise": Bool.self, "on_failure": FailurePolicy.self],
        "retry": ["times": Int.self, "every": Duration.self, "on": [ErrorCode].self],
        "wait_until": ["timeout": Duration.self, "every": Duration.self],
        "sleep": ["duration": Duration.self], "duration": ["text": Duration.self], "time": ["text": TimeReference.self],
    ]

    /// Of `in_order`.
    private enum FailurePolicy: String, ParameterChoice { case stop, skip_dependents, `continue` }
}

extension RunOutcome: ParameterChoice {}
extension ErrorCode: ParameterChoice {}
