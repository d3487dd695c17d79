internal import DRSupport
internal import DRModel

/// The verbs a runbook has. A host adds its own the way ours are added.
///
/// ```swift
/// let registry = ActionRegistry.standard.adding(Announce.self)
/// ```
public struct ActionRegistry: Sendable {
    public private(set) var actions: [any DRAction.Type] = []
    public private(set) var flows: [any DRFlow.Type] = []

    public init() {}

    public func adding(_ action: any DRAction.Type) -> ActionRegistry {
        var copy = self
        copy.actions.append(action)
        return copy
    }

    public func adding(flow: any DRFlow.Type) -> ActionRegistry {
        var copy = self
        copy.flows.append(flow)
        return copy
    }

    /// Every verb of the product: one line a verb.
    public static let standard = ActionRegistry()
        .adding(Pair.self)
        .adding(DeclareSchedule.self)
        .adding(SuspendSchedule.self)
        .adding(ResumeSchedule.self)
        .adding(Migrate.self)
        .adding(Checks.self)
        .adding(Status.self)
        .adding(RecoveryPoints.self)
        .adding(Locate.self)
        .adding(Stop.self)
        .adding(Start.self)
        .adding(Restart.self)
        .adding(OpenDrill.self)
        .adding(StartClone.self)
        .adding(Cleanup.self)
        .adding(Get.self)
        .adding(List.self)
        .adding(WaitReady.self)
        .adding(Patch.self)
        .adding(Sleep.self)
        .adding(Approve.self)
        .adding(Window.self)
        .adding(Exec.self)
        .adding(HTTP.self)
        .adding(Notify.self)
        .adding(flow: Quiesce.self)
        .adding(flow: Activate.self)
        .adding(flow: Failover.self)
        .adding(flow: Failback.self)
        .adding(flow: Drill.self)
        .adding(flow: Reprotect.self)

    /// What people may call, by name.
    public var verbs: [any Declared.Type] {
        let all = actions.map { $0 as any Declared.Type } + flows.map { $0 as any Declared.Type }
        return all.filter { !$0.spec.isInternal }.sorted { $0.spec.name < $1.spec.name }
    }

    func action(named name: String) -> (any DRAction.Type)? { actions.first { $0.spec.name == name } }
    /// Handles of secrets may stand in its fields.
    func takesSecrets(_ name: String) -> Bool { action(named: name)?.spec.effect == .outside }
    func flow(named name: String) -> (any DRFlow.Type)? { flows.first { $0.spec.name == name } }

    /// Reads and checks a call. Throws DRError with verb and field.
    func prepare(_ name: String, _ input: Value, in surroundings: ParameterSurroundings) throws -> PreparedAction {
        guard let type = action(named: name) else { throw DRError(.runbook, "there is no verb \"\(name)\"") }
        return try prepare(type, input, in: surroundings)
    }

    private func prepare<Action: DRAction>(
        _ type: Action.Type, _ input: Value, in surroundings: ParameterSurroundings
    ) throws -> PreparedAction {
        let action = try ActionDecoding.decode(type, from: input, in: surroundings)
        try (action as? Approve)?.check(surroundings.approvals)
        try (action as? Window)?.check()
        return PreparedAction(
            name: type.spec.name, effect: type.spec.effect, recovery: action.recovery, input: action.input, parking: Parking(action)
        ) { context in try Value(encoding: try await action.perform(in: context)) }
    }

    /// The flow's own table: checked, complete.
    func prepareFlow(_ name: String, _ input: Value, in surroundings: ParameterSurroundings) throws -> Value {
        guard let type = flow(named: name) else { throw DRError(.runbook, "there is no verb \"\(name)\"") }
        func decode<Flow: DRFlow>(_ type: Flow.Type) throws -> Value {
            try ActionDecoding.decode(type, from: input, in: surroundings).input
        }
        return try decode(type)
    }
}

/// A verb call that was read and checked, ready to be handed to the engine.
struct PreparedAction: Sendable {
    let name: String
    let effect: ActionEffect
    let recovery: Recovery
    let input: Value
    /// What the run waits for without anything being under way.
    let parking: Parking?
    let perform: @Sendable (ActionContext) async throws -> Value
}

/// People, or a time: what a run is parked for.
enum Parking: Sendable {
    case gate
    case window(Window)

    init?(_ action: any DRAction) {
        switch action {
        case is Approve: self = .gate
        case let window as Window: self = .window(window)
        default: return nil
        }
    }
}
