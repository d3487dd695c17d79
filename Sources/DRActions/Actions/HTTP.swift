internal import DRModel

struct HTTP: DRAction {
    static let spec = ActionSpec(
        "http", summary: "Asks a web service that dr.yaml allows. In plans it is never asked; drills only GET and HEAD.", effect: .outside,
        example: #"dr.http { method = "PUT", url = "https://lb.example.com/pools/shop", json = { active = "west" }, idempotent = true }"#,
        estimates: ["*"])

    @Parameter("GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.", default: .GET) var method: Method
    @Parameter("Where, as `allow.http` permits.") var url: String
    @Parameter("Headers of the request.", default: [:]) var headers: [String: SecretText]
    @Parameter("Added to the URL.", default: [:]) var query: [String: String]
    @Parameter("A body as JSON.") var json: PlainValue?
    @Parameter("A body as text.") var body: String?
    @Parameter("The statuses that are no failure: \"2xx\", 204, { 200, 404 } or \"any\".", default: .success) var expect: StatusExpectation
    @Parameter("When it is given up.", default: .seconds(30)) var timeout: Duration
    @Parameter("Doing it twice does no harm; GET and HEAD never do.", default: false) var idempotent: Bool
    @Parameter("Called when its answer was lost: true = it happened, false = it did not, nil = unknown.") var verify: Callback?
    @Parameter("Its answer in plans: { status = 200, json = {} }.") var in_plan: PlainValue?
    @Parameter("In drills: \"skip\", \"run\", or an answer.") var in_drill: DrillChoice?

    enum Method: String, ParameterChoice { case GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS }

    var recovery: Recovery { idempotent || method == .GET || method == .HEAD ? .again : .unknown }

    func perform(in context: ActionContext) async throws -> Value {
        if json != nil, body != nil { throw DRError(.invalidInput, "json and body are two bodies: expected one of them") }
        var headers = headers.mapValues(\.text)
        if json != nil, !headers.keys.contains(where: { $0.lowercased() == "content-type" }) {
            headers["Content-Type"] = .plain("application/json")
        }
        let order = WebOrder(
            method: method.rawValue, url: url + WebQuery.text(query, addedTo: url), headers: headers,
            body: json?.value.json(.plain) ?? body,
            timeout: timeout, expectedStatus: expect.example, standIn: StandIn(in_plan, in_drill))
        let answer = try await context.outside.request(order, context.outsideCall)
        var result: [String: Value] = [
            "status": .integer(Int64(answer.status)), "headers": .map(answer.headers.mapValues(Value.string)), "body": .string(answer.body),
            "cut": .bool(answer.cut),
        ]
        if let type = answer.headers["content-type"], type.lowercased().contains("json"), !answer.cut {
            result["json"] = try? Value(json: answer.body)
        }
        guard !expect.accepts(answer.status), answer.origin == .performed else {
            return .map(result.merging(answer.origin.mark) { $1 })
        }
        throw DRError(
            .outsideFailed, "\(method.rawValue) \(url) was answered with status \(answer.status), expected \(expect.text)",
            hint: "`expect` says which statuses are no failure", details: .map(result))
    }
}

/// `2xx`, a status, or several.
struct StatusExpectation: ParameterType, Hashable {
    let words: [String]
    private static let all = ["any"] + (1...5).map { "\($0)xx" }

    static let success = StatusExpectation(words: ["2xx"])
    static var expectation: String { "\"2xx\", a status such as 204, a list of them, or \"any\"" }
    static var luaType: String { "string|integer|(string|integer)[]" }

    private init(words: [String]) { self.words = words }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        words = try (value.list ?? [value]).map { word in
            if let number = word.integer, (100...599).contains(number) { return String(number) }
            guard let text = word.string, Self.all.contains(text) else { throw Self.mismatch(value) }
            return text
        }
        guard !words.isEmpty else { throw Self.mismatch(value) }
    }

    var parameterValue: Value {
        let values = words.map { word in Int64(word).map(Value.integer) ?? .string(word) }
        return values.count == 1 ? values[0] : .list(values)
    }

    var text: String { words.joined(separator: ", ") }

    func accepts(_ status: Int) -> Bool { words.contains { $0 == "any" || $0 == String(status) || $0 == "\(status / 100)xx" } }

    /// A status that would be fine.
    var example: Int {
        guard let first = words.first, first != "any" else { return 200 }
        return Int(first) ?? (first.first?.wholeNumberValue ?? 2) * 100
    }
}

enum WebQuery {
    /// `?a=1&b=2`, by name; `&` instead of `?` where the URL has a query already.
    static func text(_ query: [String: String], addedTo url: String) -> String {
        guard !query.isEmpty else { return "" }
        let pairs = query.sorted { $0.key < $1.key }.map { "\(encoded($0.key))=\(encoded($0.value))" }
        return (url.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 45,
                46, 95, 126:
                String(UnicodeScalar(byte))
            default: "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }.joined()
    }
}
