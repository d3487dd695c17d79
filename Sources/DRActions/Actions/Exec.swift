internal import DRModel

struct Exec: DRAction {
    static let spec = ActionSpec(
        "exec", summary: "Runs a program that dr.yaml allows, without a shell. In plans it is never run.", effect: .outside,
        example: #"dr.exec { argv = { "psql", "--no-psqlrc", "-c", "checkpoint" }, env = { PGPASSWORD = dr.secret("PGPASSWORD") } }"#,
        estimates: ["*"])

    @Parameter("The program by its name or path in dr.yaml, then its arguments.") var argv: [String]
    @Parameter("Variables of its environment that dr.yaml lets a call set, beside the few it always has.", default: [:])
    var env: [String: SecretText]
    @Parameter("Its standard input.") var stdin: SecretText?
    @Parameter("When it and what it started is killed.", default: .seconds(60)) var timeout: Duration
    @Parameter("An exit status other than 0 raises.", default: true) var check: Bool
    @Parameter("Doing it twice does no harm: it may be repeated when its answer was lost.", default: false) var idempotent: Bool
    @Parameter("Called when its answer was lost: true = it happened, false = it did not, nil = unknown.") var verify: Callback?
    @Parameter("Its answer in plans: { code = 0, stdout = \"\" }.") var in_plan: PlainValue?
    @Parameter("In drills: \"skip\" (the default), \"run\", or an answer.") var in_drill: DrillChoice?

    var recovery: Recovery { idempotent ? .again : .unknown }

    func perform(in context: ActionContext) async throws -> Value {
        let order = ExecutionOrder(
            argv: argv, environment: env.mapValues(\.text), input: stdin?.text, timeout: timeout, standIn: StandIn(in_plan, in_drill))
        let ended = try await context.outside.execute(order, context.outsideCall)
        let result: [String: Value] = [
            "code": .integer(Int64(ended.code)), "stdout": .string(ended.stdout), "stderr": .string(ended.stderr), "cut": .bool(ended.cut),
        ]
        guard check, ended.code != 0 else { return .map(result.merging(ended.origin.mark) { $1 }) }
        let said = (ended.stderr.isEmpty ? ended.stdout : ended.stderr).split(whereSeparator: \.isNewline).prefix(3)
        throw DRError(
            .outsideFailed,
            "\(argv.first ?? "") ended with status \(ended.code)" + (said.isEmpty ? "" : ": \(said.joined(separator: " / ").prefix(500))"),
            hint: "check = false gives the status back instead", details: .map(result))
    }
}
