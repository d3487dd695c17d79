import ArgumentParser
import DRHost
import DRModel

struct Test: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs tests of runbooks (*_test.lua) in simulated worlds. Changes nothing.",
        discussion: """
            Exit status: 0 all passed, 1 some failed or --coverage-min was missed, 2 a test cannot be loaded.

            EXAMPLE
              drrunbook test
              drrunbook test runbooks/failover_test.lua --filter "loses nothing"
              drrunbook test runbooks --coverage-min 90 --lcov coverage.info
            """)

    @Argument(help: "Tests, or folders with tests; else the folder runbooks.", completion: .file())
    var paths: [String] = []
    @Option(name: .long, help: ArgumentHelp("Only cases whose name or file holds this.", valueName: "text"))
    var filter: String?
    @Option(name: .long, help: ArgumentHelp("Write the results as JUnit's XML.", valueName: "file"))
    var junit: String?
    @Flag(help: "Which lines of runbooks and their modules ran, and which did not.") var coverage = false
    @Option(name: .long, help: ArgumentHelp("Fail where less of a file ran.", valueName: "percent"))
    var coverageMin: Int?
    @Option(name: .long, help: ArgumentHelp("Write which lines ran in the form of LCOV, for editors and CI.", valueName: "file"))
    var lcov: String?
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let coverageMin, !(0...100).contains(coverageMin) { throw ValidationError("--coverage-min: expected 0 to 100") }
    }

    func perform(_ output: Output) async throws -> ExitStatus {
        let configuration = try RunbookTests.configuration(common.config, isNamed: common.config != "dr.yaml")
        let tests = try RunbookTests(
            paths: paths, configuration: configuration, notesLines: coverage || coverageMin != nil || lcov != nil)
        let results = try await tests.run(filter: filter) { tell($0, output) }
        if let junit { try RunbookTests.write(RunbookTests.junit(results), to: junit) }
        let failed = results.count { $0.failure != nil }
        output.say(failed == 0 ? "\(results.count) passed" : "\(failed) of \(results.count) failed")
        output.object(
            "test.finished", [("passed", .integer(Int64(results.count - failed))), ("failed", .integer(Int64(failed)))])
        let isCovered = try tell(try tests.covered(), output)
        return failed == 0 && isCovered ? .done : .failed
    }

    /// False: less than what was asked for.
    private func tell(_ files: [CoveredFile], _ output: Output) throws -> Bool {
        if let lcov { try RunbookTests.write(CoveredFile.lcov(files), to: lcov) }
        var table = Table("FILE", "LINES", "RAN", "PERCENT", "MISSED")
        for file in files {
            table.add(file.file, "\(file.lines)", "\(file.covered)", "\(file.percent) %", file.missedText)
            output.object(
                "test.coverage",
                [
                    ("file", .string(file.file)), ("lines", .integer(Int64(file.lines))), ("covered", .integer(Int64(file.covered))),
                    ("percent", .integer(Int64(file.percent))),
                    ("missed", .list(file.missed.map { .list([.integer(Int64($0.lowerBound)), .integer(Int64($0.upperBound))]) })),
                ])
        }
        if !table.isEmpty { output.table(table) }
        guard let coverageMin else { return true }
        let short = files.filter { $0.percent < coverageMin }
        for file in short {
            output.failure(
                DRError(
                    .failed, "\(file.percent) % of \(file.file) ran, less than \(coverageMin) %: lines \(file.missedText) did not",
                    location: SourceLocation(file: file.file, line: file.missed.first?.lowerBound ?? 1)))
        }
        return short.isEmpty
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
