import ArgumentParser
import DRHost
import DRModel

struct Test: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs tests of runbooks (*_test.lua) in simulated worlds. Changes nothing.",
        discussion: """
            Exit status: 0 all passed, 1 some failed, 2 a test cannot be loaded.

            EXAMPLE
              drrunbook test
              drrunbook test runbooks/failover_test.lua --filter "loses nothing"
            """)

    @Argument(help: "Tests, or folders with tests; else the folder runbooks.", completion: .file())
    var paths: [String] = []
    @Option(name: .long, help: ArgumentHelp("Only cases whose name or file holds this.", valueName: "text"))
    var filter: String?
    @Option(name: .long, help: ArgumentHelp("Write the results as JUnit's XML.", valueName: "file"))
    var junit: String?
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let configuration = try RunbookTests.configuration(common.config, isNamed: common.config != "dr.yaml")
        let tests = try RunbookTests(paths: paths, configuration: configuration)
        let results = try await tests.run(filter: filter) { tell($0, output) }
        if let junit { try RunbookTests.write(RunbookTests.junit(results), to: junit) }
        let failed = results.count { $0.failure != nil }
        output.say(failed == 0 ? "\(results.count) passed" : "\(failed) of \(results.count) failed")
        output.object(
            "test.finished", [("passed", .integer(Int64(results.count - failed))), ("failed", .integer(Int64(failed)))])
        return failed == 0 ? .done : .failed
    }

    private func tell(_ result: TestResult, _ output: Output) {
        let mark = result.failure == nil ? output.style.good("ok    ") : output.style.bad("FAILED")
        output.say("\(mark)  \(result.file)  \(result.name)  \(output.style.faint("(\(result.virtualTime.text))"))")
        if let failure = result.failure {
            output.say("        \(failure)")
            for line in result.timeline.suffix(common.verbose ? .max : 15) { output.say("        \(output.style.faint(line))") }
        }
        output.object(
            "test.case",
            [
                ("file", .string(result.file)), ("name", .string(result.name)), ("passed", .bool(result.failure == nil)),
                ("line", (result.failure?.location ?? result.location).map { .integer(Int64($0.line)) } ?? .null),
                ("error", result.failure.map { JSONLines.object(JSONLines.members($0)) } ?? .null),
                ("virtual_time", .duration(result.virtualTime)), ("trace", .string(result.trace)),
                ("timeline", result.failure == nil ? .list([]) : .list(result.timeline.map(Value.string))),
            ])
    }
}
