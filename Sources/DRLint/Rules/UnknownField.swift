internal import DRSupport

struct UnknownField: LintRule {
    static let id = "unknown-field"
    static let severity = LintFinding.Severity.error
    static let summary = "A field that the verb does not have, or one that is missing."

    func check(_ source: LintSource) -> [LintFinding] {
        source.calls.flatMap { call -> [LintFinding] in
            guard let function = source.vocabulary.functions[call.name], let index = function.table else { return [] }
            guard index < call.arguments.count else {
                return missing(function, [], call, source)
            }
            guard let fields = call.table(source.vocabulary) else { return [] }
            let names = function.fields.map(\.name)
            var findings: [LintFinding] = []
            var hasComputedKeys = false
            for field in fields {
                guard let key = field.key else {
                    hasComputedKeys = true
                    continue
                }
                guard let name = key.string else {
                    hasComputedKeys = true
                    continue
                }
                guard !names.contains(name) else { continue }
                findings.append(
                    source.finding(
                        self, field.line, "\(call.name): there is no field \"\(name)\"\(Spelling.hint(for: name, in: names))",
                        hint: "`drrunbook explain \(call.name)` shows its fields"))
            }
            return hasComputedKeys ? findings : findings + missing(function, fields.compactMap { $0.key?.string }, call, source)
        }
    }

    private func missing(_ function: LintVocabulary.Function, _ given: [String], _ call: DRCall, _ source: LintSource) -> [LintFinding] {
        let absent = function.fields.filter { $0.isRequired && !given.contains($0.name) }.map { "\"\($0.name)\"" }
        guard !absent.isEmpty else { return [] }
        let what = absent.count == 1 ? "field \(absent[0]) is missing" : "fields \(absent.joined(separator: ", ")) are missing"
        return [source.finding(self, call.line, "\(call.name): \(what)", hint: "`drrunbook explain \(call.name)` shows its fields")]
    }
}
