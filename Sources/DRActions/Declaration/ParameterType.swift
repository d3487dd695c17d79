public import DRModel
internal import DRSupport

/// A type that a verb's parameter may have: how it is read from what a runbook passed, and what it is called in errors, help and editor stubs.
public protocol ParameterType: Sendable {
    /// As a person calls it: `a duration such as "15m"`.
    static var expectation: String { get }
    /// As the editor stubs call it: `string`, `boolean`, `DRDuration` ...
    static var luaType: String { get }
    /// Throws DRError `invalid-input` or `unknown-name`; the caller adds verb, field and place.
    init(parameter value: Value, in surroundings: ParameterSurroundings) throws
    /// What stands in the journal.
    var parameterValue: Value { get }
    /// True when a missing field is fine without a default.
    static var isOptional: Bool { get }
}

extension ParameterType {
    public static var isOptional: Bool { false }

    static func mismatch(_ value: Value) -> DRError {
        value.secret == nil ? DRError(.invalidInput, "expected \(expectation), got \(value.shown)") : SecretObject.misuse
    }

    /// A member of a table; errors name it.
    static func member(_ name: String, _ value: Value, in surroundings: ParameterSurroundings) throws -> Self {
        do { return try Self(parameter: value, in: surroundings) } catch let error as DRError {
            throw DRError(error.code, "\(name): \(error.message)", hint: error.hint)
        }
    }

    /// A table whose keys are a closed list. Throws `invalid-input` with the nearest key.
    static func members(of value: Value, _ known: [String]) throws -> [String: Value] {
        guard let members = value.map else { throw mismatch(value) }
        if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw DRError(
                .invalidInput, "unknown key \"\(unknown)\"\(Spelling.hint(for: unknown, in: known))", hint: "expected \(expectation)")
        }
        return members
    }
}

extension Value {
    /// A text as it stands, anything else by its kind.
    var shown: String { string.map { $0.count > 100 ? kind : "\"\($0)\"" } ?? kind }
}

/// What names may be looked up in.
public struct ParameterSurroundings: Sendable {
    public let inventory: Inventory
    /// Who may pass gates.
    public let approvals: ApprovalRules

    public init(inventory: Inventory, approvals: ApprovalRules = ApprovalRules()) {
        self.inventory = inventory
        self.approvals = approvals
    }
}

extension Bool: ParameterType {
    public static var expectation: String { "true or false" }
    public static var luaType: String { "boolean" }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let flag = value.bool else { throw Self.mismatch(value) }
        self = flag
    }
    public var parameterValue: Value { .bool(self) }
}

extension Int: ParameterType {
    public static var expectation: String { "a whole number" }
    public static var luaType: String { "integer" }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        switch value {
        case .integer(let number): self = Int(number)
        case .number(let number):
            guard let exact = Int(exactly: number) else { throw Self.mismatch(value) }
            self = exact
        default: throw Self.mismatch(value)
        }
    }
    public var parameterValue: Value { .integer(Int64(self)) }
}

extension String: ParameterType {
    public static var expectation: String { "a string" }
    public static var luaType: String { "string" }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        self = text
    }
    public var parameterValue: Value { .string(self) }
}

extension Duration: ParameterType {
    public static var expectation: String { "a duration such as \"90s\", \"15m\" or \"2h\"" }
    public static var luaType: String { "string|DRDuration" }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        switch value {
        case .duration(let duration): self = duration
        case .string(let text): try self.init(parsing: text)
        default: throw Self.mismatch(value)
        }
        if self < .zero { throw DRError(.invalidInput, "expected a duration that is not negative") }
    }
    public var parameterValue: Value { .duration(self) }
}

extension Value: ParameterType {
    public static var expectation: String { "any value" }
    public static var luaType: String { "any" }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws { self = value }
    public var parameterValue: Value { self }
}

extension Optional: ParameterType where Wrapped: ParameterType {
    public static var expectation: String { Wrapped.expectation }
    public static var luaType: String { Wrapped.luaType }
    public static var isOptional: Bool { true }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        self = value.isNull ? nil : try Wrapped(parameter: value, in: surroundings)
    }
    public var parameterValue: Value { self?.parameterValue ?? .null }
}

extension Array: ParameterType where Element: ParameterType {
    public static var expectation: String { "a list, each item \(Element.expectation)" }
    public static var luaType: String { "(\(Element.luaType))[]" }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        // An empty table of Lua's is list and map at once.
        if value.map?.isEmpty == true {
            self = []
            return
        }
        guard let items = value.list else { throw Self.mismatch(value) }
        self = try items.map { try Element(parameter: $0, in: surroundings) }
    }
    public var parameterValue: Value { .list(map(\.parameterValue)) }
}

extension Dictionary: ParameterType where Key == String, Value: ParameterType {
    public static var expectation: String { "a table, each value \(Value.expectation)" }
    public static var luaType: String { "table<string, \(Value.luaType)>" }
    public init(parameter value: DRModel.Value, in surroundings: ParameterSurroundings) throws {
        guard let members = value.map else { throw Self.mismatch(value) }
        self = try members.mapValues { try Value(parameter: $0, in: surroundings) }
    }
    public var parameterValue: DRModel.Value { .map(mapValues(\.parameterValue)) }
}

/// A closed list of words: an enum of strings gets its reading from this.
public protocol ParameterChoice: ParameterType, RawRepresentable, CaseIterable where RawValue == String {}

extension ParameterChoice {
    public static var expectation: String { "one of " + allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") }
    public static var luaType: String { allCases.map { "\"\($0.rawValue)\"" }.joined(separator: "|") }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        guard let choice = Self(rawValue: text) else {
            let hint = Spelling.hint(for: text, in: Self.allCases.map(\.rawValue))
            throw DRError(.invalidInput, "expected \(Self.expectation), got \"\(text)\"\(hint)")
        }
        self = choice
    }
    public var parameterValue: Value { .string(rawValue) }
}
