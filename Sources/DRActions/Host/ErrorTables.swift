public import DRModel
public import LuaBridge

/// Errors of ours as scripts see them: `code`, `message`, `verb`, `retryable`, `hint`, and `details` where there are more facts.
extension DRError: LuaErrorConvertible {
    public var luaMessage: String { verb.map { "\($0): \(message)" } ?? message }

    public var luaFields: [(String, LuaTree)] {
        var fields: [(String, LuaTree)] = [("code", .text(code.rawValue)), ("retryable", .boolean(retryable))]
        if let verb { fields.append(("verb", .text(verb))) }
        if let hint { fields.append(("hint", .text(hint))) }
        if let location { fields.append(("location", .text(location.description))) }
        if let details { fields.append(("details", details.tree)) }
        return fields
    }
}

extension Value {
    /// Without instants and durations as objects: inside errors they are text and seconds.
    var tree: LuaTree {
        switch self {
        case .null: .null
        case .bool(let flag): .boolean(flag)
        case .integer(let number): .integer(Int(number))
        case .number(let number): .number(number)
        case .string(let text): .text(text)
        case .list(let items): items.isEmpty ? .record([:]) : .list(items.map(\.tree))
        case .map(let members): .record(Dictionary(members.map { (.string(LuaString($0.key)), $0.value.tree) }) { $1 })
        case .instant(let instant): .text(instant.description)
        case .duration(let duration): .number(duration.inSeconds)
        }
    }
}
