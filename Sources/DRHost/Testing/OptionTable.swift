internal import DRModel
internal import DRSupport

/// A table of options as a test gives it: what nobody asks for is refused with the nearest name, and so is what is of another kind.
struct OptionTable {
    private let members: [String: Value]

    /// Throws `invalid-input`. One that was left out is empty.
    init(_ value: Value, _ known: [String]) throws {
        guard let members = value.isNull || value.list?.isEmpty == true ? [:] : value.map else {
            throw DRError(.invalidInput, "expected a table of options, got \(value.kind)", hint: Self.hint(known))
        }
        for name in members.keys.sorted() where !known.contains(name) {
            throw DRError(.invalidInput, "unknown field \"\(name)\"\(Spelling.hint(for: name, in: known))", hint: Self.hint(known))
        }
        self.members = members.filter { !$0.value.isNull }
    }

    private static func hint(_ known: [String]) -> String { "fields: \(known.joined(separator: ", "))" }

    func text(_ name: String, expected: String = "a text") throws -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.string else { throw wrong(name, expected, value) }
        return text
    }

    /// A word of a closed list.
    func word<Word: RawRepresentable & CaseIterable>(_ name: String, as type: Word.Type) throws -> Word? where Word.RawValue == String {
        let known = Word.allCases.map(\.rawValue)
        return try text(name, expected: "one of \(known.joined(separator: ", "))").map { text in
            guard let word = Word(rawValue: text) else {
                throw DRError(
                    .invalidInput, "\(name): there is no \"\(text)\"\(Spelling.hint(for: text, in: known))",
                    hint: "known: \(known.joined(separator: ", "))")
            }
            return word
        }
    }

    func flag(_ name: String) throws -> Bool {
        guard let value = members[name] else { return false }
        guard let flag = value.bool else { throw wrong(name, "true or false", value) }
        return flag
    }

    /// From 1.
    func count(_ name: String) throws -> Int? {
        guard let value = members[name] else { return nil }
        guard let count = value.integer, count >= 1 else { throw wrong(name, "a whole number of at least 1", value) }
        return Int(count)
    }

    func duration(_ name: String) throws -> Duration? {
        guard let value = members[name] else { return nil }
        do { return try Duration(argument: value, name) } catch let error as DRError where !error.message.hasPrefix("\(name): ") {
            throw DRError(error.code, "\(name): \(error.message)", hint: error.hint)
        }
    }

    private func wrong(_ name: String, _ expected: String, _ value: Value) -> DRError {
        let shown = value.string.map { "\"\($0)\"" } ?? value.integer.map { "\($0)" } ?? value.kind
        return DRError(.invalidInput, "\(name): expected \(expected), got \(shown)")
    }
}
