internal import DRModel
internal import DRSimulation
internal import DRSupport

/// What was heard of a run in a simulation.
final class SimulatedRun: Sendable {
    private struct State {
        var id: RunID?
        var report: RunReport?
        /// What was done, in order: `stop ledger`, and the texts of the effects of each action.
        var deeds: [String] = []
        var effects: [Effect] = []
        var logs: [String] = []
        var hasDied = false
        /// Calls of ports and of what is outside before it began, and since.
        var calls: [PortCall: Int] = [:]
    }

    let file: String
    let world: SimulatedWorld
    private let before: [PortCall: Int]
    private let outsideBefore: Int
    private let state = Lock(State())

    init(file: String, world: SimulatedWorld) {
        self.file = file
        self.world = world
        before = world.timeline.calls
        outsideBefore = world.outside.calls.count
    }

    var id: RunID? { state.withLock { $0.id } }
    var report: RunReport? { state.withLock { $0.report } }
    var deeds: [String] { state.withLock { $0.deeds } }
    var logs: [String] { state.withLock { $0.logs } }
    /// As its report lists them, or as far as it came.
    var effects: [Effect] { state.withLock { $0.report?.effects ?? $0.effects } }
    /// A run whose process died has no outcome yet.
    var outcome: String { state.withLock { $0.hasDied ? "interrupted" : $0.report?.outcome.rawValue ?? "interrupted" } }

    func hear(_ event: RunEvent) {
        state.withLock { $0.id = event.run }
        guard !event.replayed else { return }
        func note(_ text: String, _ kind: String = "run") { world.timeline.note(kind, text, at: event.time) }
        switch event.kind {
        case .runStarted(let runbook, _): note("\(runbook) begins")
        case .actionStarted: break
        case .actionFinished(let action, _, let error, _, let effects, _):
            let place = ActionPlace(action)
            note(
                "\(place.label)\(place.applications.count == 1 && !place.label.contains(place.applications[0]) ? " \(place.applications[0])" : "")"
                    + (error.map { ": \($0.code.rawValue): \($0.message)" } ?? ""))
            for effect in effects { note("  \(effect.text)") }
            state.withLock { state in
                if error == nil { state.deeds.append(place.text) }
                state.deeds += effects.map(\.text)
                state.effects += effects
            }
        case .log(let text, _):
            note(text, "log")
            state.withLock { $0.logs.append(text) }
        case .warning(let text): note(text, "warning")
        case .undo(let undo): note("undo \(undo.name): \(undo.state.rawValue)\(undo.reason.map { " (\($0))" } ?? "")")
        case .gateOpened(let gate, let missing): note("gate \(gate.name) waits for \(missing)")
        case .gateClosed(let gate, let by, let error):
            note("gate \(gate.name) \(error.map { "refused: \($0.message)" } ?? "passed by \(by.joined(separator: ", "))")")
        case .runFinished(let report):
            note("ends: \(report.outcome.rawValue)\(report.error.map { ": \($0.message)" } ?? "")")
        }
    }

    func finish(_ report: RunReport?) {
        let calls = world.timeline.calls
        state.withLock { state in
            state.hasDied = report == nil
            if let report { state.report = report }
            state.calls = calls.compactMapValues { $0 }.filter { $0.value > before[$0.key] ?? 0 }
        }
    }

    /// Calls at a cluster while it ran: those that change, and those that ask.
    func calls(at cluster: String) -> (changes: [String], questions: [String]) {
        let calls = state.withLock { $0.calls }.keys.filter { $0.place == cluster }
        return (
            calls.filter(\.isChange).map(\.operation).sorted(),
            calls.filter { !$0.isChange && !["unlock", "lock", "locks"].contains($0.operation) }.map(\.operation).sorted()
        )
    }

    /// Calls outside that were made for it.
    var outside: [OutsideWorld.Call] {
        let id = id?.text ?? ""
        return world.outside.calls.dropFirst(outsideBefore).filter { $0.key.hasPrefix(id + "/") }
    }
}

extension ActionPlace {
    init(_ event: ActionEvent) {
        self.init(JournalEntry(.intent, key: event.key, path: event.path, verb: event.action, payload: event.input))
    }
}
