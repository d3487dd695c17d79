import ArgumentParser
import DRHost

/// How a run is taken up that another host began.
struct TakeUpOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Take its record from a cluster though nobody signed how it ends, for this reason; it stands in the record.",
            valueName: "reason"))
    var unsigned: String?

    @Flag(name: .long, help: "Take it from a process that carries it on elsewhere: that one ends at its next change.")
    var takeOver = false

    var word: TakeUpWord { TakeUpWord(unsigned: unsigned, takesOver: takeOver) }
}
