internal import DRSupport

/// A migration repeated by a policy, with retention.
public struct Schedule: Hashable, Sendable, Codable {
    public let name: ScheduleName
    public var pair: PairName
    public var applications: [ApplicationName] { didSet { covered = Set(applications) } }
    /// The same, for those who ask for one of many thousand.
    private var covered: Set<ApplicationName>
    public var policy: SchedulePolicy
    public var retain: Retention
    public var suspended: Bool

    public init(
        name: ScheduleName, pair: PairName, applications: [ApplicationName], policy: SchedulePolicy, retain: Retention = Retention(),
        suspended: Bool = false
    ) {
        self.name = name
        self.pair = pair
        self.applications = applications
        covered = Set(applications)
        self.policy = policy
        self.retain = retain
        self.suspended = suspended
    }

    /// Is the application among those it copies?
    public func covers(_ application: ApplicationName) -> Bool { covered.contains(application) }

    private enum CodingKeys: String, CodingKey { case name, pair, applications, policy, retain, suspended }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try values.decode(ScheduleName.self, forKey: .name), pair: try values.decode(PairName.self, forKey: .pair),
            applications: try values.decode([ApplicationName].self, forKey: .applications),
            policy: try values.decode(SchedulePolicy.self, forKey: .policy), retain: try values.decode(Retention.self, forKey: .retain),
            suspended: try values.decode(Bool.self, forKey: .suspended))
    }
}

/// When a schedule runs. Times of day are `HH:MM` in the schedule's zone (UTC where none is said).
public enum SchedulePolicy: Hashable, Sendable, Codable {
    case interval(Duration)
    case daily(at: String, zone: String?)
    case weekly(day: String, at: String, zone: String?)
    case monthly(day: Int, at: String, zone: String?)

    public func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }

    public init(from decoder: any Decoder) throws { try self.init(value: Value(from: decoder)) }

    private var value: Value {
        switch self {
        case .interval(let interval): ["interval": .duration(interval)]
        case .daily(let at, let zone): ["daily": ["at": .string(at)], "zone": zone.map(Value.string) ?? .null]
        case .weekly(let day, let at, let zone):
            ["weekly": ["day": .string(day), "at": .string(at)], "zone": zone.map(Value.string) ?? .null]
        case .monthly(let day, let at, let zone):
            ["monthly": ["day": .integer(Int64(day)), "at": .string(at)], "zone": zone.map(Value.string) ?? .null]
        }
    }

    private init(value: Value) throws(DRError) {
        let zone = value["zone"].string
        if case .duration(let interval) = value["interval"] {
            self = .interval(interval)
        } else if let at = value["daily"]["at"].string {
            self = .daily(at: at, zone: zone)
        } else if let day = value["weekly"]["day"].string, let at = value["weekly"]["at"].string {
            self = .weekly(day: day, at: at, zone: zone)
        } else if let day = value["monthly"]["day"].integer, let at = value["monthly"]["at"].string {
            self = .monthly(day: Int(day), at: at, zone: zone)
        } else {
            throw DRError(.invalidInput, "a schedule needs one of interval, daily, weekly, monthly")
        }
    }
}

extension SchedulePolicy {
    /// As runbooks and dr.yaml name them; monday is the first.
    package static let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    /// Of `02:15`, in seconds. Throws `invalid-input`.
    package static func secondsOfDay(_ text: String) throws(DRError) -> Int64 {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.utf8.count) && $0.allSatisfy(\.isNumber) }),
            let hour = Int64(parts[0]),
            let minute = Int64(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
        else {
            throw DRError(.invalidInput, "\"\(text)\" is not a time of day", hint: "expected HH:MM, such as 02:15")
        }
        return hour * 3600 + minute * 60
    }

    /// Throws `invalid-input` for a time or a day that there is none of.
    package func check() throws(DRError) {
        switch self {
        case .interval(let interval):
            guard interval >= .seconds(1) else {
                throw DRError(.invalidInput, "the interval is \(interval.text)", hint: "expected at least 1s")
            }
        case .daily(let at, _): _ = try Self.secondsOfDay(at)
        case .weekly(let day, let at, _):
            guard Self.days.contains(day) else {
                throw DRError(
                    .invalidInput, "\"\(day)\" is no day of the week\(Spelling.hint(for: day, in: Self.days))",
                    hint: "days: \(Self.days.joined(separator: ", "))")
            }
            _ = try Self.secondsOfDay(at)
        case .monthly(let day, let at, _):
            guard (1...31).contains(day) else { throw DRError(.invalidInput, "\(day) is no day of a month", hint: "expected 1 to 31") }
            _ = try Self.secondsOfDay(at)
        }
    }
}

/// How many recovery points are kept: the newest `last`, and one an hour, a day, a week, a month for so many of them.
public struct Retention: Hashable, Sendable, Codable {
    public var last: Int
    public var hourly: Int
    public var daily: Int
    public var weekly: Int
    public var monthly: Int

    public init(last: Int = 8, hourly: Int = 0, daily: Int = 0, weekly: Int = 0, monthly: Int = 0) {
        self.last = last
        self.hourly = hourly
        self.daily = daily
        self.weekly = weekly
        self.monthly = monthly
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        last = try values.decode(Int.self, forKey: .last)
        hourly = try values.decode(Int.self, forKey: .hourly)
        daily = try values.decode(Int.self, forKey: .daily)
        weekly = try values.decode(Int.self, forKey: .weekly)
        // Schedules that were set up before there was such a key.
        monthly = try values.decodeIfPresent(Int.self, forKey: .monthly) ?? 0
    }
}

/// A schedule and when it runs.
public struct ScheduleStatus: Sendable, Hashable {
    public let schedule: Schedule
    /// `every 15m`, `daily 02:15 Europe/Berlin`.
    public let when: String
    /// When it ran last, whatever came of it.
    public let last: Instant?
    /// Nil = suspended or unknown.
    public let next: Instant?
    /// The slot it is to run for now.
    public let due: Instant?
    /// In a row.
    public let failures: Int
    /// Why the last copy failed, or why nobody knows when the next one is due.
    public let error: String?
    /// Nobody knows when it runs next: it does not.
    public var isBroken: Bool { next == nil && due == nil && !schedule.suspended }

    public init(schedule: Schedule, when: String, last: Instant?, next: Instant?, due: Instant?, failures: Int, error: String?) {
        self.schedule = schedule
        self.when = when
        self.last = last
        self.next = next
        self.due = due
        self.failures = failures
        self.error = error
    }
}

/// What a schedule's run did for one application.
public struct ScheduleCopy: Sendable {
    public let application: ApplicationName
    public let recovery_point: PointID?
    public let from: ClusterName?
    public let error: DRError?
    /// Of a copy that was made all the same.
    public let warnings: [String]

    public init(
        application: ApplicationName, recovery_point: PointID?, from: ClusterName?, error: DRError?, warnings: [String] = []
    ) {
        self.warnings = warnings
        self.application = application
        self.recovery_point = recovery_point
        self.from = from
        self.error = error
    }
}
