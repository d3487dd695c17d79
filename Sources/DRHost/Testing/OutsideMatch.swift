internal import DRModel
internal import DRSimulation
internal import DRSupport

/// What a test says of calls outside: a key that no call has would fit none, or with `0` times all.
enum OutsideMatch {
    static let kinds = OutsideWorld.keys.keys.sorted()

    static func check(kind: String) throws {
        guard kinds.contains(kind) else {
            throw DRError(
                .invalidInput, "\"\(kind)\" is no kind of call\(Spelling.hint(for: kind, in: kinds))",
                hint: "kinds: \(kinds.joined(separator: ", "))")
        }
    }

    /// `{ kind, url, method, ... }` of `t.called`.
    static func check(_ match: Value) throws {
        guard let fields = match.map else {
            throw DRError(.invalidInput, "expected a text, or a table such as { kind = \"http\", url = \"*\" }")
        }
        let kind = fields["kind"]?.string
        if let kind { try check(kind: kind) }
        try check(match, kind: kind, beside: ["kind"])
    }

    /// What calls of a kind, or of any, are told by.
    static func check(_ match: Value, kind: String?, beside other: [String] = []) throws {
        let keys = other + (kind.flatMap { OutsideWorld.keys[$0] } ?? kinds.flatMap { OutsideWorld.keys[$0] ?? [] })
        try check(match, "a call of \(kind ?? "any kind") is told by", keys)
    }

    static func check(answer: Value, kind: String) throws {
        try check(answer, "an answer of \(kind) holds", OutsideWorld.answerKeys[kind] ?? [])
        if let code = answer["error"].string { try DRError.checkCode(code) }
    }

    private static func check(_ value: Value, _ what: String, _ keys: [String]) throws {
        for name in (value.map ?? [:]).keys.sorted() where !keys.contains(name) {
            throw DRError(
                .invalidInput, "unknown field \"\(name)\"\(Spelling.hint(for: name, in: keys))",
                hint: "\(what): \(keys.joined(separator: ", "))")
        }
    }
}

extension DRError {
    /// Throws `invalid-input` with the nearest code where errors have no such code.
    static func checkCode(_ text: String) throws {
        let known = ErrorCode.allCases.map(\.rawValue)
        guard !known.contains(text) else { return }
        throw DRError(
            .invalidInput, "there is no error code \"\(text)\"\(Spelling.hint(for: text, in: known))",
            hint: "codes: \(known.joined(separator: ", "))")
    }
}
