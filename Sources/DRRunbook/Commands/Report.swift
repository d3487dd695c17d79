import ArgumentParser
import DRHost
import DRModel
import DRReport

struct Report: HostCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case html, md, json, junit }

    static let configuration = CommandConfiguration(
        abstract: "Writes the report of a run: what happened, who allowed it, how long it took, what is left to do.",
        discussion: """
            Made from the run's record alone, whose chain is verified first; made twice it is the same to the byte.

            EXAMPLE
              drrunbook report 20260301-021500-3f2a
              drrunbook report 20260301-021500-3f2a --format html -o report.html
            """)

    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @Option(name: .long, help: "html, md, json or junit.")
    var format: Format?
    @Option(name: [.customShort("o"), .customLong("out")], help: ArgumentHelp("The file; standard output if not said.", valueName: "file"))
    var out: String?
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            let evidence = try host.evidence(of: run)
            let text =
                switch format ?? (common.json ? .json : .md) {
                case .html: evidence.html()
                case .md: evidence.markdown()
                case .json: evidence.json.json(.plain) + "\n"
                case .junit: evidence.junit()
                }
            if let out {
                try host.write(text, to: out)
                output.say("written: \(out)")
            } else {
                Output.write(text, to: 1)
            }
            return .done
        }
    }
}
