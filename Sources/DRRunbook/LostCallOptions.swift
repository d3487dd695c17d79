import ArgumentParser
import DRActions
import DRModel

/// What a person found out about calls outside whose answers were lost.
struct LostCallOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("What became of a call outside whose answer was lost; may be repeated.", valueName: "key=done|not-done"))
    var settle: [String] = []
    @Option(name: .long, help: ArgumentHelp("How you know what became of it; kept in the record with your account.", valueName: "text"))
    var reason: String?

    func settled() throws -> Settlements {
        guard !settle.isEmpty || reason == nil else {
            throw DRError(.invalidInput, "--reason belongs to --settle KEY=done|not-done: it says how you know")
        }
        if let reason, reason.allSatisfy(\.isWhitespace) {
            throw DRError(.invalidInput, "--reason: expected how you know it, got nothing")
        }
        var words: [String: Settlement] = [:]
        for word in settle {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let found = Settlement(rawValue: parts[1]) else {
                throw DRError(.invalidInput, "--settle \(word): expected KEY=done or KEY=not-done")
            }
            guard words.updateValue(found, forKey: parts[0]) == nil else {
                throw DRError(.invalidInput, "--settle \(parts[0]): given twice")
            }
        }
        return Settlements(words, reason: reason)
    }
}
