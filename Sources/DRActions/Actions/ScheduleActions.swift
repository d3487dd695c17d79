internal import DRModel

struct DeclareSchedule: DRAction {
    static let spec = ActionSpec(
        "schedule", summary: "Asserts a schedule: created if missing, refused if different.", effect: .changes,
        example: #"dr.schedule { name = "shop", pair = "east-west", applications = "all", interval = "15m", retain = { last = 8 } }"#)

    @Parameter("Its name.") var name: ScheduleName
    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications to copy.") var applications: ApplicationSet
    @Parameter("Every so often.") var interval: Duration?
    @Parameter("Every day at HH:MM.") var daily: DailyTime?
    @Parameter("Every week: { day = \"sunday\", at = \"HH:MM\" }.") var weekly: WeeklyTime?
    @Parameter("Every month: { day = 1, at = \"HH:MM\" }.") var monthly: MonthlyTime?
    @Parameter(
        "The time zone of daily, weekly and monthly: a name such as \"Europe/Berlin\", or an offset such as \"+02:00\"; UTC if not said.")
    var zone: ZoneReference?
    @Parameter("How many recovery points are kept: last, hourly, daily, weekly, monthly.") var retain: RetainedPoints?
    @Parameter("Declared but not running.", default: false) var suspended: Bool

    func perform(in context: ActionContext) async throws -> ScheduleReport {
        let schedule = Schedule(
            name: name, pair: pair.name, applications: applications.names, policy: try policy(),
            retain: retain?.retention ?? Retention(), suspended: suspended)
        return try await context.engine.ensureSchedule(schedule, context.call)
    }

    private func policy() throws -> SchedulePolicy {
        let given = [interval != nil, daily != nil, weekly != nil, monthly != nil].count { $0 }
        guard given == 1 else { throw DRError(.invalidInput, "expected exactly one of interval, daily, weekly, monthly, got \(given)") }
        if let daily { return .daily(at: daily.at, zone: zone?.text) }
        if let weekly { return .weekly(day: weekly.day, at: weekly.at, zone: zone?.text) }
        if let monthly { return .monthly(day: monthly.day, at: monthly.at, zone: zone?.text) }
        return .interval(interval ?? .zero)
    }
}

struct SuspendSchedule: DRAction {
    static let spec = ActionSpec(
        "suspend_schedule", summary: "Holds a schedule until it is resumed.", effect: .changes,
        example: #"dr.suspend_schedule { name = "shop" }"#)
    @Parameter("The schedule.") var name: ScheduleName

    func perform(in context: ActionContext) async throws -> ScheduleReport {
        try await context.engine.setSuspended(true, schedule: name, context.call)
    }
}

struct ResumeSchedule: DRAction {
    static let spec = ActionSpec(
        "resume_schedule", summary: "Lets a held schedule run again.", effect: .changes, example: #"dr.resume_schedule { name = "shop" }"#)
    @Parameter("The schedule.") var name: ScheduleName

    func perform(in context: ActionContext) async throws -> ScheduleReport {
        try await context.engine.setSuspended(false, schedule: name, context.call)
    }
}
