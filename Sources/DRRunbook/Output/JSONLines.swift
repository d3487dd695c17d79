import DRModel
import DRSupport

/// Standard output under `--json`: one object a line, in the order in which things happened. Readers ignore members they do not know.
final class JSONLines: Sendable {
    private let sequence = Lock(0)
    private let sink: @Sendable (String) -> Void

    init(sink: @escaping @Sendable (String) -> Void = { Output.standard($0) }) { self.sink = sink }

    /// `{"v":1,"seq":N,"type":TYPE, ...}`; instants become RFC 3339 texts, durations seconds.
    func write(_ type: String, _ members: [(String, Value)]) {
        sequence.withLock { sequence in
            sequence += 1
            let all: [(String, Value)] =
                [("v", 1), ("seq", .integer(Int64(sequence)))] + members.prefix { $0.0 == "time" || $0.0 == "run" }
            let rest = members.drop { $0.0 == "time" || $0.0 == "run" }
            let text = (all + [("type", .string(type))] + rest).map { "\(Value.string($0.0).json()):\($0.1.json(.plain))" }
            sink("{" + text.joined(separator: ",") + "}")
        }
    }

    /// An event of a run. A plan is no run: its `run` is null.
    func write(_ event: RunEvent, isPlan: Bool) {
        let place: [(String, Value)] = [
            ("time", .instant(event.time)), ("run", isPlan ? .null : .string(event.run.text)),
        ]
        let replayed: [(String, Value)] = event.replayed ? [("replayed", true)] : []
        switch event.kind {
        case .runStarted(let runbook, let summary):
            write(
                "run.started", place + [("runbook", .string(runbook)), ("summary", Self.text(summary)), ("plan", .bool(isPlan))] + replayed)
        case .actionStarted(let action):
            write("action.started", place + Self.members(action) + replayed)
        case .actionFinished(let action, let result, let error, let duration, let effects, let predicted):
            write(
                "action.finished",
                place + Self.members(action) + [
                    ("result", result ?? .null), ("error", error.map { Self.object(Self.members($0)) } ?? .null),
                    ("duration", .duration(duration)), ("predicted", .bool(predicted)), ("effects", .list(effects.map(Self.value))),
                ] + replayed)
        case .log(let text, let path):
            write("log", place + [("message", .string(text)), ("path", .list(path.map(Value.string)))] + replayed)
        case .gateOpened(let gate, let missing):
            write("gate.opened", place + Self.members(gate) + [("missing", .string(missing))] + replayed)
        case .gateClosed(let gate, let by, let error):
            write(
                "gate.closed",
                place + Self.members(gate) + [
                    ("by", .list(by.map(Value.string))), ("error", error.map { Self.object(Self.members($0)) } ?? .null),
                ] + replayed)
        case .undo(let undo):
            write("undo", place + Self.members(of: Self.value(undo)) + replayed)
        case .warning(let text):
            write("warning", place + [("message", .string(text))] + replayed)
        case .runFinished(let report):
            write("run.finished", place + Self.members(report, isPlan: isPlan))
        }
    }

    static func members(_ error: DRError) -> [(String, Value)] {
        [
            ("code", .string(error.code.rawValue)), ("message", .string(error.message)), ("hint", text(error.hint)),
            ("file", text(error.location?.file)), ("line", error.location.map { .integer(Int64($0.line)) } ?? .null),
            ("verb", text(error.verb)), ("retryable", .bool(error.retryable)), ("details", error.details ?? .null),
        ]
    }

    static func members(_ action: ActionEvent) -> [(String, Value)] {
        [
            ("action", .string(action.action)), ("path", .list(action.path.map(Value.string))), ("key", .string(action.key)),
            ("attempt", .integer(Int64(action.attempt))), ("input", action.input),
        ]
    }

    static func members(_ report: RunReport, isPlan: Bool = false) -> [(String, Value)] {
        [
            ("outcome", .string(report.outcome.rawValue)), ("rto", report.rto.map(Value.duration) ?? .null),
            ("error", report.error.map { object(members($0)) } ?? .null),
            ("applications", .list(report.applications.map { isPlan ? predicted($0) : value($0) })),
            ("undos", .list(report.undos.map(value))),
            ("resumable", .bool(report.isHeld || report.outcome == .waiting)),
        ] + (report.planned.map { [("planned", value($0))] } ?? []) + members(report.notes)
    }

    private static func members(_ notes: PlanNotes) -> [(String, Value)] {
        func place(_ location: SourceLocation) -> [String: Value] {
            ["file": .string(location.file), "line": .integer(Int64(location.line))]
        }
        let assumed = notes.assumptions.map { note in
            Value.map(place(note.location).merging(["what": .string(note.what), "value": .string(note.value)]) { $1 })
        }
        let touched = notes.touches.map { note in
            Value.map(place(note.location).merging(["what": .string(note.what), "cluster": .string(note.cluster.text)]) { $1 })
        }
        let undone = notes.compensations.map { entry -> Value in
            [
                "name": .string(entry.name), "application": text(entry.application?.text), "while_active_at": text(entry.cluster?.text),
                "restarts": .bool(entry.restarts), "until": text(entry.until),
            ]
        }
        let stays = notes.stays.map { stay -> Value in
            ["application": .string(stay.application.text), "cluster": .string(stay.cluster.text)]
        }
        let failing: Value = ["undone": .list(undone), "stays": .list(stays)]
        return (assumed.isEmpty ? [] : [("assumed", .list(assumed))]) + (touched.isEmpty ? [] : [("touched", .list(touched))])
            + (undone.isEmpty && stays.isEmpty ? [] : [("on_failure", failing)])
    }

    private static func value(_ planned: PlannedTime) -> Value {
        [
            "critical_path": .list(planned.criticalPath.map { ["action": .string($0.action), "duration": .duration($0.duration)] }),
            "unknown": .list(planned.unknown.map(Value.string)), "runs": .integer(Int64(planned.runs)),
        ]
    }

    static func members(_ gate: GateEvent) -> [(String, Value)] {
        [
            ("gate", .string(gate.name)), ("message", .string(gate.message)), ("path", .list(gate.path.map(Value.string))),
            ("key", .string(gate.key)), ("show", gate.show),
        ]
    }

    static func value(_ approval: Approval) -> Value {
        [
            "person": .string(approval.statement.person), "decision": .string(approval.statement.decision.rawValue),
            "identity": .string(approval.key ?? "unverified"), "account": .string(approval.account),
            "comment": text(approval.statement.comment), "break_glass": text(approval.statement.breakGlass),
        ]
    }

    static func value(_ undo: RunReport.Undo) -> Value {
        [
            "name": .string(undo.name), "application": text(undo.application?.text), "state": .string(undo.state.rawValue),
            "reason": text(undo.reason),
        ]
    }

    static func value(_ effect: Effect) -> Value {
        [
            "verb": .string(effect.verb.rawValue), "kind": .string(effect.kind), "namespace": text(effect.namespace),
            "name": .string(effect.name), "from": text(effect.from), "to": text(effect.to), "cluster": text(effect.cluster?.text),
            "text": .string(effect.text),
        ]
    }

    static func value(_ item: RunReport.Item) -> Value {
        let (rpo, bound) = age(item.rpo)
        return [
            "name": .string(item.name.text), "active_at": text(item.active_at?.text),
            "epoch": item.epoch.map { .integer($0.number) } ?? .null, "state": .string(item.state.rawValue), "rpo": rpo, "rpo_bound": bound,
            "rto": item.rto.map(Value.duration) ?? .null, "from": text(item.from?.text),
            "bytes_sent": item.bytes_sent.map { .integer($0.bytes) } ?? .null, "verified_at": item.verified_at.map(Value.instant) ?? .null,
            "reason": text(item.reason), "next": text(item.next), "recovery_point": text(item.recovery_point),
            "split_brain_risk": item.split_brain_risk.map(Value.bool) ?? .null, "former_site": text(item.former?.rawValue),
            "rto_at_least": .bool(item.rto_at_least == true),
            "rpo_met": item.isRPOMet.map(Value.bool) ?? .null, "rto_met": item.isRTOMet.map(Value.bool) ?? .null,
        ]
    }

    /// Of a plan: which figures are predictions.
    private static func predicted(_ item: RunReport.Item) -> Value {
        let names = [
            ("rpo", item.rpo.map { !$0.isCertain } ?? false), ("rto", item.rto != nil), ("bytes_sent", item.bytes_sent != nil),
        ]
        let more: [String: Value] = ["predicted": .list(names.filter(\.1).map { .string($0.0) })]
        return .map((value(item).map ?? [:]).merging(more) { $1 })
    }

    /// Seconds, and whether they are `exact` or `at_most`; null = unknown.
    static func age(_ rpo: RecoveryPointObjective?) -> (Value, Value) {
        switch rpo {
        case .exact(let age): (.duration(age), "exact")
        case .atMost(let age): (.duration(age), "at_most")
        default: (.null, .null)
        }
    }

    static func members(of value: Value) -> [(String, Value)] { (value.map ?? [:]).sorted { $0.key < $1.key } }
    static func object(_ members: [(String, Value)]) -> Value { .map(Dictionary(members) { first, _ in first }) }
    static func text(_ text: String?) -> Value { text.map(Value.string) ?? .null }
}
