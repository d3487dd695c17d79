internal import DRModel
internal import LuaBridge

/// A secret as a runbook holds it: a name that can be handed on, and nothing else. The value never enters the script.
struct SecretObject: LuaObject {
    static let luaTypeName = "secret"
    let name: SecretName

    static let misuse = DRError(
        .invalidInput, "a secret may be used only in exec.env, exec.stdin, http.headers and notify.token",
        hint: "pass the handle itself: env = { PGPASSWORD = dr.secret(\"PGPASSWORD\") }")

    static func describe(_ type: LuaType<SecretObject>) {
        for metamethod in LuaMetamethod.allCases where metamethod != .close { type.metamethod(metamethod) { _ in throw misuse } }
    }
}

extension Value {
    /// How a secret stands among a verb's arguments and in the journal: by name.
    static func secret(_ name: SecretName) -> Value { ["$secret": .string(name.text)] }

    var secret: SecretName? {
        guard case .map(let members) = self, members.count == 1, let text = members["$secret"]?.string else { return nil }
        return try? SecretName(text)
    }

    /// A secret or a function stands somewhere in it.
    var holdsHandles: Bool {
        switch self {
        case .map(let members): secret != nil || isFunction || members.values.contains(where: \.holdsHandles)
        case .list(let items): items.contains(where: \.holdsHandles)
        default: false
        }
    }
}

/// Text, or a secret whose value is filled in where the call is made.
struct SecretText: ParameterType, Hashable {
    let text: OutsideText
    static var expectation: String { "a string or a secret" }
    static var luaType: String { "string|DRSecret" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        if let secret = value.secret {
            text = .secret(secret)
        } else if let plain = value.string {
            text = .plain(plain)
        } else {
            throw Self.mismatch(value)
        }
    }

    var parameterValue: Value {
        switch text {
        case .plain(let text): .string(text)
        case .secret(let name): .secret(name)
        }
    }
}

/// A secret and nothing else.
struct SecretReference: ParameterType, Hashable {
    let name: SecretName
    static var expectation: String { "a secret: dr.secret(NAME)" }
    static var luaType: String { "DRSecret" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let name = value.secret else { throw Self.mismatch(value) }
        self.name = name
    }

    var parameterValue: Value { .secret(name) }
}
