internal import DRModel

/// Five fields: minute, hour, day of the month, month, day of the week (0 or 7 = sunday); each `*`, numbers, ranges, steps, lists.
struct CronPattern: ParameterType, Hashable {
    let text: String
    private let fields: [Set<Int>]
    private let restrictsDay: Bool
    private let restrictsWeekday: Bool

    static var expectation: String { "five fields of cron, such as \"0 22 * * 6\"" }
    static var luaType: String { "string" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        let words = text.split(separator: " ").map(String.init)
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...7]
        guard words.count == 5 else { throw Self.mismatch(value) }
        var fields: [Set<Int>] = []
        for (word, range) in zip(words, ranges) {
            guard let field = Self.field(word, range) else { throw Self.mismatch(value) }
            fields.append(field)
        }
        if fields[4].contains(7) { fields[4].insert(0) }
        self.text = text
        self.fields = fields
        restrictsDay = words[2] != "*"
        restrictsWeekday = words[4] != "*"
    }

    var parameterValue: Value { .string(text) }

    private static func field(_ word: String, _ range: ClosedRange<Int>) -> Set<Int>? {
        var found: Set<Int> = []
        for part in word.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let step = pieces.count == 1 ? 1 : Int(pieces[1]), step >= 1 else { return nil }
            let ends = pieces[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let span: ClosedRange<Int>
            if pieces[0] == "*" {
                span = range
            } else if let low = Int(ends[0]), let high = ends.count == 1 ? low : Int(ends[1]), low <= high, range.contains(low),
                range.contains(high)
            {
                span = low...(pieces.count == 2 && ends.count == 1 ? range.upperBound : high)
            } else {
                return nil
            }
            found.formUnion(stride(from: span.lowerBound, through: span.upperBound, by: step))
        }
        return found
    }

    private func fits(_ minute: Int64) -> Bool {
        let day = Int(minute.quotient(1440)), inDay = Int(minute - Int64(day) * 1440)
        guard fields[0].contains(inDay % 60), fields[1].contains(inDay / 60) else { return false }
        return fits(day: day)
    }

    private func fits(day: Int) -> Bool {
        let date = CivilDate(daysSince1970: day)
        guard fields[3].contains(date.month) else { return false }
        // 1970 began on a Thursday.
        let weekday = ((day % 7) + 11) % 7
        let byDay = fields[2].contains(date.day), byWeekday = fields[4].contains(weekday)
        return restrictsDay && restrictsWeekday ? byDay || byWeekday : byDay && byWeekday
    }

    // As cron itself: where both days are said, either fits. A pattern that fits no day of four years fits none.
    func next(after now: Instant, offset: Int) -> Instant? {
        find(from: Self.minute(now, offset) + 1, step: 1, offset)
    }

    func last(atOrBefore now: Instant, offset: Int) -> Instant? { find(from: Self.minute(now, offset), step: -1, offset) }

    private func find(from first: Int64, step: Int64, _ offset: Int) -> Instant? {
        var minute = first
        let bound = first + step * 1440 * 1500
        while step > 0 ? minute <= bound : minute >= bound {
            let day = minute.quotient(1440)
            if !fits(day: Int(day)) {
                minute = step > 0 ? (day + 1) * 1440 : day * 1440 - 1
                continue
            }
            if fits(minute) { return Instant(nanosecondsSince1970: (minute * 60 - Int64(offset)) * 1_000_000_000) }
            minute += step
        }
        return nil
    }

    private static func minute(_ now: Instant, _ offset: Int) -> Int64 {
        (now.nanosecondsSince1970.quotient(1_000_000_000) + Int64(offset)).quotient(60)
    }
}

extension Int64 {
    // Rounded down, below zero too.
    fileprivate func quotient(_ divisor: Int64) -> Int64 { self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor) }
}

/// `+02:00`, `-05:30`, `UTC`.
struct ZoneOffset: ParameterType, Hashable {
    let text: String
    let seconds: Int
    static var expectation: String { "an offset from UTC, such as \"+02:00\"" }
    static var luaType: String { "string" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        self.text = text
        if text == "UTC" || text == "Z" {
            seconds = 0
            return
        }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, "+-".contains(sign), parts.count == 2, let hours = Int(parts[0]), let minutes = Int(parts[1]),
            (0...14).contains(hours), (0..<60).contains(minutes)
        else { throw Self.mismatch(value) }
        seconds = (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    var parameterValue: Value { .string(text) }
}
