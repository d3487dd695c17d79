internal import DRHTTP

/// What S3 says in XML: a few flat elements are all we ask for.
struct S3Document {
    private let text: Substring

    init(_ body: [UInt8]) { text = Substring(String(decoding: body, as: UTF8.self)) }
    private init(_ text: Substring) { self.text = text }

    /// The text of the first element of this name.
    func text(of name: String) -> String? { element(name, from: text.startIndex).map { Self.unescaped($0.content) } }

    /// The inner parts of all elements of this name, in their order.
    func elements(_ name: String) -> [S3Document] {
        var found: [S3Document] = []
        var start = text.startIndex
        while let next = element(name, from: start) {
            found.append(S3Document(next.content))
            start = next.end
        }
        return found
    }

    private func element(_ name: String, from start: Substring.Index) -> (content: Substring, end: Substring.Index)? {
        let rest = text[start...]
        guard let open = rest.firstRange(of: "<\(name)>"), let close = rest[open.upperBound...].firstRange(of: "</\(name)>") else {
            return nil
        }
        return (rest[open.upperBound..<close.lowerBound], close.upperBound)
    }

    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("&") else { return String(text) }
        return [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")]
            .reduce(String(text)) { $0.replacing($1.0, with: $1.1) }
    }
}

/// What came of one attempt.
enum S3Reply {
    case answer(HTTPAnswer)
    /// It may go better in a moment.
    case transient(String, mayHaveArrived: Bool)

    init(_ answer: HTTPAnswer) {
        let code = answer.status >= 300 ? S3Document(answer.body).text(of: "Code") ?? "" : ""
        let again =
            [500, 502, 503, 504, 429].contains(answer.status)
            || ["RequestTimeout", "SlowDown", "ConditionalRequestConflict"].contains(code)
        self = again ? .transient("status \(answer.status) \(code)", mayHaveArrived: true) : .answer(answer)
    }
}
