internal import DRModel
internal import DRSupport

/// Which program an argument vector names, and whether dr.yaml lets it have these arguments.
struct ProgramRule {
    let allowances: Allowances

    /// Throws `not-allowed` with the nearest entry and its place.
    func program(for argv: [String]) throws -> Allowances.Program {
        guard let word = argv.first, !word.isEmpty else {
            throw DRError(.invalidInput, "argv is empty: expected the program and its arguments")
        }
        guard !argv.contains(where: { $0.utf8.contains(0) }) else { throw DRError(.invalidInput, "argv holds a zero byte") }
        let named = allowances.programs.filter { $0.name == word || $0.path == word }
        guard !named.isEmpty else { throw unknown(word) }
        let arguments = Array(argv.dropFirst())
        if let program = named.first(where: { Self.matches(arguments, $0.arguments) }) { return program }
        let program = named[0]
        let allowed = program.arguments.isEmpty ? "no arguments" : program.arguments.map { "\"\($0)\"" }.joined(separator: ", ")
        throw DRError(
            .notAllowed,
            "\(allowances.place(program.location)) allows \(program.name) with \(allowed), not with "
                + (arguments.isEmpty ? "none" : arguments.map { "\"\($0)\"" }.joined(separator: ", ")),
            hint: "`*` stands for any argument, and at the end for any further ones")
    }

    private func unknown(_ word: String) -> DRError {
        let names = allowances.programs.map(\.name)
        let nearest = Spelling.nearest(to: word, in: names).flatMap { name in allowances.programs.first { $0.name == name } }
        let hint: String
        if let nearest {
            hint = "did you mean \"\(nearest.name)\" (\(allowances.place(nearest.location)))?"
        } else if names.isEmpty {
            hint = "\(allowances.file) allows no program: add it under `allow: exec`"
        } else {
            hint = "allowed: \(names.joined(separator: ", "))"
        }
        return DRError(.notAllowed, "\(allowances.file) does not allow the program \"\(word)\"", hint: hint)
    }

    static func matches(_ arguments: [String], _ patterns: [String]) -> Bool {
        let isOpen = patterns.last == "*"
        guard isOpen ? arguments.count >= patterns.count - 1 : arguments.count == patterns.count else { return false }
        return zip(arguments, patterns).allSatisfy { matches($0, $1) }
    }

    // A `*` beside other text keeps to one segment and is never a way up: "/srv/*" allows neither "/srv/a/b" nor "/srv/..".
    private static func matches(_ argument: String, _ pattern: String) -> Bool {
        if pattern == "*" { return true }
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return argument == pattern }
        if pattern.contains("/"), argument.split(separator: "/").contains(where: { $0 == ".." || $0 == "." }) { return false }
        return matches(Array(argument.utf8)[...], parts.map { Array($0.utf8) }[...])
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ parts: ArraySlice<[UInt8]>) -> Bool {
        guard let first = parts.first, text.starts(with: first) else { return false }
        let rest = text.dropFirst(first.count)
        guard parts.count > 1 else { return rest.isEmpty }
        // The shortest of what the star stands for that fits; it ends before a slash.
        var index = rest.startIndex
        while true {
            if matches(rest[index...], parts.dropFirst()) { return true }
            guard index < rest.endIndex, rest[index] != UInt8(ascii: "/") else { return false }
            index += 1
        }
    }
}

extension Allowances {
    /// `dr.yaml:31`.
    func place(_ location: SourceLocation?) -> String { location?.description ?? file }
}
