import ArgumentParser
import DRActions
import DRHost
import DRModel

struct Lint: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks runbooks without running them.",
        discussion: """
            EXAMPLE
              drrunbook lint runbooks/*.lua
            """)

    @Argument(help: "Runbooks.", completion: .file(extensions: ["lua"]))
    var runbooks: [String]
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        try await withHost { host in
            var wrong = 0
            var seen: Set<String> = []
            for file in runbooks {
                switch await host.lint(file, seen: &seen) {
                case .success(let runbook):
                    output.say("\(output.style.good("ok"))       \(file)  \(runbook.name)")
                    output.object("runbook", [("file", .string(file)), ("name", .string(runbook.name))])
                case .failure(let error):
                    wrong += error.problems.count
                    for problem in error.problems { output.failure(problem) }
                }
            }
            return wrong == 0 ? .done : .usage
        }
    }
}
