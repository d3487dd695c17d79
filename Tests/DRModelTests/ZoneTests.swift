@testable import DRModel
import Testing

@Suite struct ZoneTests {
    private func seconds(_ text: String) throws -> Int64 { try Instant(rfc3339: text).nanosecondsSince1970 / 1_000_000_000 }

    @Test(arguments: [
        ("Europe/Berlin", "2026-03-29T02:30:00Z", [], "2026-03-29T01:30:00Z"),
        ("Europe/Berlin", "2026-10-25T02:30:00Z", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"], "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "2026-07-01T12:00:00Z", ["2026-07-01T10:00:00Z"], "2026-07-01T10:00:00Z"),
        // Half an hour at a time, and a whole day that was skipped.
        ("Australia/Lord_Howe", "2026-10-04T02:15:00Z", [], "2026-10-03T15:45:00Z"),
        ("Pacific/Apia", "2011-12-30T12:00:00Z", [], "2011-12-30T22:00:00Z"),
        ("-05:30", "2026-07-01T12:00:00Z", ["2026-07-01T17:30:00Z"], "2026-07-01T17:30:00Z"),
        ("UTC", "2026-07-01T12:00:00Z", ["2026-07-01T12:00:00Z"], "2026-07-01T12:00:00Z"),
    ])
    func `A local time is shown once, twice or never, and counts once`(
        zone: String, local: String, shown: [String], counted: String
    ) throws {
        let rules = try ZoneFiles.rules(of: zone)
        #expect(try rules.showings(ofLocal: seconds(local)) == shown.map(seconds))
        #expect(try rules.seconds(ofLocal: seconds(local)) == seconds(counted))
    }

    @Test(arguments: [
        ("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("Berlin", "Europe/Berlin"),
        ("new_york", "America/New_York"),
        ("utc", "UTC"), ("Europe//Berlin", "Europe/Berlin"),
    ])
    func `G8 a zone that there is none of is refused with the nearest name`(wrong: String, near: String) {
        let error = #expect(throws: DRError.self) { try ZoneFiles.check(wrong) }
        #expect(error?.message == "there is no time zone \"\(wrong)\" on this host (did you mean \"\(near)\"?)")
    }

    @Test(arguments: [
        "../passwd", "", "/etc/passwd", "Europe", "zone.tab", "Mars", "+2:00", "+-2:00", "+15:00", "Europe/Berlin\0",
    ])
    func `G8 what is no zone at all is refused, and no file of another kind is read`(wrong: String) {
        #expect(throws: DRError.self) { try ZoneFiles.check(wrong) }
        #expect(throws: DRError.self) { try ZoneFiles.rules(of: wrong) }
    }
}
