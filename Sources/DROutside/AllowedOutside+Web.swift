internal import DRHTTP
public import DRModel
internal import DRSupport

extension AllowedOutside {
    private static let mostRedirects = 5
    /// Bytes of a body that are kept.
    static let keptBody = 1 << 20

    public func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer {
        let address = try SiteRule(allowances: allowances).address(order.url)
        try Self.checkNames(of: order.headers)
        let headers = try order.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: try vault.text($0.value)) }
        if !order.onlyAsks { call.effects.record(Effect(calling: order.method, address.place)) }
        switch conduct(order.standIn, onlyAsks: order.onlyAsks, call) {
        case .answer(let value, let origin):
            let json = value["json"]
            return WebAnswer(
                status: Int(value["status"].integer ?? Int64(order.expectedStatus)),
                headers: (value["headers"].map ?? [:]).compactMapValues(\.string).merging(
                    json.isNull ? [:] : ["content-type": "application/json"]
                ) { first, _ in first },
                body: value["body"].string ?? (json.isNull ? "" : json.json(.plain)), origin: origin)
        case .perform: break
        }
        failpoint("outside.begun")
        var asked = HTTPOrder(
            method: order.method, address: address, headers: headers, body: order.body.map { Array($0.utf8) }, timeout: order.timeout,
            limit: Self.keptBody, trust: trust, isOnce: !order.onlyAsks)
        var isRepeatable = order.onlyAsks
        for _ in 0...Self.mostRedirects {
            let answer = try await ask(asked, isRepeatable: isRepeatable)
            guard let next = try redirect(answer, asked) else { return clean(answer) }
            if next.origin != asked.address.origin {
                // What was meant for one host is not for another.
                let secret = Set(order.headers.filter { if case .secret = $0.value { true } else { false } }.keys)
                asked.headers.removeAll { secret.contains($0.name) || ["authorization", "cookie"].contains($0.name.lowercased()) }
            }
            asked.address = next
            if answer.status == 303, asked.method != "HEAD" {
                asked.method = "GET"
                asked.isOnce = false
                asked.body = nil
                asked.headers.removeAll { ["content-type", "content-length"].contains($0.name.lowercased()) }
            }
            isRepeatable = true
        }
        throw DRError(.outsideFailed, "\(address.place) redirects more than \(Self.mostRedirects) times")
    }

    /// What says where a request ends, or which site of a server it is for: with them a body would be another request, or another site would be asked than the one allowed.
    private static let framing: Set = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect", "proxy-connection",
        "proxy-authorization", "http2-settings",
    ]

    private static func checkNames(of headers: [String: OutsideText]) throws {
        guard let name = headers.keys.sorted().first(where: { framing.contains($0.lowercased()) }) else { return }
        throw DRError(
            .notAllowed, "headers: \(name) is set by the connection itself, so a call may not set it",
            hint: "`url` says whom to ask, `body` and `json` what to send")
    }

    /// Where to ask instead; nil when this is the answer. What a body was sent to is not sent again elsewhere: only 303, which asks, is followed then.
    private func redirect(_ answer: HTTPAnswer, _ order: HTTPOrder) throws -> WebAddress? {
        guard [301, 302, 303, 307, 308].contains(answer.status), let location = answer.header("location") else { return nil }
        guard answer.status == 303 || order.method == "GET" || order.method == "HEAD" else { return nil }
        let next: WebAddress
        do { next = try order.address.following(location) } catch {
            throw DRError(.outsideFailed, "\(order.address.place) redirects to what is no URL: \(error.reason)")
        }
        // Where to is the other side's word, and may repeat what it was told.
        let shown = vault.redaction().clean(next.place)
        guard next.isSecure || !order.address.isSecure else {
            throw DRError(.outsideFailed, "\(order.address.place) redirects from https to http: \(shown)")
        }
        do { try SiteRule(allowances: allowances).check(next) } catch let error as DRError {
            throw DRError(
                .outsideFailed, "\(order.address.place) redirects to \(shown), which \(allowances.file) does not allow", hint: error.hint)
        }
        return next
    }

    /// One request on a thread of its own.
    func ask(_ order: HTTPOrder, isRepeatable: Bool) async throws -> HTTPAnswer {
        let cancellation = try Cancellation()
        let client = client
        do {
            return try await withTaskCancellationHandler {
                try await pool.run { try client.perform(order, cancel: cancellation.readEnd) }
            } onCancel: {
                cancellation.cancel()
            }
        } catch let failure as HTTPFailure {
            throw error(failure, order, isRepeatable: isRepeatable)
        }
    }

    private func error(_ failure: HTTPFailure, _ order: HTTPOrder, isRepeatable: Bool) -> DRError {
        let what = "\(order.method) \(order.address.place)"
        let reason = vault.redaction().clean(failure.reason)
        // A request that may have arrived and whose answer is lost may have been done.
        if failure.mayHaveArrived, !isRepeatable {
            return DRError(
                .unknownOutcome, "\(what): the answer was lost (\(reason)): it may have been done",
                hint: "ask the service; idempotent = true lets a retry ask again, `verify` lets the runbook find out")
        }
        switch failure.kind {
        case .timeout:
            return DRError(.timeout, "\(what) was not answered within \(order.timeout.text)", hint: "`timeout` gives it more time")
        case .untrusted:
            return DRError(
                .outsideFailed, "\(what): the other side is not who it should be: \(reason)",
                hint: "for authorities of your own set SSL_CERT_FILE in the host's environment")
        case .invalid: return DRError(.invalidInput, "\(what): \(reason)")
        default: return DRError(.outsideFailed, "\(what): \(reason)")
        }
    }

    private func clean(_ answer: HTTPAnswer) -> WebAnswer {
        let redaction = vault.redaction()
        return WebAnswer(
            status: answer.status,
            headers: Dictionary(answer.headers.map { (redaction.clean($0.name), redaction.clean($0.value)) }) { "\($0), \($1)" },
            body: String(decoding: redaction.clean(answer.body, isCut: answer.cut), as: UTF8.self), cut: answer.cut)
    }
}
