import DRModel
import DRSupport

/// A world outside that does nothing, remembers every call, and answers as a test says.
final class RecordedOutside: Outside {
    struct State {
        var calls: [String] = []
        var executions: [ExecutionOrder] = []
        var requests: [WebOrder] = []
        var notifications: [NotificationOrder] = []
        var failures: [String: [DRError]] = [:]
        var answers: [String: WebAnswer] = [:]
        /// Keeps an execution under way.
        var hold: (@Sendable () async -> Void)?
    }

    let state: Lock<State>

    init(failures: [String: [DRError]] = [:], answers: [String: WebAnswer] = [:]) {
        state = Lock(State(failures: failures, answers: answers))
    }

    var calls: [String] { state.withLock { $0.calls } }

    private func note(_ text: String, _ effect: Effect?, _ call: OutsideCall) throws {
        if let effect { call.effects.record(effect) }
        let failure: DRError? = state.withLock { state in
            state.calls.append(text)
            guard let left = state.failures[text], !left.isEmpty else { return nil }
            return state.failures[text]?.removeFirst()
        }
        if let failure { throw failure }
    }

    func execute(_ order: ExecutionOrder, _ call: OutsideCall) async throws -> Execution {
        state.withLock { $0.executions.append(order) }
        try note(order.argv.joined(separator: " "), Effect(calling: "exec", order.argv[0]), call)
        await state.withLock { $0.hold }?()
        return Execution(code: order.argv.last == "fails" ? 3 : 0, stdout: "out", stderr: order.argv.last == "fails" ? "no\nway" : "")
    }

    func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer {
        state.withLock { $0.requests.append(order) }
        try note("\(order.method) \(order.url)", order.onlyAsks ? nil : Effect(calling: order.method, order.url), call)
        return state.withLock { $0.answers[order.url] } ?? WebAnswer(status: 200)
    }

    func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport {
        state.withLock { $0.notifications.append(order) }
        try note("notify \(order.channel) \(order.text)", Effect(calling: "notify", order.channel), call)
        return NotificationReport(sent: order.always || call.hasChanged)
    }

    func fingerprint(of secret: SecretName) throws -> String? {
        guard secret.text == "PAGER_TOKEN" else { throw DRError(.notAllowed, "no secret \(secret)") }
        return "hmac-sha256:0011223344556677"
    }
}
