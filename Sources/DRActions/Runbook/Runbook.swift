internal import DRSupport
public import DRModel

/// What a runbook file declares with `dr.runbook{...}`.
public struct Runbook: Sendable, Hashable {
    public let name: String
    public let summary: String?
    public let parameters: [RunbookParameter]
    public let location: SourceLocation?
    /// What must hold when it has succeeded.
    public var ensures: RunbookEnsures?

    /// The values a run gets: checked, defaults filled in. Throws `invalid-input` with the nearest name.
    public func values(from given: Value) throws -> Value {
        let members = given.map ?? [:]
        let names = parameters.map(\.name)
        for unknown in members.keys.sorted() where !names.contains(unknown) {
            throw DRError(
                .invalidInput, "\(name) has no parameter \"\(unknown)\"\(Spelling.hint(for: unknown, in: names))",
                hint: names.isEmpty ? "it takes none" : "parameters: " + names.joined(separator: ", "), location: location)
        }
        var values: [String: Value] = [:]
        for parameter in parameters {
            if let value = members[parameter.name], !value.isNull {
                values[parameter.name] = try parameter.read(value, runbook: self)
            } else if let value = parameter.defaultValue {
                values[parameter.name] = value
            } else if parameter.isRequired {
                throw DRError(
                    .invalidInput, "parameter \"\(parameter.name)\" is missing: expected \(parameter.type.expectation)",
                    hint: "pass it with -p \(parameter.name)=VALUE", location: location)
            }
        }
        return .map(values)
    }
}

/// `ensures = { active = { ledger = "west" }, before = { { "ledger", "storefront" } } }`.
public struct RunbookEnsures: Sendable, Hashable {
    /// Where applications must be live, by name.
    public let active: [String: String]
    /// Which must have gone live before which, where the run moved both.
    public let before: [[String]]

    init?(_ value: Value) {
        guard let members = value.map, Set(members.keys).isSubset(of: ["active", "before"]) else { return nil }
        var active: [String: String] = [:]
        for (name, cluster) in members["active"]?.map ?? [:] {
            guard let cluster = cluster.string else { return nil }
            active[name] = cluster
        }
        var before: [[String]] = []
        for pair in members["before"]?.list ?? [] {
            let names = pair.list?.compactMap(\.string) ?? []
            guard names.count == 2 else { return nil }
            before.append(names)
        }
        self.active = active
        self.before = before
    }

    var value: Value {
        ["active": .map(active.mapValues(Value.string)), "before": .list(before.map { .list($0.map(Value.string)) })]
    }

    /// Throws `unknown-name`.
    func check(_ inventory: Inventory) throws {
        let surroundings = ParameterSurroundings(inventory: inventory)
        for name in active.keys.sorted() + before.flatMap(\.self) {
            _ = try ApplicationReference(parameter: .string(name), in: surroundings)
        }
        for cluster in active.values.sorted() { _ = try ClusterReference(parameter: .string(cluster), in: surroundings) }
    }
}

/// One `params` entry: `reason = { type = "string", required = true }`.
public struct RunbookParameter: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case string, boolean, integer, number, duration, time

        var expectation: String {
            switch self {
            case .string: "a string"
            case .boolean: "true or false"
            case .integer: "a whole number"
            case .number: "a number"
            case .duration: Duration.expectation
            case .time: TimeReference.expectation
            }
        }
    }

    public let name: String
    public let type: Kind
    public let isRequired: Bool
    public let defaultValue: Value?
    public let summary: String?

    /// Text is read as the declared type, because the command line knows nothing else.
    func read(_ value: Value, runbook: Runbook) throws -> Value {
        switch (type, value) {
        case (.string, .string), (.boolean, .bool), (.integer, .integer), (.number, .number), (.duration, .duration), (.time, .instant):
            return value
        case (.number, .integer(let number)): return .number(Double(number))
        case (.boolean, .string("true")), (.boolean, .string("yes")): return true
        case (.boolean, .string("false")), (.boolean, .string("no")): return false
        case (.integer, .string(let text)): if let number = Int64(text) { return .integer(number) }
        case (.number, .string(let text)): if let number = Double(text), number.isFinite { return .number(number) }
        case (.duration, .string(let text)): if let duration = try? Duration(parsing: text) { return .duration(duration) }
        case (.time, .string(let text)): if let instant = try? Instant(rfc3339: text) { return .instant(instant) }
        default: break
        }
        let got = value.string.map { "\"\($0)\"" } ?? value.kind
        throw DRError(.invalidInput, "parameter \"\(name)\": expected \(type.expectation), got \(got)", location: runbook.location)
    }
}

extension Runbook {
    static let fields = ["ensures", "name", "params", "run", "summary"]
    static let parameterFields = ["default", "required", "summary", "type"]

    /// Reads the table of `dr.runbook{...}`. Throws `runbook` with the nearest name.
    init(declaration: Value, at location: SourceLocation?) throws {
        func wrong(_ message: String, hint: String? = nil) -> DRError {
            DRError(.runbook, message, hint: hint, location: location, verb: "runbook")
        }
        guard let members = declaration.map else { throw wrong("expected a table of fields, got \(declaration.kind)") }
        for unknown in members.keys.sorted() where !Self.fields.contains(unknown) {
            throw wrong(
                "unknown field \"\(unknown)\"\(Spelling.hint(for: unknown, in: Self.fields))",
                hint: "fields: name, summary, params, run, ensures")
        }
        guard let name = members["name"]?.string, !name.isEmpty else { throw wrong("field \"name\" is missing: expected a string") }
        guard members["run"]?.isFunction == true else { throw wrong("field \"run\" is missing: expected a function") }
        ensures = try members["ensures"].map { value throws(DRError) in
            guard let found = RunbookEnsures(value) else {
                throw wrong(
                    "ensures: expected { active = { APPLICATION = CLUSTER }, before = { { FIRST, SECOND } } }",
                    hint: "both may be left out")
            }
            return found
        }
        self.name = name
        self.location = location
        summary = members["summary"]?.string
        parameters = try (members["params"]?.map ?? [:]).sorted { $0.key < $1.key }.map { try Self.parameter($0.key, $0.value, wrong) }
    }

    private static func parameter(_ name: String, _ value: Value, _ wrong: (String, String?) -> DRError) throws -> RunbookParameter {
        guard let members = value.map else { throw wrong("parameter \"\(name)\": expected a table such as { type = \"string\" }", nil) }
        for unknown in members.keys.sorted() where !parameterFields.contains(unknown) {
            throw wrong("parameter \"\(name)\": unknown field \"\(unknown)\"\(Spelling.hint(for: unknown, in: parameterFields))", nil)
        }
        let kinds = RunbookParameter.Kind.allCases.map(\.rawValue)
        let type = members["type"]?.string ?? "string"
        guard let kind = RunbookParameter.Kind(rawValue: type) else {
            throw wrong(
                "parameter \"\(name)\": unknown type \"\(type)\"\(Spelling.hint(for: type, in: kinds))",
                "types: " + kinds.joined(separator: ", "))
        }
        let parameter = RunbookParameter(
            name: name, type: kind, isRequired: members["required"]?.bool ?? false, defaultValue: nil, summary: members["summary"]?.string)
        guard let given = members["default"] else { return parameter }
        let owner = Runbook(name: "", summary: nil, parameters: [], location: nil)
        return RunbookParameter(
            name: name, type: kind, isRequired: parameter.isRequired, defaultValue: try parameter.read(given, runbook: owner),
            summary: parameter.summary)
    }
}
