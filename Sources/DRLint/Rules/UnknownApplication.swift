internal import DRSupport

struct UnknownApplication: LintRule {
    static let id = "unknown-application"
    static let severity = LintFinding.Severity.error
    static let summary = "A verb is given the name of an application that the configuration does not have."

    func check(_ source: LintSource) -> [LintFinding] {
        guard !source.applications.isEmpty else { return [] }
        return source.calls.filter { source.vocabulary.isVerb($0.name) }.flatMap { call -> [LintFinding] in
            names(in: call.table(source.vocabulary) ?? []).filter { !source.applications.contains($0.name) }.map { given in
                source.finding(
                    self, given.line,
                    "\(call.name): there is no application \"\(given.name)\"\(Spelling.hint(for: given.name, in: source.applications))",
                    hint: "known applications: \(source.applications.joined(separator: ", "))")
            }
        }
    }

    // What is worked out is left to whoever runs it.
    private func names(in fields: [LuaField]) -> [(name: String, line: Int)] {
        fields.flatMap { field -> [(name: String, line: Int)] in
            switch (field.key?.string, field.value.kind) {
            case ("application", .string(let name?)): [(name, field.line)]
            case ("applications", .table(let items)):
                items.compactMap { item in item.key == nil ? item.value.string.map { ($0, item.line) } : nil }
            default: []
            }
        }
    }
}
