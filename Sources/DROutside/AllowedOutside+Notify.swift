internal import DRHTTP
public import DRModel
internal import DRSupport

/// What channels were told last, across runs: so that a schedule does not repeat itself.
public protocol NotificationMemory: Sendable {
    /// SHA-256 of the last text; nil when nothing is known.
    func last(_ channel: String) -> String?
    func remember(_ digest: String, _ channel: String) throws
    /// A plan would tell it: what follows in the plan goes by that, and nothing is written.
    func plan(_ digest: String, _ channel: String)
}

extension NotificationMemory {
    public func plan(_ digest: String, _ channel: String) {}
}

extension AllowedOutside {
    public func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport {
        let channel = try allowances.channel(named: order.channel)
        let digest = Digest.hex(of: order.text)
        if !order.always, !call.hasChanged, memory?.last(channel.name) == digest {
            return NotificationReport(
                sent: false, reason: "the run has changed nothing, and \(channel.name) was told the same last time",
                origin: predicts ? .predicted : .performed)
        }
        var headers = [(name: "Content-Type", value: "application/json"), (name: "Idempotency-Key", value: call.key.text)]
        if let token = try order.token.map({ try vault.value(of: $0) }) ?? channel.token.map({ try vault.declared($0) }) {
            headers.append((name: "Authorization", value: "Bearer \(token)"))
        }
        let address: WebAddress
        do { address = try WebAddress(channel.webhook) } catch {
            throw DRError(.configuration, "notify.\(channel.name).webhook: \(error.reason)", location: channel.location)
        }
        call.effects.record(Effect(calling: "notify", channel.name))
        switch conduct(order.standIn, onlyAsks: false, call) {
        case .answer(let value, let origin):
            if origin == .predicted { memory?.plan(digest, channel.name) }
            return NotificationReport(sent: value["sent"].bool ?? (origin == .predicted), reason: nil, origin: origin)
        case .perform: break
        }
        failpoint("outside.begun")
        let body: Value = [
            "text": .string(order.text), "run": .string(call.run.text), "key": .string(call.key.text),
            "running_as": .string(call.runningAs.rawValue), "details": order.details ?? .null,
        ]
        let answer: HTTPAnswer
        do {
            // A webhook's path is often a secret itself: it is in no message.
            answer = try await ask(
                HTTPOrder(
                    method: "POST", address: address, headers: headers, body: Array(body.json(.plain).utf8), trust: trust, isOnce: true),
                isRepeatable: true)
        } catch let error as DRError {
            throw DRError(
                error.code, "\(channel.name) could not be told: \(error.message.replacing(address.place, with: address.origin))",
                hint: error.hint)
        }
        guard (200...299).contains(answer.status) else {
            throw DRError(.outsideFailed, "\(channel.name) could not be told: \(address.origin) answered with status \(answer.status)")
        }
        try memory?.remember(digest, channel.name)
        return NotificationReport(sent: true)
    }
}
