import DRModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The question before applications go live somewhere else: a person types the destination's name.
enum Confirmation {
    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Are these effects the kind one asks about?
    static func destinations(of effects: [Effect]) -> [ClusterName] {
        Set(effects.filter { $0.verb == .activate }.compactMap(\.cluster)).sorted()
    }

    /// A person types `word`. Throws as `ask` does.
    static func word(_ word: String, to what: String, _ output: Output) throws {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1, output.lines == nil else {
            throw DRError(.invalidInput, "to \(what) needs a yes; nothing was changed", hint: "pass --yes; on a terminal you are asked")
        }
        Output.write("Type \"\(word)\" to \(what): ", to: STDERR_FILENO)
        guard let answer = readLine(strippingNewline: true), answer.filter({ $0 != " " && $0 != "\t" }) == word else {
            throw DRError(.stopped, "not confirmed: nothing was changed")
        }
    }

    /// Throws `invalid-input` where nobody can be asked, `stopped` when the answer is another one.
    static func ask(_ destinations: [ClusterName], _ effects: [Effect], _ output: Output) throws {
        guard !destinations.isEmpty else { return }
        let names = Set(effects.filter { $0.verb == .activate }.map(\.name)).sorted()
        let what =
            "\(names.joined(separator: ", ")) \(names.count == 1 ? "goes" : "go") live at \(destinations.map(\.text).joined(separator: ", "))"
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1, output.lines == nil else {
            throw DRError(
                .invalidInput, "\(what): this needs a yes",
                hint: "look at it with `drrunbook plan`, then pass --yes; on a terminal you are asked")
        }
        output.note("\(output.style.warning(what)).")
        for destination in destinations {
            Output.write("Type \"\(destination)\" to go on: ", to: STDERR_FILENO)
            guard let answer = readLine(strippingNewline: true), answer.filter({ $0 != " " && $0 != "\t" }) == destination.text else {
                throw DRError(.stopped, "not confirmed: nothing was changed")
            }
        }
    }
}
