import DRModel
import Foundation
import Testing

@testable import DROutside

@Suite struct SecretTests {
    @Test func `a program gets a secret's value by environment and input, and what it prints of it is taken out`() async throws {
        let place = try Place()
        let value = #"s3cr"et/värde+"#
        try place.secret("DB_PASSWORD", value)
        try place.program(
            "leak",
            #"printf '%s' "$PW" > env; cat > in; echo "pw=$PW"; printf '%s' "$PW" | base64; echo "$PW" >&2; [ -n "$PW" ]"#,
            environment: ["PW"])
        let secret = OutsideText.secret(try SecretName("DB_PASSWORD"))
        let ended = try await place.outside().execute(
            ExecutionOrder(argv: ["leak"], environment: ["PW": secret], input: secret), Place.call())
        #expect(ended.code == 0)
        #expect(place.read("env") == value && place.read("in") == value)
        #expect(ended.stdout == "pw=[secret DB_PASSWORD]\n[secret DB_PASSWORD]\n")
        #expect(ended.stderr == "[secret DB_PASSWORD]\n")
    }

    @Test(arguments: [
        #"s3cr\/et\u002BValue"#, #"s3cr\\/et\\u002bValue"#, "s3cr%2Fet%2bValue", "s3cr%252Fet%252BValue", "s3cr&#47;et&#x2B;Value",
        #"\u0073\u0033\u0063\u0072\u002F\u0065\u0074+Value"#, "czNjci9ldCtWYWx1ZQ==", "Om9wOnMzY3IvZXQrVmFsdWU=",
        "733363722f65742b56616c7565",
    ])
    func `a secret is found however an answer escapes it`(form: String) throws {
        let redaction = Redaction([try SecretName("T"): "s3cr/et+Value"])
        let clean = redaction.clean("{\"you\": \"\(form)\"}")
        #expect(clean.contains("[secret T]") && !clean.contains("s3cr") && !clean.contains("Value"))
    }

    @Test(arguments: ["p%25word", "a&amp;b", "a%b&#38;c", #"\\n\n"#])
    func `a secret that looks escaped itself is found as it is and escaped`(value: String) throws {
        let redaction = Redaction([try SecretName("T"): value])
        let percent = { (text: String) in text.utf8.map { "%" + String($0, radix: 16) }.joined() }
        for form in [
            value, percent(value), percent(value).replacing("%", with: "%25"), String(Value.string(value).json().dropFirst().dropLast()),
        ] {
            #expect(redaction.clean("<\(form)>") == "<[secret T]>", "\(form)")
        }
    }

    @Test(arguments: ["user:s3cr/et+Value", "me:s3cr/et+Value:x", "a:s3cr/et+Value:long enough", "s3cr/et+Value"])
    func `a secret is found in base64 wherever it begins`(text: String) throws {
        let redaction = Redaction([try SecretName("T"): "s3cr/et+Value"])
        let encoded = Data(text.utf8).base64EncodedString()
        #expect(redaction.clean("Basic \(encoded)").contains("[secret T]"))
        #expect(redaction.clean(encoded.replacing("+", with: "-").replacing("/", with: "_")).contains("[secret T]"))
    }

    @Test func `what is no secret stays as it is`() throws {
        let redaction = Redaction([try SecretName("T"): #"a\\b"quote"#, try SecretName("U"): "värde&co"])
        let text = #"100% of \n &amp; {"a": "\u00e4", "b": "%2B"} a\b s3cret \"#
        #expect(redaction.clean(text) == text)
        #expect(redaction.clean(#"x a\\b"quote y"#) == "x [secret T] y")
        #expect(redaction.clean(#"x a\\\\b\"quote v\u00e4rde\u0026co"#) == "x [secret T] [secret U]")
        #expect(redaction.clean("v%C3%A4rde%26co v&#228;rde&amp;co") == "[secret U] [secret U]")
    }

    @Test func `the end of a cut output does not show the beginning of a secret`() throws {
        let redaction = Redaction([try SecretName("T"): "abcdefgh"])
        func clean(_ text: String, cut: Bool) -> String { String(decoding: redaction.clean(Array(text.utf8), isCut: cut), as: UTF8.self) }
        #expect(clean("xx abcdefgh yy abcd", cut: true) == "xx [secret T] yy ")
        #expect(clean("xx abcdefgh yy abcd", cut: false) == "xx [secret T] yy abcd")
        #expect(clean("abcdabcdefghabcdefg", cut: false) == "abcd[secret T]abcdefg")
    }

    @Test func `marks tell secrets apart and tell nothing of them`() throws {
        let place = try Place()
        try place.secret("A", "one value")
        try place.secret("B", "one value")
        try place.secret("C", "another")
        let outside = place.outside()
        let marks = try ["A", "B", "C"].map { try #require(try outside.fingerprint(of: try SecretName($0))) }
        #expect(marks[0] == marks[1] && marks[0] != marks[2])
        #expect(marks.allSatisfy { $0.wholeMatch(of: /hmac-sha256:[0-9a-f]{16}/) != nil })
        #expect(try place.outside(predicts: true).fingerprint(of: try SecretName("A")) == nil)
    }

    @Test func `a secret that is not allowed, or not there, is refused`() throws {
        let place = try Place()
        try place.secret("PAGER_TOKEN", nil)
        place.environment["HOME"] = "/root"
        #expect { try place.outside().fingerprint(of: try SecretName("PAGER_TOKN")) } throws: {
            code($0) == .notAllowed && ($0 as? DRError)?.hint == "did you mean PAGER_TOKEN (dr.yaml:9)?"
        }
        #expect { try place.outside().fingerprint(of: try SecretName("HOME")) } throws: { code($0) == .notAllowed }
        #expect { try place.outside().fingerprint(of: try SecretName("PAGER_TOKEN")) } throws: { code($0) == .notFound }
    }
}
