package import DRModel
internal import DRSupport

/// The world outside in a simulation. What dr.yaml allows is asked of the real port, which also says what a drill leaves out; what would be reached is answered
/// by the test.
package struct SimulatedOutside: Outside {
    /// Refuses what is not allowed, and reaches nothing.
    let allowed: any Outside
    let process: SimulatedProcess
    /// The digest of what a channel was told, and the channel.
    let remember: @Sendable (String, String) -> Void

    package init(_ allowed: any Outside, _ process: SimulatedProcess, remember: @escaping @Sendable (String, String) -> Void) {
        self.allowed = allowed
        self.process = process
        self.remember = remember
    }

    package func fingerprint(of secret: SecretName) throws -> String? { try allowed.fingerprint(of: secret) }

    package func execute(_ order: ExecutionOrder, _ call: OutsideCall) async throws -> Execution {
        let predicted = try await allowed.execute(order, call)
        guard predicted.origin != .skipped else { return predicted }
        let asked: Value = ["argv": .list(order.argv.map(Value.string)), "name": .string(order.argv.first ?? "")]
        let answer = try await perform("exec", order.argv.joined(separator: " "), asked, call)
        guard !answer.isNull else { return predicted }
        return Execution(
            code: Int32(clamping: answer["code"].integer ?? 0), stdout: answer["stdout"].string ?? "", stderr: answer["stderr"].string ?? ""
        )
    }

    package func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer {
        let predicted = try await allowed.request(order, call)
        guard predicted.origin != .skipped else { return predicted }
        let asked: Value = ["url": .string(order.url), "method": .string(order.method), "body": .string(order.body ?? "")]
        let answer = try await perform("http", "\(order.method) \(order.url)", asked, call)
        guard !answer.isNull else {
            return WebAnswer(status: predicted.status, headers: predicted.headers, body: predicted.body)
        }
        let json = answer["json"]
        var headers = (answer["headers"].map ?? [:]).compactMapValues(\.string)
        if !json.isNull { headers["content-type"] = "application/json" }
        return WebAnswer(
            status: Int(answer["status"].integer ?? 200), headers: headers,
            body: answer["body"].string ?? (json.isNull ? "" : json.json(.plain)))
    }

    package func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport {
        let predicted = try await allowed.notify(order, call)
        // Left out in a drill, or because people were told the same last time.
        guard predicted.origin != .skipped, predicted.reason == nil else { return predicted }
        let asked: Value = ["channel": .string(order.channel), "text": .string(order.text)]
        _ = try await perform("notify", "\(order.channel): \(order.text)", asked, call)
        remember(Digest.hex(of: order.text), order.channel)
        return NotificationReport(sent: true)
    }

    private func perform(_ kind: String, _ text: String, _ asked: Value, _ call: OutsideCall) async throws -> Value {
        try await process.act(call.key) {
            try process.live()
            return try process.world.outside.answer(kind, text, asked, key: call.key, at: process.world.clock.now())
        }
    }
}

/// What is outside: the answers a test gives, and the calls that were made.
package final class OutsideWorld: Sendable {
    package struct Call: Hashable, Sendable {
        package let kind: String
        package let text: String
        package let asked: Value
        package let key: String
        package let time: Instant
    }

    private struct Answer {
        let kind: String
        let match: Value
        let answers: [Value]
        var given = 0
    }

    private struct State {
        var answers: [Answer] = []
        var calls: [Call] = []
        var unanswered: [String] = []
        var answersAll = false
    }

    private let state = Lock(State())

    /// The last one that fits counts. Several answers are given one after the other, the last for good.
    package func add(_ kind: String, _ match: Value, _ answers: [Value]) {
        state.withLock { $0.answers.append(Answer(kind: kind, match: match, answers: answers)) }
    }

    /// What nobody gave an answer for is answered as a plan would: for explorations.
    package func answerAll() { state.withLock { $0.answersAll = true } }

    /// What a call of each kind can be told by.
    package static let keys = ["exec": ["name", "argv"], "http": ["url", "method", "body"], "notify": ["channel", "text"]]
    /// What an answer of each kind may hold.
    package static let answerKeys = [
        "exec": ["code", "stdout", "stderr", "error", "message"],
        "http": ["status", "json", "body", "headers", "error", "message"], "notify": ["error", "message"],
    ]

    package var calls: [Call] { state.withLock { $0.calls } }
    package var unanswered: [String] { state.withLock { $0.unanswered } }

    /// Null: as a plan would answer. Throws `not-allowed` where nobody gave an answer.
    func answer(_ kind: String, _ text: String, _ asked: Value, key: OperationKey, at time: Instant) throws -> Value {
        try state.withLock { state in
            guard let index = state.answers.lastIndex(where: { $0.kind == kind && Self.fits($0.match, asked) }) else {
                if state.answersAll || kind == "notify" {
                    state.calls.append(Call(kind: kind, text: text, asked: asked, key: key.text, time: time))
                    return .null
                }
                state.unanswered.append("\(kind) \(text)")
                throw DRError(
                    .notAllowed, "nobody said what \(kind) \(text) answers", hint: "sim:answer(\"\(kind)\", { ... }, { ... })")
            }
            let answer = state.answers[index]
            state.answers[index].given += 1
            state.calls.append(Call(kind: kind, text: text, asked: asked, key: key.text, time: time))
            guard !answer.answers.isEmpty else { return .null }
            let value = answer.answers[min(answer.given, answer.answers.count - 1)]
            if let error = value["error"].string {
                throw DRError(ErrorCode(rawValue: error) ?? .outsideFailed, value["message"].string ?? "\(kind) \(text): \(error)")
            }
            return value
        }
    }

    /// Every field asked for fits: texts with `*` for anything, lists item by item from the front.
    package static func fits(_ match: Value, _ asked: Value) -> Bool {
        switch (match, asked) {
        case (.map(let fields), _): fields.allSatisfy { fits($0.value, asked[$0.key]) }
        case (.list(let items), .list(let found)): items.count <= found.count && zip(items, found).allSatisfy { fits($0, $1) }
        case (.string(let pattern), .string(let text)): fits(pattern[...], text[...])
        case (.null, _): true
        default: match == asked
        }
    }

    private static func fits(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return pattern == text }
        let (head, rest) = (pattern[..<star], pattern[pattern.index(after: star)...])
        guard text.hasPrefix(head) else { return false }
        var tail = text.dropFirst(head.count)
        if rest.isEmpty { return true }
        while true {
            if fits(rest, tail) { return true }
            if tail.isEmpty { return false }
            tail = tail.dropFirst()
        }
    }
}
