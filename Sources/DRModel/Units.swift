extension Duration {
    /// The whole span in nanoseconds; spans beyond 292 years are clamped.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        return scaled + attoseconds / 1_000_000_000
    }

    /// The span in seconds, with its fraction.
    public var inSeconds: Double { Double(nanoseconds) / 1e9 }

    /// Reads `90s`, `15m`, `2h`, `7d`, `250ms` or a sum of them such as `1h30m`. Throws `invalid-input`.
    public init(parsing text: String) throws(DRError) {
        let wrong = DRError(
            .invalidInput, "\"\(text)\" is not a duration", hint: "expected a number with a unit: 250ms, 90s, 15m, 2h, 7d or 1h30m")
        var rest = Substring(text)
        var total: Double = 0
        if rest.isEmpty { throw wrong }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let seconds = Self.units[String(unit)] else { throw wrong }
            total += number * seconds
        }
        guard total < 9e9 else { throw wrong }
        self = .nanoseconds(Int64((total * 1e9).rounded()))
    }

    private static var units: [String: Double] { ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400] }

    /// The shortest exact form a person reads: `1h30m`, `15m`, `2.4s`, `250ms`, `0s`.
    public var text: String {
        let nanoseconds = self.nanoseconds
        if nanoseconds < 0 { return "-" + Duration.nanoseconds(-nanoseconds).text }
        if nanoseconds == 0 { return "0s" }
        if nanoseconds < 1_000_000_000 { return "\(max(1, (nanoseconds + 500_000) / 1_000_000))ms" }
        if nanoseconds < 60_000_000_000 {
            let tenths = (nanoseconds + 50_000_000) / 100_000_000
            return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s"
        }
        let seconds = (nanoseconds + 500_000_000) / 1_000_000_000
        var text = ""
        for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] as [(String, Int64)] {
            let count = unit == "d" ? seconds / size : seconds % (unit == "h" ? 86_400 : unit == "m" ? 3600 : 60) / size
            if count > 0 { text += "\(count)\(unit)" }
        }
        return text
    }
}

/// A number of bytes.
public struct ByteCount: Hashable, Comparable, Sendable {
    public var bytes: Int64

    public init(_ bytes: Int64) { self.bytes = bytes }
    public init(_ bytes: Int) { self.bytes = Int64(bytes) }

    public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
    public static func + (a: ByteCount, b: ByteCount) -> ByteCount { ByteCount(a.bytes + b.bytes) }
    public static let zero = ByteCount(0 as Int64)

    /// Reads `512B`, `10KiB`, `64MiB`, `1GiB`, `2TiB` (powers of 1024). Throws `invalid-input`.
    public init(parsing text: String) throws(DRError) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [String: Int64] = ["B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40]
        guard let number = Int64(digits), let unit = units[String(text.dropFirst(digits.count))],
            case let (bytes, overflow) = number.multipliedReportingOverflow(by: unit), !overflow
        else {
            throw DRError(
                .invalidInput, "\"\(text)\" is not a size", hint: "expected a whole number with a unit: 512B, 10KiB, 64MiB or 1GiB")
        }
        self.init(bytes)
    }
}

extension ByteCount: Codable {
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(Int64.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

extension ByteCount: CustomStringConvertible {
    /// `0 B`, `812 B`, `3.4 KiB`, `64 MiB`.
    public var description: String {
        var size = Double(bytes)
        var unit = "B"
        for larger in ["KiB", "MiB", "GiB", "TiB"] where size >= 1024 {
            size /= 1024
            unit = larger
        }
        if unit == "B" { return "\(bytes) B" }
        let tenths = Int64((size * 10).rounded())
        return tenths % 10 == 0 || tenths >= 1000 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
