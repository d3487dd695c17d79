internal import DRModel

/// Five fields: minute, hour, day of the month, month, day of the week (0 or 7 = sunday); each `*`, numbers, ranges, steps, lists.
struct CronPattern: ParameterType, Hashable {
    let text: String
    private let fields: [Set<Int>]
    private let restrictsHour: Bool
    private let restrictsDay: Bool
    private let restrictsWeekday: Bool

    static var expectation: String { "five fields of cron, such as \"0 22 * * 6\"" }
    static var luaType: String { "string" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        let words = text.split(separator: " ").map(String.init)
        guard words.count == Self.parts.count else { throw Self.mismatch(value) }
        var fields: [Set<Int>] = []
        for (word, part) in zip(words, Self.parts) {
            guard let field = Self.field(word, part.range) else {
                throw DRError(
                    .invalidInput,
                    "the \(part.name) of \"\(text)\": expected numbers from \(part.range.lowerBound) to \(part.range.upperBound), got \"\(word)\"",
                    hint: "each field of cron is *, numbers, ranges (1-5), steps (*/15) or lists of these (1,15)")
            }
            fields.append(field)
        }
        if fields[4].contains(7) { fields[4].insert(0) }
        self.text = text
        self.fields = fields
        restrictsHour = words[1] != "*"
        restrictsDay = words[2] != "*"
        restrictsWeekday = words[4] != "*"
    }

    var parameterValue: Value { .string(text) }

    private static let parts: [(name: String, range: ClosedRange<Int>)] = [
        ("minute", 0...59), ("hour", 0...23), ("day of the month", 1...31), ("month", 1...12), ("day of the week", 0...7),
    ]

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

    private func fits(day: Int) -> Bool {
        let date = CivilDate(daysSince1970: day)
        guard fields[3].contains(date.month) else { return false }
        // 1970 began on a Thursday.
        let weekday = ((day % 7) + 11) % 7
        let byDay = fields[2].contains(date.day), byWeekday = fields[4].contains(weekday)
        return restrictsDay && restrictsWeekday ? byDay || byWeekday : byDay && byWeekday
    }

    // As cron itself: where both days are said, either fits. A pattern that fits no day of four years fits none.
    func next(after now: Instant, in zone: ZoneRules) -> Instant? {
        let day = Self.day(now, zone)
        return (day - 1...day + 1500).lazy.compactMap { times(near: $0, zone).first { $0 > now } }.first
    }

    func last(atOrBefore now: Instant, in zone: ZoneRules) -> Instant? {
        let day = Self.day(now, zone)
        return (day - 1500...day + 1).lazy.reversed().compactMap { times(near: $0, zone).last { $0 <= now } }.first
    }

    private static func day(_ now: Instant, _ zone: ZoneRules) -> Int {
        let seconds = now.nanosecondsSince1970.quotient(1_000_000_000)
        return Int((seconds + zone.offset(at: seconds)).quotient(86_400))
    }

    // Of two days together, in order: what clocks skip around midnight falls into the next one.
    private func times(near day: Int, _ zone: ZoneRules) -> [Instant] {
        let found = Set([day, day + 1].lazy.filter(fits(day:)).flatMap { times(of: $0, zone) })
        return found.sorted().map { Instant(nanosecondsSince1970: $0 * 1_000_000_000) }
    }

    // Hours that are named are times of day: each comes once a day, also when clocks skip it or show it twice. Every hour is every hour that passes.
    private func times(of day: Int, _ zone: ZoneRules) -> [Int64] {
        fields[1].flatMap { hour in
            fields[0].flatMap { minute in
                let local = Int64(day) * 86_400 + Int64(hour * 3600 + minute * 60)
                return restrictsHour ? [zone.seconds(ofLocal: local)] : zone.showings(ofLocal: local)
            }
        }
    }
}

extension Int64 {
    // Rounded down, below zero too.
    fileprivate func quotient(_ divisor: Int64) -> Int64 { self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor) }
}

/// `Europe/Berlin`, `+02:00`, `UTC`.
struct ZoneReference: ParameterType {
    let text: String
    let rules: ZoneRules
    static var expectation: String { "a time zone, such as \"Europe/Berlin\" or \"+02:00\"" }
    static var luaType: String { "string" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        self.text = text
        do { rules = try ZoneFiles.rules(of: text) } catch { throw DRError(.unknownName, error.message, hint: error.hint) }
    }

    var parameterValue: Value { .string(text) }
}
