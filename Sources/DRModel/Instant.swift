/// A point in time in UTC, to the nanosecond.
public struct Instant: Hashable, Comparable, Sendable {
    public let nanosecondsSince1970: Int64

    public init(nanosecondsSince1970: Int64) { self.nanosecondsSince1970 = nanosecondsSince1970 }

    public static func < (a: Instant, b: Instant) -> Bool { a.nanosecondsSince1970 < b.nanosecondsSince1970 }
    // Times come from records that anybody may have written: what does not fit is as long as can be said.
    public static func - (a: Instant, b: Instant) -> Duration {
        .nanoseconds(difference(a.nanosecondsSince1970, b.nanosecondsSince1970))
    }
    public static func + (a: Instant, b: Duration) -> Instant {
        Instant(nanosecondsSince1970: difference(a.nanosecondsSince1970, -max(b.nanoseconds, -.max)))
    }
    public static func - (a: Instant, b: Duration) -> Instant {
        Instant(nanosecondsSince1970: difference(a.nanosecondsSince1970, b.nanoseconds))
    }

    private static func difference(_ a: Int64, _ b: Int64) -> Int64 {
        let (result, overflow) = a.subtractingReportingOverflow(b)
        return overflow ? (a < 0 ? -.max : .max) : result
    }
}

extension Instant: CustomStringConvertible {
    /// RFC 3339 in UTC, to the millisecond: `2026-03-01T02:15:00.000Z`.
    public var description: String {
        let milliseconds = floorDivide(nanosecondsSince1970, 1_000_000)
        let days = floorDivide(milliseconds, 86_400_000)
        let rest = Int(milliseconds - days * 86_400_000)
        let date = CivilDate(daysSince1970: Int(days))
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
            + "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))Z"
    }

    /// Reads RFC 3339 (`2026-03-01T02:15:00Z`, with a fraction or an offset). Throws `invalid-input`.
    public init(rfc3339 text: String) throws(DRError) {
        let wrong = DRError(.invalidInput, "\"\(text)\" is not a time", hint: "expected RFC 3339, such as 2026-03-01T02:15:00Z")
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) throws(DRError) -> Int {
            guard start + count <= bytes.count else { throw wrong }
            var value = 0
            for byte in bytes[start..<start + count] {
                guard (48...57).contains(byte) else { throw wrong }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        func expect(_ index: Int, _ characters: String) throws(DRError) {
            guard index < bytes.count, characters.utf8.contains(bytes[index]) else { throw wrong }
        }
        let year = try number(0, 4), month = try number(5, 2), day = try number(8, 2)
        let hour = try number(11, 2), minute = try number(14, 2), second = try number(17, 2)
        try expect(4, "-")
        try expect(7, "-")
        try expect(10, "Tt ")
        try expect(13, ":")
        try expect(16, ":")
        guard (1...12).contains(month), (1...CivilDate.daysIn(month: month, year: year)).contains(day), hour < 24, minute < 60, second < 61
        else { throw wrong }
        var index = 19
        var nanoseconds = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            var unit = 100_000_000
            let first = index
            while index < bytes.count, (48...57).contains(bytes[index]) {
                nanoseconds += Int(bytes[index] - 48) * unit
                unit /= 10
                index += 1
            }
            if index == first { throw wrong }
        }
        var offset = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: "Z") || bytes[index] == UInt8(ascii: "z") {
            index += 1
        } else {
            try expect(index, "+-")
            try expect(index + 3, ":")
            offset = (try number(index + 1, 2) * 60 + number(index + 4, 2)) * (bytes[index] == UInt8(ascii: "-") ? -60 : 60)
            index += 6
        }
        guard index == bytes.count, (1678..<2262).contains(year) else { throw wrong }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        let seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
        self.init(nanosecondsSince1970: seconds * 1_000_000_000 + Int64(nanoseconds))
    }
}

extension Instant: Codable {
    public init(from decoder: any Decoder) throws { try self.init(rfc3339: decoder.singleValueContainer().decode(String.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A day of the proleptic Gregorian calendar.
package struct CivilDate: Equatable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int

    package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    // Years begin in March here, so that the leap day is the last of its year.
    package init(daysSince1970: Int) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var daysSince1970: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a / b - (a % b < 0 ? 1 : 0) }

private func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
