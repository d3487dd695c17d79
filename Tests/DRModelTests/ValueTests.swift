import DRModel
import Testing

struct ValueTests {
    @Test(arguments: [
        "null", "true", "1", "1.0", "-0.5", "1e+100", "9223372036854775807", "-9223372036854775808", "\"\"", "[]", "{}", "[1,1.0,[2]]",
        "{\"a\":{\"b\":[null]},\"ä\":\"ß → ∞ 🐘\"}", "\"\\\"\\\\\\n\\r\\t\\u0000\\u001f/\"", "{\"$instant\":1700000000000000001}",
        "{\"$duration\":1500000000}",
    ])
    func `canonical JSON comes back byte for byte`(text: String) throws {
        #expect(try Value(json: text).json() == text)
    }

    @Test func `whole numbers and fractions stay apart`() throws {
        #expect(try Value(json: "1") == .integer(1))
        #expect(try Value(json: "1.0") == .number(1))
        #expect(try Value(json: "1") != Value(json: "1.0"))
        #expect(Value.number(.nan).json() == "null")
    }

    @Test func `keys stand in bytewise order whatever they were built in`() throws {
        #expect(try Value(json: " { \"b\" : 1 , \"a\":2, \"Z\": 3, \"ä\":4 } ").json() == "{\"Z\":3,\"a\":2,\"b\":1,\"ä\":4}")
    }

    @Test func `instants and durations are what they were or what people read`() throws {
        let value: Value = .map([
            "at": .instant(Instant(nanosecondsSince1970: 1_700_000_000_123_456_789)), "for": .duration(.milliseconds(1500)),
        ])
        #expect(try Value(json: value.json()) == value)
        #expect(value.json(.plain) == "{\"at\":\"2023-11-14T22:13:20.123Z\",\"for\":1.5}")
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "{a:1}", "01", "-", "1.", ".5", "1e", "0x1", "-01", "1 2", "nul", "\"\\x\"", "\"\\ud800\"", "\"\u{1}\"",
        "+1", "1e999", "NaN", "[",
        "{\"a\":1,}", "\"open",
    ])
    func `G8 what is no JSON is refused with its place`(text: String) {
        let error = #expect(throws: DRError.self) { try Value(json: text) }
        #expect(error?.code == .invalidInput)
        #expect(error?.message.contains("at byte") == true)
    }

    @Test func `G7 deep JSON ends in an error`() {
        #expect(throws: DRError.self) { try Value(json: String(repeating: "[", count: 100_000)) }
        #expect(throws: DRError.self) { try Value(json: String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test func `surrogate pairs make one character`() throws {
        #expect(try Value(json: "\"\\ud83d\\udc18\\u00e4\"") == "🐘ä")
    }

    private struct Everything: Codable, Equatable {
        var name: ApplicationName = "ledger"
        var epoch = Epoch(2)
        var instant = Instant(nanosecondsSince1970: 5)
        var wait = Duration.seconds(3)
        var size = ByteCount(7)
        var list = [1, 2]
        var table = ["a": 1.5]
        var missing: String?
        var key = ObjectKey(group: "apps", kind: "Deployment", namespace: "n", name: "x")
        var effect = Effect(.scale, kind: "Deployment", name: "x", from: "0", to: "1", at: "west")
        var policy = SchedulePolicy.weekly(day: "monday", at: "04:00", zone: "Europe/Berlin")
        var value: Value = ["n": 1]
    }

    @Test func `any Codable comes back through a value and its JSON`() throws {
        let everything = Everything()
        let value = try Value(encoding: everything)
        #expect(value["instant"] == .instant(everything.instant))
        #expect(value["wait"] == .duration(.seconds(3)))
        #expect(value["missing"] == .null)
        #expect(try Value(json: value.json()).decoded(as: Everything.self) == everything)
    }

    @Test func `what does not fit is named with its path`() throws {
        var value = try #require(try Value(encoding: Everything()).map)
        value["list"] = [1, "two"]
        let error = #expect(throws: DecodingError.self) { try Value.map(value).decoded(as: Everything.self) }
        guard case .typeMismatch(_, let context)? = error else {
            Issue.record("expected a mismatch, got \(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue) == ["list", "1"])
        #expect(context.debugDescription == "expected a whole number, got a string")
    }
}
