/// A value that stands written out in a text: what a verb would be given, whoever runs it.
public indirect enum LintConstant: Sendable, Equatable {
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([LintConstant])
    case table([String: LintConstant])
    /// Some function; what it does is not looked at.
    case function

    /// Nil where anything of it is worked out.
    static func of(_ expression: LuaExpression) -> LintConstant? {
        switch expression.kind {
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .string(let text): return text.map { .text($0) }
        case .number(let text): return numeral(text)
        case .unary("-", let value): return of(value)?.negated
        case .parentheses(let value): return of(value)
        case .function: return .function
        case .table(let fields): return constructor(fields)
        default: return nil
        }
    }

    private var negated: LintConstant? {
        switch self {
        case .integer(let number): .integer(-number)
        case .number(let number): .number(-number)
        default: nil
        }
    }

    private static func numeral(_ text: String) -> LintConstant? {
        if let whole = Int64(text) { return .integer(whole) }
        guard !text.lowercased().contains("x"), let number = Double(text) else { return nil }
        return .number(number)
    }

    private static func constructor(_ fields: [LuaField]) -> LintConstant? {
        if !fields.isEmpty, fields.allSatisfy({ $0.key == nil }) {
            let items = fields.compactMap { of($0.value) }
            return items.count == fields.count ? .list(items) : nil
        }
        var members: [String: LintConstant] = [:]
        for field in fields {
            guard let name = field.key?.string, let value = of(field.value) else { return nil }
            members[name] = value
        }
        return .table(members)
    }
}
