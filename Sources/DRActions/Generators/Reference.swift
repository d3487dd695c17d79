public import DRModel

/// The reference of the verbs, made from their declarations: for `explain`, docs/verbs.md and editors.
public struct Reference: Sendable {
    let registry: ActionRegistry

    var verbs: [any Declared.Type] { registry.verbs }

    public init(_ registry: ActionRegistry = .standard) { self.registry = registry }

    /// Names of all verbs and flow functions.
    public var names: [String] { registry.verbs.map { $0.spec.name } + FlowFunction.all.map(\.name) }

    /// One line each.
    public func overview() -> String {
        let lines = registry.verbs.map { ($0.spec.name, $0.spec.summary) } + FlowFunction.all.map { ($0.name, $0.summary) }
        let width = lines.map(\.0.count).max() ?? 0
        func table(_ rows: [(String, String)]) -> String {
            rows.map { "  " + $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }.joined(separator: "\n")
        }
        let count = registry.verbs.count
        return "Verbs\n\(table(Array(lines.prefix(count))))\n\nFlow and facts\n\(table(Array(lines.dropFirst(count))))\n"
    }

    /// A verb's page as text, or one field of it (`failover.mode`). Nil when there is none.
    public func text(for name: String) -> String? {
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard let first = parts.first else { return nil }
        if let function = FlowFunction.all.first(where: { $0.name == first }), parts.count == 1 {
            return "dr.\(function.signature)\n\n\(function.summary)\n" + (function.example.map { "\nExample\n  \($0)\n" } ?? "")
        }
        guard let verb = registry.verbs.first(where: { $0.spec.name == first }) else { return nil }
        if parts.count == 2 {
            guard let field = verb.parameters.first(where: { $0.name == parts[1] }) else { return nil }
            return "\(first).\(line(field))\n"
        }
        var text = "dr.\(signature(verb))\n\n\(verb.spec.summary)\n"
        if !verb.parameters.isEmpty { text += "\nFields\n" + verb.parameters.map { "  " + line($0) + "\n" }.joined() }
        if let example = verb.spec.example { text += "\nExample\n  \(example)\n" }
        return text
    }

    /// docs/verbs.md.
    public func markdown() -> String {
        var text = "# Verbs\n\n<!-- Generated from the declarations by `make record`; do not edit. -->\n"
        for verb in registry.verbs {
            text += "\n## \(verb.spec.name)\n\n\(verb.spec.summary)\n\n    dr.\(signature(verb))\n"
            if !verb.parameters.isEmpty {
                text += "\n| field | type | |\n|---|---|---|\n"
                for field in verb.parameters {
                    let type = field.declaration.type.expectation.replacing("|", with: "\\|")
                    text +=
                        "| `\(field.name)`\(field.declaration.isRequired ? "" : "?") | \(type) | \(field.declaration.summary)\(defaultText(field)) |\n"
                }
            }
            if let example = verb.spec.example { text += "\n    \(example)\n" }
        }
        text += "\n# Flow and facts\n\n| function | |\n|---|---|\n"
        for function in FlowFunction.all {
            text += "| `dr.\(function.signature.replacing("|", with: "\\|"))` | \(function.summary) |\n"
        }
        return text
    }

    /// Definitions for the Lua language server.
    public func luaStubs() -> String {
        var text = "---@meta\n-- Generated from the declarations by `make record`; do not edit.\n\n"
        text +=
            "---@class DRTime\n---@class DRDuration\n---@class DRSecret\n---@class DRRunbook\n---@class DRPair\n---@field name string\n---@class DRDrill\n---@field id string\n"
        text += "---@class DRHooks\n" + Hooks.known.map { "---@field \($0)? fun(application: { name: string })\n" }.joined() + "\n"
        text += "---@class dr\ndr = {}\n"
        for verb in registry.verbs {
            text += "\n---\(verb.spec.summary)\n"
            text += Self.stub(example: verb.spec.example)
            let fields = verb.parameters.map { "\($0.name)\($0.declaration.isRequired ? "" : "?"): \($0.declaration.type.luaType)" }
            text += "---@param call { \(fields.joined(separator: ", ")) }\n---@return table\nfunction dr.\(verb.spec.name)(call) end\n"
        }
        for function in FlowFunction.all { text += "\n---\(function.summary)\n\(Self.stub(example: function.example))\(function.stub)\n" }
        return text
    }

    private static func stub(example: String?) -> String { example.map { "---```lua\n---\($0)\n---```\n" } ?? "" }

    public func json() -> Value {
        .list(
            registry.verbs.map { verb in
                let fields = verb.parameters.map { field -> Value in
                    [
                        "name": .string(field.name), "type": .string(field.declaration.type.expectation),
                        "required": .bool(field.declaration.isRequired), "default": field.declaration.defaultValue ?? .null,
                        "summary": .string(field.declaration.summary),
                    ]
                }
                return [
                    "name": .string(verb.spec.name), "summary": .string(verb.spec.summary), "effect": .string(verb.spec.effect.rawValue),
                    "fields": .list(fields), "example": verb.spec.example.map(Value.string) ?? .null,
                ]
            })
    }

    private func signature(_ verb: any Declared.Type) -> String {
        let fields = verb.parameters.map { $0.name + ($0.declaration.isRequired ? "" : "?") }
        return fields.isEmpty ? "\(verb.spec.name){}" : "\(verb.spec.name){ \(fields.joined(separator: ", ")) }"
    }

    private func line(_ field: NamedParameter) -> String {
        "\(field.name)\(field.declaration.isRequired ? "" : "?"): \(field.declaration.type.expectation). \(field.declaration.summary)\(defaultText(field))"
    }

    private func defaultText(_ field: NamedParameter) -> String {
        guard let value = field.declaration.defaultValue, !value.isNull else { return "" }
        if case .duration(let duration) = value { return " Default: \(duration.text)." }
        return " Default: \(value.json(.plain))."
    }
}
