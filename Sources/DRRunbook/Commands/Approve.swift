import ArgumentParser
import DRActions
import DRHost
import DRModel
import DRSupport

/// Whose word something is, and how that is shown.
struct ProofOptions: ParsableArguments {
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Who you are among the people of dr.yaml; your account's name if not said.", valueName: "who"))
    var person: String?
    @Option(name: .long, help: ArgumentHelp("Sign with this ssh key.", valueName: "file"), completion: .file())
    var key: String?
    @Option(
        name: .long, help: ArgumentHelp("A signature made elsewhere with `ssh-keygen -Y sign` of the statement.", valueName: "file"),
        completion: .file())
    var signature: String?
    @Flag(name: .long, help: "Only print what is to be signed.")
    var statement = false

    var isGiven: Bool { person != nil || key != nil || signature != nil || statement }

    var proof: GateAnswer.Proof {
        get throws {
            guard key == nil || signature == nil else {
                throw DRError(.invalidInput, "--key and --signature are two proofs: expected one of them")
            }
            return key.map { .key(file: $0) } ?? signature.map { .signature(file: $0) } ?? .none
        }
    }
}

/// What `approve` and `reject` have in common.
struct GateOptions: ParsableArguments {
    @Argument(help: "The run, as `drrunbook runs` lists it.")
    var run: RunID
    @Argument(help: "The gate's name.")
    var gate: String
    @Option(name: .long, help: "A word on it, kept in the record.")
    var comment: String?
    @OptionGroup var proof: ProofOptions

    func answer(_ decision: Approval.Decision, breakGlass: String? = nil) throws -> GateAnswer {
        GateAnswer(decision, person: proof.person, comment: comment, breakGlass: breakGlass, proof: try proof.proof)
    }

    func give(_ answer: GateAnswer, _ host: Host, _ output: Output) async throws -> ExitStatus {
        if proof.statement {
            let text = try host.statement(run, gate: gate, answer).text
            if output.lines == nil { Output.write(text, to: 1) } else { output.object("statement", [("text", .string(text))]) }
            return .done
        }
        // What is signed is seen first.
        let seen = try host.gate(gate, of: run)
        if let seen {
            output.say(GateText(gate: seen).lines(output))
            output.say()
        }
        let gate = try await host.answer(run, gate: gate, answer, seen: seen)
        for (approval, objection) in zip(gate.approvals, gate.objections) { output.say(GateText.line(approval, objection)) }
        output.object(
            "gate",
            [
                ("run", .string(run.text)), ("gate", .string(gate.name)), ("missing", JSONLines.text(gate.missing)),
                ("closed", .bool(gate.isClosed)),
                ("approvals", .list(gate.approvals.map(JSONLines.value))),
                ("objections", .list(gate.objections.map(JSONLines.text))),
            ])
        if let refusal = gate.refusal {
            output.say(refusal.message.inOneLine)
        } else if gate.isClosed {
            output.say("gate \(gate.name) is passed")
        } else {
            output.say(gate.missing.map { "gate \(gate.name) still waits for \($0)" } ?? "gate \(gate.name) is open")
        }
        // A process that carries the run on went on with it.
        if gate.isClosed {
            output.say("next: drrunbook show \(run)")
        } else if gate.missing == nil {
            output.say("next: drrunbook resume \(run)")
        }
        return .done
    }
}

struct Approve: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Approves at a gate.",
        discussion: """
            Where dr.yaml has ssh keys of people, what is said must be signed: here with --key, or elsewhere, with --statement and --signature. Without keys it is \
            recorded as unverified. --break-glass passes the gate alone, gives the reason, and stays in the report as something to look into.

            EXAMPLE
              drrunbook approve 20260301-021500-3f2a cutover --comment "numbers checked"
              drrunbook approve 20260301-021500-3f2a cutover --as alice --key ~/.ssh/id_ed25519
            """)

    @OptionGroup var options: GateOptions
    @Option(name: .customLong("break-glass"), help: ArgumentHelp("Pass it alone, for this reason.", valueName: "reason"))
    var breakGlass: String?
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let answer = try options.answer(.approve, breakGlass: breakGlass)
        return try await withHost { host in try await options.give(answer, host, output) }
    }
}

struct Reject: HostCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rejects at a gate: the run goes on with the error `rejected`.",
        discussion: """
            EXAMPLE
              drrunbook reject 20260301-021500-3f2a cutover --comment "not before the backup"
            """)

    @OptionGroup var options: GateOptions
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let answer = try options.answer(.reject)
        return try await withHost { host in try await options.give(answer, host, output) }
    }
}
