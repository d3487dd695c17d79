import ArgumentParser
import DRHost
import DRModel

struct Explore: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tries a runbook under every fault at every action, in simulated worlds. Changes nothing.",
        discussion: """
            Exit status: 0 no findings, 1 findings, 2 the runbook cannot be run.

            EXAMPLE
              drrunbook explore runbooks/failover.lua
              drrunbook explore runbooks/failover.lua --faults 2 --limit 5000
              drrunbook explore runbooks/failover.lua --seed 13631488
            """)

    @OptionGroup var runbook: RunbookOptions
    @Option(name: .long, help: ArgumentHelp("How many faults at a time.", valueName: "1|2"))
    var faults = 1
    @Option(name: .long, help: ArgumentHelp("Of everything that is chance; that of a finding runs it again, alone.", valueName: "number"))
    var seed: Int64 = 0
    @Option(name: .long, help: ArgumentHelp("The most schedules that are run.", valueName: "number"))
    var limit = 4000
    @Option(name: .long, help: ArgumentHelp("A fixture to begin with; else dr.yaml and its sites.", valueName: "file"), completion: .file())
    var world: String?
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard faults == 1 || faults == 2 else { throw ValidationError("--faults: expected 1 or 2") }
        guard seed >= 0 else { throw ValidationError("--seed: expected a number from 0 on") }
        guard limit > 0 else { throw ValidationError("--limit: expected at least 1") }
    }

    func perform(_ output: Output) async throws -> ExitStatus {
        let parameters = try runbook.values()
        let found: Exploration
        if let world {
            let configuration = try RunbookTests.configuration(common.config, isNamed: common.config != "dr.yaml")
            found = try await explore(try RunbookExplorer(fixture: world, configuration: configuration), parameters, output)
        } else {
            found = try await withHost { host in try await explore(try await RunbookExplorer(host), parameters, output) }
        }
        for note in found.notes { output.note("note: \(note)") }
        let count = found.findings.count
        output.say(
            "\(found.schedules) of \(found.known) schedules, \(count == 0 ? "no findings" : count == 1 ? "1 finding" : "\(count) findings")"
        )
        output.object(
            "explored",
            [
                ("schedules", .integer(Int64(found.schedules))), ("known", .integer(Int64(found.known))),
                ("findings", .integer(Int64(count))),
                ("notes", .list(found.notes.map(Value.string))),
            ])
        return count == 0 ? .done : .failed
    }

    private func explore(_ explorer: RunbookExplorer, _ parameters: Value, _ output: Output) async throws -> Exploration {
        var explorer = explorer
        explorer.faults = faults
        explorer.seed = seed
        explorer.limit = limit
        let path = runbook.runbook
        return try await explorer.explore(path, parameters: parameters) { finding in
            output.say("\(output.style.bad("FOUND"))  \(finding.invariant.rawValue): \(finding.message)")
            for fault in finding.schedule { output.say("       \(fault)") }
            for line in finding.timeline.suffix(common.verbose ? .max : 25) { output.say("       \(output.style.faint(line))") }
            output.say("       trace \(finding.trace); again: drrunbook explore \(path) --seed \(finding.seed)")
            output.object(
                "finding",
                [
                    ("invariant", .string(finding.invariant.rawValue)), ("message", .string(finding.message)),
                    ("seed", .integer(finding.seed)),
                    ("schedule", .list(finding.schedule.map(Value.string))), ("trace", .string(finding.trace)),
                    ("timeline", .list(finding.timeline.map(Value.string))),
                ])
        }
    }
}
