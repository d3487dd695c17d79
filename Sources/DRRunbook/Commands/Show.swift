import ArgumentParser
import DRActions
import DRHost
import DRModel
import DRSupport

struct Show: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what is recorded of a run.",
        discussion: """
            The record's chain of hashes is verified first; a damaged one ends with status 7 and names the first bad record.

            EXAMPLE
              drrunbook show 20260301-021500-3f2a
              drrunbook show 20260301-021500-3f2a --close "looked into with bob: the primary approver was on a plane"
            """)

    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @Flag(name: .long, help: "Only where its applications ended.")
    var applications = false
    @Option(
        name: .long,
        help: "Somebody broke the glass at a gate of it, gave it up, or its record is damaged: this is what came of looking into that.")
    var close: String?
    @OptionGroup var proof: ProofOptions
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        guard close != nil || !proof.isGiven else {
            throw DRError(.invalidInput, "--as, --key, --signature and --statement belong to --close COMMENT")
        }
        return try await withHost { host in
            if let close {
                if proof.statement {
                    let text = try host.closingText(run, comment: close, person: proof.person)
                    if output.lines == nil { Output.write(text, to: 1) } else { output.object("statement", [("text", .string(text))]) }
                    return .done
                }
                let closed = try host.close(run, comment: close, person: proof.person, proof: try proof.proof)
                output.say("run \(run): closed by \(closed.identity)")
                output.object("closed", Self.members(closed))
                return .done
            }
            let history: RunHistory
            do { history = try host.show(run) } catch let error as DRError where error.code == .journalDamaged {
                if let closed = try host.closed(run) { tell(closed, output) }
                throw error
            }
            if applications {
                output.table(ReportText.applications(history.applications))
                for item in history.applications { output.object("application", JSONLines.members(of: JSONLines.value(item))) }
                return .done
            }
            let gates = try host.gates(of: run)
            if output.lines != nil {
                writeObjects(history, gates, output)
            } else {
                writeText(history, gates, try host.carrier(of: run), output)
            }
            let (left, closed) = (try host.followUps(of: run), try host.closed(run))
            if !left.isEmpty { output.say(output.style.bold("what a person has to look into")) }
            for text in left {
                output.say("  \(text.inOneLine)")
                output.object("follow_up", [("run", .string(run.text)), ("text", .string(text))])
            }
            if let closed {
                tell(closed, output)
            } else if let glass = try host.openBrokenGlass().first(where: { $0.run == run }) {
                output.say("  next: drrunbook show \(run) --close \"what came of it\"\(glass.hasEnded ? "" : " when it has ended")")
            }
            return .done
        }
    }

    private func tell(_ closed: ClosedFollowUp, _ output: Output) {
        output.say("  closed by \(closed.identity.inOneLine) at \(Runs.time(closed.time)): \(closed.comment.inOneLine)")
        output.object("closed", Self.members(closed))
    }

    private static func members(_ closed: ClosedFollowUp) -> [(String, Value)] {
        [
            ("time", .instant(closed.time)), ("who", .string(closed.who)), ("person", .string(closed.person ?? closed.who)),
            ("identity", .string(closed.key ?? "unverified")), ("comment", .string(closed.comment)),
        ]
    }

    private func writeObjects(_ history: RunHistory, _ gates: [OpenGate], _ output: Output) {
        let header = history.header
        output.object(
            "run",
            Runs.members(history.summary) + [
                ("who", .string(header.who)), ("parameters", header.parameters),
                ("sources", .map(header.sources.mapValues(Value.string))), ("configuration", .string(header.configuration)),
                ("records", .integer(Int64(history.records.count))), ("head", JSONLines.text(history.records.last?.hash)),
            ])
        for gate in gates { output.object("gate", [("run", .string(header.id.text))] + GateText(gate: gate).members) }
        for record in history.records {
            output.object(
                "record",
                [
                    ("time", .instant(record.time)), ("run", .string(header.id.text)), ("index", .integer(record.index)),
                    ("kind", .string(record.entry.kind.rawValue)), ("key", .string(record.entry.key)),
                    ("path", .list(record.entry.path.map(Value.string))), ("verb", .string(record.entry.verb)),
                    ("payload", record.entry.payload), ("hash", .string(record.hash)),
                ])
        }
    }

    private func writeText(_ history: RunHistory, _ gates: [OpenGate], _ process: Int32?, _ output: Output) {
        let header = history.header
        let summary = history.summary
        output.say(output.style.bold("run \(header.id)"))
        output.say("  runbook     \(header.runbook)")
        for (file, digest) in header.sources.sorted(by: { $0.key < $1.key }) {
            output.say("              \(digest.prefix(16))  \(file.split(separator: "=").last ?? "")")
        }
        output.say("  parameters  \(header.parameters.json(.plain))")
        output.say("  started     \(Runs.time(header.started)) by \(header.who)")
        let open = process.map { "under way: process \($0) carries it on" } ?? "open: `drrunbook resume \(header.id)` carries on"
        output.say("  outcome     \(summary.outcome?.rawValue ?? open)")
        if let finished = summary.finished { output.say("  finished    \(Runs.time(finished)), after \((finished - header.started).text)") }
        output.say("  record      \(history.records.count) entries, chain intact")
        output.say()
        for gate in gates {
            output.say(GateText(gate: gate).lines(output))
            output.say("  next: drrunbook \(gate.missing == nil ? "resume \(run)" : "approve \(run) \(gate.name)")")
            output.say()
        }
        if !history.applications.isEmpty {
            output.table(ReportText.applications(history.applications))
            output.say()
        }
        for record in history.records {
            for line in RecordText(record, since: header.started).lines(output) { output.say(line) }
        }
    }
}
