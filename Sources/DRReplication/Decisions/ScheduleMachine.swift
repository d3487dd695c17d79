internal import DRModel

/// When a schedule runs next: pure, told the time and what it did before.
struct ScheduleMachine {
    enum Decision: Hashable {
        /// Now, for this slot. Slots that were missed meanwhile are not made up for: one copy has what they would have had.
        case run(slot: Instant)
        case wait(until: Instant)
        /// Until somebody resumes it.
        case suspended
    }

    let schedule: Schedule
    let zone: ZoneRules

    /// `since`: from when on slots count where it has never run.
    func decide(_ past: ScheduleRecord?, since: Instant, now: Instant) throws(DRError) -> Decision {
        if schedule.suspended { return .suspended }
        if let past, past.failures > 0 {
            let retry = past.at + patience(past.failures)
            // The next slot comes before a long pause ends.
            let next = try slot(after: past.at)
            let due = min(retry, next)
            return due <= now ? .run(slot: now) : .wait(until: due)
        }
        guard let past else {
            if case .interval = schedule.policy { return .run(slot: now) }
            let next = try slot(after: since)
            return next <= now ? .run(slot: next) : .wait(until: next)
        }
        let next = try slot(after: past.slot)
        guard next <= now else { return .wait(until: next) }
        var last = next
        if case .interval = schedule.policy { last = now }
        return .run(slot: last)
    }

    /// 30 s, doubled with each failure, at most an hour.
    private func patience(_ failures: Int) -> Duration { .seconds(min(3600, 30 << min(failures - 1, 7))) }

    /// The first slot after an instant. Throws `invalid-input`.
    func slot(after instant: Instant) throws(DRError) -> Instant {
        let day = Self.day
        func local(_ instant: Instant) -> Int64 {
            let seconds = instant.nanosecondsSince1970 / 1_000_000_000
            return seconds + zone.offset(at: seconds)
        }
        func first(among days: some Sequence<Int64>, at time: Int64) throws(DRError) -> Instant {
            for date in days {
                let found = Instant(nanosecondsSince1970: zone.seconds(ofLocal: date * day + time) * 1_000_000_000)
                if found > instant { return found }
            }
            throw DRError(.internal, "schedule \(schedule.name) has no next slot after \(instant)")
        }
        let today = local(instant) / day
        switch schedule.policy {
        case .interval(let interval): return instant + interval
        case .daily(let at, _): return try first(among: today - 1...today + 2, at: SchedulePolicy.secondsOfDay(at))
        case .weekly(let name, let at, _):
            guard let wanted = SchedulePolicy.days.firstIndex(of: name) else {
                throw DRError(.invalidInput, "\"\(name)\" is no day of the week")
            }
            // 1970 began on a Thursday, the fourth day.
            return try first(among: (today - 1...today + 8).filter { ($0 + 3) % 7 == Int64(wanted) }, at: SchedulePolicy.secondsOfDay(at))
        case .monthly(let number, let at, _):
            let dates = (today - 1...today + 63).filter { date in
                let civil = CivilDate(daysSince1970: Int(date))
                // The 31st is the last day of a shorter month.
                return civil.day == min(number, CivilDate.daysIn(month: civil.month, year: civil.year))
            }
            return try first(among: dates, at: SchedulePolicy.secondsOfDay(at))
        }
    }

    private static let day: Int64 = 86_400
}

/// What a schedule did last: the document `scheduled/NAME` at its place. No observable state.
struct ScheduleRecord: Hashable, Codable {
    var slot: Instant
    var at: Instant
    /// In a row.
    var failures: Int
    /// Of the last failure.
    var error: String?
}

extension SchedulePolicy {
    var zone: String? {
        switch self {
        case .interval: nil
        case .daily(_, let zone), .weekly(_, _, let zone), .monthly(_, _, let zone): zone
        }
    }

    /// `every 15m`, `daily 02:15 Europe/Berlin`.
    var text: String {
        let zoned = zone.map { " " + $0 } ?? ""
        switch self {
        case .interval(let interval): return "every \(interval.text)"
        case .daily(let at, _): return "daily \(at)\(zoned)"
        case .weekly(let day, let at, _): return "\(day) \(at)\(zoned)"
        case .monthly(let day, let at, _): return "monthly \(day). \(at)\(zoned)"
        }
    }
}

extension DocumentPath {
    static func scheduled(_ name: ScheduleName) -> DocumentPath { DocumentPath("scheduled", name.text) }
}
