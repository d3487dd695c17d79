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
            for file in runbooks {
                do {
                    let runbook = try await host.inspect(file)
                    output.say("\(output.style.good("ok"))       \(file)  \(runbook.name)")
                    output.object("runbook", [("file", .string(file)), ("name", .string(runbook.name))])
                } catch let error as DRError {
                    wrong += 1
                    output.failure(error)
                }
            }
            return wrong == 0 ? .done : .usage
        }
    }
}
