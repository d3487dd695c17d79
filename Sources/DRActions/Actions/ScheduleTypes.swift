internal import DRModel

// What the fields of `schedule` hold: when it runs, and what it keeps.

/// `HH:MM`, every day.
struct DailyTime: ParameterType, Hashable {
    let at: String
    static var expectation: String { "a time of day such as \"02:15\"" }
    static var luaType: String { "string" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        at = text
        try SchedulePolicy.daily(at: at, zone: nil).check()
    }

    var parameterValue: Value { .string(at) }
}

/// `{ day = "sunday", at = "HH:MM" }`.
struct WeeklyTime: ParameterType, Hashable {
    let day: String
    let at: String
    static var expectation: String { "{ day = \"sunday\", at = \"02:15\" }" }
    static var luaType: String { "{ day: \(SchedulePolicy.days.map { "\"\($0)\"" }.joined(separator: "|")), at: string }" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        let members = try Self.members(of: value, ["day", "at"])
        guard let day = members["day"]?.string, let at = members["at"]?.string else { throw Self.mismatch(value) }
        (self.day, self.at) = (day, at)
        try SchedulePolicy.weekly(day: day, at: at, zone: nil).check()
    }

    var parameterValue: Value { ["day": .string(day), "at": .string(at)] }
}

/// `{ day = 1, at = "HH:MM" }`.
struct MonthlyTime: ParameterType, Hashable {
    let day: Int
    let at: String
    static var expectation: String { "{ day = 1, at = \"02:15\" }" }
    static var luaType: String { "{ day: integer, at: string }" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        let members = try Self.members(of: value, ["day", "at"])
        guard let day = members["day"]?.integer, let at = members["at"]?.string else { throw Self.mismatch(value) }
        (self.day, self.at) = (Int(day), at)
        try SchedulePolicy.monthly(day: self.day, at: at, zone: nil).check()
    }

    var parameterValue: Value { ["day": .integer(Int64(day)), "at": .string(at)] }
}

/// How many recovery points are kept, by what they are counted: `{ last = 8, hourly = 24 }`.
struct RetainedPoints: ParameterType, Hashable {
    let counts: [String: Int]
    private static let names = ["last", "hourly", "daily", "weekly", "monthly"]
    static var expectation: String { "numbers of recovery points: { last, hourly, daily, weekly, monthly }" }
    static var luaType: String { "{ \(names.map { "\($0)?: integer" }.joined(separator: ", ")) }" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        var counts: [String: Int] = [:]
        for (name, count) in try Self.members(of: value, Self.names).sorted(by: { $0.key < $1.key }) {
            let least = name == "last" ? 1 : 0
            guard let count = count.integer, count >= least else {
                throw DRError(.invalidInput, "\(name): expected a whole number of at least \(least), got \(count.shown)")
            }
            counts[name] = Int(count)
        }
        self.counts = counts
    }

    var parameterValue: Value { .map(counts.mapValues { .integer(Int64($0)) }) }

    var retention: Retention {
        Retention(
            last: counts["last"] ?? 8, hourly: counts["hourly"] ?? 0, daily: counts["daily"] ?? 0, weekly: counts["weekly"] ?? 0,
            monthly: counts["monthly"] ?? 0)
    }
}
