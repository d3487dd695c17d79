public import DRModel

extension RunEvidence {
    /// Durations are seconds, null is unknown.
    public var json: Value {
        [
            "version": 1, "run": .string(header.id.text), "runbook": .string(header.runbook), "who": .string(header.who),
            "started": .instant(header.started), "finished": finished.map(Value.instant) ?? .null, "outcome": text(outcome?.rawValue),
            "mode": .string(header.runningAs?.rawValue ?? "live"), "plan": text(header.plan),
            "configuration": .string(header.configuration),
            "sources": .map(header.sources.mapValues(Value.string)), "parameters": header.parameters, "results": results,
            "error": error.map { ["code": .string($0.code.rawValue), "message": .string($0.message)] } ?? .null,
            "applications": .list(applications.map(value)), "recovery": recovery.map(value) ?? .null, "checks": .list(checks.map(value)),
            "gates": .list(gates.map(value)),
            "effects": .list(effects.map { .string($0.text) }), "timeline": .list(actions.map(value)),
            "undos": .list(undos.map { ["name": .string($0.name), "state": .string($0.state.rawValue), "reason": text($0.reason)] }),
            "follow_ups": .list(followUps.map(Value.string)), "settled": .list(settledCalls.map(value)),
            "record": .map(recordMembers),
        ]
    }

    private var recordMembers: [String: Value] {
        var members: [String: Value] = ["records": .integer(Int64(records.count)), "head": .string(head)]
        if let signature { members["signature"] = .string(signature) }
        if let doubt { members["doubt"] = .string(doubt) }
        return members
    }

    private func text(_ text: String?) -> Value { text.map(Value.string) ?? .null }

    private func value(_ item: RunReport.Item) -> Value {
        let (rpo, bound): (Value, Value) =
            switch item.rpo {
            case .exact(let age): (.duration(age), "exact")
            case .atMost(let age): (.duration(age), "at_most")
            default: (.null, .null)
            }
        return [
            "name": .string(item.name.text), "from": text(item.from?.text), "active_at": text(item.active_at?.text),
            "epoch": item.epoch.map { .integer($0.number) } ?? .null, "state": .string(item.state.rawValue), "rpo": rpo, "rpo_bound": bound,
            "rto": item.rto.map(Value.duration) ?? .null, "bytes_sent": item.bytes_sent.map { .integer($0.bytes) } ?? .null,
            "verified_at": item.verified_at.map(Value.instant) ?? .null, "reason": text(item.reason), "next": text(item.next),
            "recovery_point": text(item.recovery_point), "split_brain_risk": item.split_brain_risk.map(Value.bool) ?? .null,
            "former_site": text(formerSite(of: item)?.rawValue),
            "rpo_target": item.targets?.rpo.map(Value.duration) ?? .null, "rpo_met": item.isRPOMet.map(Value.bool) ?? .null,
            "rto_target": item.targets?.rto.map(Value.duration) ?? .null, "rto_met": item.isRTOMet.map(Value.bool) ?? .null,
            "rto_at_least": .bool(item.rto_at_least == true),
        ]
    }

    private func value(_ checked: Checked) -> Value {
        [
            "asked": .instant(checked.asked), "path": .list(checked.path.map(Value.string)), "after": .bool(checked.isAfter),
            "id": .string(checked.result.id), "state": .string(checked.result.state.rawValue), "value": .string(checked.result.message),
            "fix": text(checked.result.fix),
        ]
    }

    private func value(_ recovery: Recovery) -> Value {
        [
            "began": .instant(recovery.began), "ready": .instant(recovery.ready), "detect": recovery.detect.map(Value.duration) ?? .null,
            "decide": .duration(recovery.decide), "waited": .duration(recovery.waited), "machine": .duration(recovery.machine),
            "total": .duration(recovery.ready - recovery.began), "at_least": .bool(recovery.isAtLeast),
            "critical_path": .list(
                recovery.critical.map {
                    ["action": .string($0.title), "key": .string($0.key), "duration": .duration(($0.ended ?? $0.begun) - $0.begun)]
                }),
        ]
    }

    private func value(_ gate: GateRecord) -> Value {
        [
            "name": .string(gate.name), "message": .string(gate.message), "show": gate.show, "opened": .instant(gate.opened),
            "closed": gate.closed.map(Value.instant) ?? .null, "error": text(gate.error?.message),
            "waited": gate.closed.map { .duration($0 - gate.opened) } ?? .null, "break_glass": gate.answer["break_glass"],
            "counted": .list(gate.counted.map(Value.string)),
            "said": .list(
                gate.said.map {
                    [
                        "person": .string($0.approval.statement.person), "decision": .string($0.approval.statement.decision.rawValue),
                        "identity": .string($0.approval.key ?? "unverified"), "account": .string($0.approval.account),
                        "counted": .bool(gate.counts($0)), "comment": text($0.approval.statement.comment), "time": .instant($0.time),
                    ]
                }),
        ]
    }

    private func value(_ call: SettledCall) -> Value {
        [
            "key": .string(call.key), "word": .string(call.word), "who": text(call.who), "time": .instant(call.time),
            "reason": text(call.reason),
        ]
    }

    private func value(_ action: Action) -> Value {
        [
            "action": .string(action.verb), "path": .list(action.path.map(Value.string)), "key": .string(action.key), "input": action.input,
            "begun": .instant(action.begun), "ended": action.ended.map(Value.instant) ?? .null, "dropped": .bool(action.isDropped),
            "unfinished": .bool(action.isUnfinished),
            "error": text(action.error?.message),
            "effects": .list(action.effects.map { .string($0.text) }),
        ]
    }
}
