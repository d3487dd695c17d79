import ArgumentParser
import DRActions
import DRHost
import DRLint
import DRModel

struct Lint: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks runbooks without running them.",
        discussion: """
            Looks at every path, with the modules the runbook can require. A warning that is meant so is
            silenced by a comment at its end, or alone on the line before: -- lint: allow RULE: the reason

            Exit status: 0 nothing wrong, 2 an error, or with --strict a warning.

            EXAMPLE
              drrunbook lint runbooks/*.lua
              drrunbook lint --strict runbooks/failover.lua
            """)

    @Argument(help: "Runbooks.", completion: .file(extensions: ["lua"]))
    var runbooks: [String] = []
    @Flag(help: "Warnings count as errors.") var strict = false
    @Flag(help: "List the rules.") var rules = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard rules || !runbooks.isEmpty else { throw ValidationError("Missing expected argument '<runbooks> ...'") }
    }

    func perform(_ output: Output) async throws -> ExitStatus {
        if rules { return list(output) }
        return try await withHost { host in
            var isWrong = false
            var counts: [LintFinding.Severity: Int] = [:]
            var seen: Set<String> = []
            for file in runbooks {
                if file.hasSuffix("_test.lua") {
                    let cases = try await host.lintTest(file)
                    output.say("\(output.style.good("ok"))       \(file)  \(cases.count) cases")
                    output.object("test", [("file", .string(file)), ("cases", .list(cases.map(Value.string)))])
                    continue
                }
                let report = await host.lint(file, seen: &seen)
                if let problem = report.problem { output.failure(problem) }
                for finding in report.findings { show(finding, output) }
                for finding in report.findings { counts[finding.severity, default: 0] += 1 }
                let fails = report.isWrong || (strict && !report.findings.isEmpty)
                isWrong = isWrong || fails
                guard let runbook = report.declared, !fails else { continue }
                output.say("\(output.style.good("ok"))       \(file)  \(runbook.name)")
                output.object("runbook", [("file", .string(file)), ("name", .string(runbook.name))])
            }
            if let (errors, warnings) = counts.isEmpty ? nil : (counts[.error] ?? 0, counts[.warning] ?? 0) {
                output.note("\(errors) error\(errors == 1 ? "" : "s"), \(warnings) warning\(warnings == 1 ? "" : "s")")
            }
            return isWrong ? .usage : .done
        }
    }

    private func show(_ finding: LintFinding, _ output: Output) {
        let location = SourceLocation(file: finding.file, line: finding.line)
        let shown = DRError(.runbook, "\(finding.message) [\(finding.rule)]", hint: finding.hint, location: location)
        if finding.severity == .error { output.problem(shown) } else { output.note("\(output.style.warning("warning:")) \(shown)") }
        output.object(
            "finding",
            [
                ("rule", .string(finding.rule)), ("severity", .string(finding.severity.rawValue)),
                ("file", .string(finding.file)), ("line", .integer(Int64(finding.line))), ("message", .string(finding.message)),
                ("hint", finding.hint.map(Value.string) ?? .null),
            ])
    }

    private func list(_ output: Output) -> ExitStatus {
        for rule in Linter.reference {
            output.say("\(rule.id)  \(rule.severity.rawValue)\n    \(rule.summary)")
            output.object(
                "rule", [("id", .string(rule.id)), ("severity", .string(rule.severity.rawValue)), ("summary", .string(rule.summary))])
        }
        return .done
    }
}
