import ArgumentParser
import DRActions
import DRModel

/// What a person found out about calls outside whose answers were lost.
struct LostCallOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("What became of a call outside whose answer was lost; may be repeated.", valueName: "key=done|not-done"))
    var settle: [String] = []

    func settled() throws -> [String: Settlement] {
        var settled: [String: Settlement] = [:]
        for word in settle {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let found = Settlement(rawValue: parts[1]) else {
                throw DRError(.invalidInput, "--settle \(word): expected KEY=done or KEY=not-done")
            }
            guard settled.updateValue(found, forKey: parts[0]) == nil else {
                throw DRError(.invalidInput, "--settle \(parts[0]): given twice")
            }
        }
        return settled
    }
}
