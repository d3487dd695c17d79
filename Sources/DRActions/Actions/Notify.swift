internal import DRModel

struct Notify: DRAction {
    static let spec = ActionSpec(
        "notify",
        summary:
            "Tells people through a webhook of dr.yaml. Left out when the run has changed nothing and they were told the same last time.",
        effect: .outside, example: #"dr.notify { to = "oncall", text = "the shop lives at west" }"#, estimates: ["*"])

    @Parameter("A name under `notify:` in dr.yaml.") var to: String
    @Parameter("What to say.") var text: String
    @Parameter("More facts for the receiving program.") var details: PlainValue?
    @Parameter("Another token than the one dr.yaml names.") var token: SecretReference?
    @Parameter("Also when nothing is new.", default: false) var always: Bool
    @Parameter("People who cannot be told are a failure of the run.", default: false) var check: Bool
    @Parameter("In drills: \"skip\" (the default), \"run\", or an answer.") var in_drill: DrillChoice?

    // Nobody is told twice, and no failover waits for a message that may have been lost.
    var recovery: Recovery { .goesOn(with: ["sent": .null, "reason": "the host was interrupted while it was being sent"]) }

    func perform(in context: ActionContext) async throws -> Value {
        let order = NotificationOrder(
            channel: to, text: text, details: details?.value, token: token?.name, always: always, standIn: StandIn(nil, in_drill))
        do {
            return try report(try await context.outside.notify(order, context.outsideCall))
        } catch let error as DRError where !check && error.code != .notAllowed && !error.code.isMistake {
            return try report(NotificationReport(sent: false, reason: error.message))
        }
    }

    private func report(_ report: NotificationReport) throws -> Value {
        let result: [String: Value] = ["sent": .bool(report.sent), "reason": report.reason.map(Value.string) ?? .null]
        return .map(result.merging(report.origin.mark) { $1 })
    }
}
