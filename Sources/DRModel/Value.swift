/// What passes between runbooks, journal and engine: JSON, with instants and durations kept as what they are.
public enum Value: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case list([Value])
    case map([String: Value])
    case instant(Instant)
    case duration(Duration)

    /// The member of a map, or null.
    public subscript(key: String) -> Value {
        if case .map(let members) = self { return members[key] ?? .null }
        return .null
    }

    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    public var list: [Value]? { if case .list(let items) = self { items } else { nil } }
    public var map: [String: Value]? { if case .map(let members) = self { members } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The type as a person calls it: `a string`, `a list` ...
    public var kind: String {
        switch self {
        case .null: "nothing"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .list: "a list"
        case .map: "a table"
        case .instant: "a time"
        case .duration: "a duration"
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(arrayLiteral elements: Value...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, Value)...) { self = .map(Dictionary(elements) { $1 }) }
}

/// How instants and durations stand in JSON.
public enum ValueStyle: Sendable {
    /// `{"$instant":"..."}`, `{"$duration":NANOSECONDS}`: read back as what they were. For journals and state.
    case tagged
    /// RFC 3339 text and seconds. For people's programs (`--json`).
    case plain
}
