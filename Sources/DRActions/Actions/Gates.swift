internal import DRModel
internal import DRSupport

struct Approve: DRAction {
    static let spec = ActionSpec(
        "approve", summary: "A gate: the run stops here until people approve. Raises `rejected` and `gate-timeout`.", effect: .observes,
        example: #"dr.approve { name = "cutover", message = "Move the shop to west?", quorum = 2, groups = { "dba" } }"#,
        estimates: ["by", "identity", "comment", "waited", "break_glass"])
    @Parameter("Its name, as `drrunbook approve RUN GATE` calls it.") var name: String
    @Parameter("What is asked.") var message: String
    @Parameter("How many different people must approve.", default: 1) var quorum: Int
    @Parameter("Groups of dr.yaml; who approves must be in one of them.") var groups: [String]?
    @Parameter("Who started the run may not approve.", default: true) var not_author: Bool
    @Parameter("How long it stays open.", default: .seconds(3600)) var timeout: Duration
    @Parameter("What happens then: reject, or wait on.", default: .reject) var on_timeout: Late
    @Parameter("Facts shown with the question, and signed with the answer.") var show: PlainValue?

    enum Late: String, ParameterChoice { case reject, wait }

    func check(_ rules: ApprovalRules) throws {
        guard quorum >= 1 else { throw DRError(.invalidInput, "field \"quorum\": expected at least 1, got \(quorum)") }
        guard !name.isEmpty, name.count <= 100 else { throw DRError(.invalidInput, "field \"name\": expected 1 to 100 characters") }
        var able = Set(rules.people.map(\.name))
        if let groups {
            for group in groups where rules.groups[group] == nil {
                throw DRError(
                    .unknownName,
                    "field \"groups\": there is no group \"\(group)\"\(Spelling.hint(for: group, in: Array(rules.groups.keys)))",
                    hint: "groups stand under `approvals` in dr.yaml")
            }
            able = Set(groups.flatMap { rules.groups[$0] ?? [] })
        }
        guard rules.people.isEmpty || able.count >= quorum else {
            throw DRError(.invalidInput, "field \"quorum\": \(quorum) people must approve, and only \(able.count) may")
        }
    }

    /// Plans only: gates are taken as passed, and listed. A run asks `Gate`.
    func perform(in context: ActionContext) async throws -> Value {
        ["by": .list([]), "identity": .list([]), "comment": .null, "waited": .duration(.zero), "break_glass": .null, "predicted": true]
    }
}

struct Window: DRAction {
    static let spec = ActionSpec(
        "window", summary: "Parks the run until a window of time is open. No lock is held meanwhile.", effect: .observes,
        example: #"dr.window { opens = "2026-03-01T22:00:00Z", closes = "2026-03-02T04:00:00Z" }"#, estimates: ["opened", "closes"])
    @Parameter("When it opens.") var opens: TimeReference?
    @Parameter("When it closes.") var closes: TimeReference?
    @Parameter("Minutes, hours, days, months and days of the week at which it opens: \"0 22 * * 6\".") var cron: CronPattern?
    @Parameter("How long it is open, with cron.") var length: Duration?
    @Parameter("The time zone of cron: a name such as \"Europe/Berlin\", or an offset from UTC such as \"+02:00\"; UTC if not said.")
    var zone: ZoneReference?

    func check() throws {
        if cron != nil {
            guard opens == nil, closes == nil else { throw DRError(.invalidInput, "cron goes with length; opens goes with closes") }
            guard let length, length > .zero else { throw DRError(.invalidInput, "field \"length\" is missing: expected a duration") }
        } else {
            guard let opens, let closes else { throw DRError(.invalidInput, "expected opens and closes, or cron and length") }
            guard opens.instant < closes.instant else { throw DRError(.invalidInput, "it closes before it opens") }
        }
    }

    /// Plans only: windows are taken as open. A run asks `state`.
    func perform(in context: ActionContext) async throws -> Value { ["opened": .null, "closes": .null, "predicted": true] }

    enum State { case open(Value), closed(until: Instant), over(Instant) }

    func state(at now: Instant) -> State {
        if let cron, let length {
            let zone = zone?.rules ?? .utc
            if let begun = cron.last(atOrBefore: now, in: zone), begun + length > now {
                return .open(["opened": .instant(begun), "closes": .instant(begun + length)])
            }
            return cron.next(after: now, in: zone).map(State.closed) ?? .over(now)
        }
        guard let opens = opens?.instant, let closes = closes?.instant else { return .over(now) }
        if now < opens { return .closed(until: opens) }
        return now < closes ? .open(["opened": .instant(opens), "closes": .instant(closes)]) : .over(closes)
    }
}
