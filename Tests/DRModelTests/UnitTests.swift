import DRModel
import Testing

struct UnitTests {
    @Test(arguments: [
        ("250ms", 250_000_000), ("90s", 90_000_000_000), ("15m", 900_000_000_000), ("1h30m", 5_400_000_000_000),
        ("7d", 604_800_000_000_000),
        ("1.5h", 5_400_000_000_000), ("0s", 0),
    ])
    func `durations are read with their units`(text: String, nanoseconds: Int64) throws {
        #expect(try Duration(parsing: text).nanoseconds == nanoseconds)
    }

    @Test(arguments: ["", "5", "s", "5 m", "5min", "-5s", "1h30", "1..5s", "99999999999d", "٣s", "infs"])
    func `G8 what is no duration is refused`(text: String) {
        let error = #expect(throws: DRError.self) { try Duration(parsing: text) }
        #expect(error?.hint?.contains("90s") == true)
    }

    @Test(arguments: [
        (Duration.seconds(5400), "1h30m"), (.seconds(900), "15m"), (.milliseconds(2400), "2.4s"), (.milliseconds(250), "250ms"),
        (.zero, "0s"),
        (.seconds(-90), "-1m30s"), (.seconds(90_061), "1d1h1m1s"), (.nanoseconds(1), "1ms"), (.milliseconds(59_990), "60s"),
    ])
    func `durations are written short`(duration: Duration, text: String) {
        #expect(duration.text == text)
    }

    @Test func `sizes are powers of 1024`() throws {
        #expect(try ByteCount(parsing: "64MiB").bytes == 67_108_864)
        #expect(try ByteCount(parsing: "0B") == .zero)
        for wrong in ["", "5", "5MB", "1.5GiB", "-1B", "9999999999TiB", "KiB"] {
            #expect(throws: DRError.self) { try ByteCount(parsing: wrong) }
        }
        #expect(
            [0, 812, 3482, 67_108_864, 1_125_899_906_842_624].map { ByteCount($0 as Int).description } == [
                "0 B", "812 B", "3.4 KiB", "64 MiB", "1024 TiB",
            ])
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-03-01T02:15:00Z", 1_772_331_300_000_000_000),
        ("2026-03-01T02:15:00.000000001Z", 1_772_331_300_000_000_001), ("2026-03-01T03:15:00+01:00", 1_772_331_300_000_000_000),
        ("2026-02-28T21:45:00.5-04:30", 1_772_331_300_500_000_000), ("1969-12-31T23:59:59.999Z", -1_000_000),
        ("2000-02-29t12:00:00z", 951_825_600_000_000_000),
    ])
    func `times are RFC 3339`(text: String, nanoseconds: Int64) throws {
        #expect(try Instant(rfc3339: text).nanosecondsSince1970 == nanoseconds)
    }

    @Test(arguments: [
        "", "2026-03-01", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-03-01T24:00:00Z",
        "2026-03-01T02:15:00", "2026-03-01T02:15:00.Z", "2026-03-01T02:15:00+0100", "9999-01-01T00:00:00Z", "2026-03-01T02:15:00ZZ",
        "2026-03-00T02:15:00Z", "26-03-01T02:15:00Z",
    ])
    func `G8 what is no time is refused`(text: String) {
        #expect(throws: DRError.self) { try Instant(rfc3339: text) }
    }

    @Test func `every day of four centuries comes back`() throws {
        for day in stride(from: -106_000, to: 106_000, by: 97) {
            let instant = Instant(nanosecondsSince1970: Int64(day) * 86_400_000_000_000 + 86_399_999_000_000)
            #expect(try Instant(rfc3339: instant.description) == instant)
        }
    }

    @Test func `instants and durations add up`() {
        let a = Instant(nanosecondsSince1970: 10), b = a + .seconds(1)
        #expect(b - a == .seconds(1))
        #expect(b - .seconds(1) == a)
        #expect(a < b)
    }
}
