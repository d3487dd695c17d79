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
    private var actionsByName: [String: any DRAction.Type] = [:]
    private var flowsByName: [String: any DRFlow.Type] = [:]
    /// By verb: a declaration is looked at when it is added, not at each call.
    private var parameters: [String: [NamedParameter]] = [:]

    public init() {}

    public func adding(_ action: any DRAction.Type) -> ActionRegistry {
        var copy = self
        copy.actions.append(action)
        copy.actionsByName[action.spec.name] = copy.actionsByName[action.spec.name] ?? action
        copy.note(action)
        return copy
    }

    public func adding(flow: any DRFlow.Type) -> ActionRegistry {
        var copy = self
        copy.flows.append(flow)
        copy.flowsByName[flow.spec.name] = copy.flowsByName[flow.spec.name] ?? flow
        copy.note(flow)
        return copy
    }

    private mutating func note(_ verb: any Declared.Type) {
        if parameters[verb.spec.name] == nil { parameters[verb.spec.name] = verb.parameters }
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

    func action(named name: String) -> (any DRAction.Type)? { actionsByName[name] }
    /// Handles of secrets may stand in its fields.
    func takesSecrets(_ name: String) -> Bool { action(named: name)?.spec.effect == .outside }
    func flow(named name: String) -> (any DRFlow.Type)? { flowsByName[name] }

    /// Reads and checks a call. Throws DRError with verb and field.
    func prepare(_ name: String, _ input: Value, in surroundings: ParameterSurroundings) throws -> PreparedAction {
        guard let type = action(named: name) else { throw DRError(.runbook, "there is no verb \"\(name)\"") }
        return try prepare(type, input, in: surroundings)
    }

    private func prepare<Action: DRAction>(
        _ type: Action.Type, _ input: Value, in surroundings: ParameterSurroundings
    ) throws -> PreparedAction {
        let (action, filled) = try ActionDecoding.decode(type, parameters[type.spec.name] ?? type.parameters, from: input, in: surroundings)
        try (action as? Approve)?.check(surroundings.approvals)
        try (action as? Window)?.check()
        return PreparedAction(
            name: type.spec.name, effect: type.spec.effect, recovery: action.recovery, input: filled, parking: Parking(action),
            rest: (action as? Sleep)?.duration
        ) { context in try Value(encoding: try await action.perform(in: context)) }
    }

    /// The flow's own table: checked, complete.
    func prepareFlow(_ name: String, _ input: Value, in surroundings: ParameterSurroundings) throws -> Value {
        guard let type = flow(named: name) else { throw DRError(.runbook, "there is no verb \"\(name)\"") }
        func decode<Flow: DRFlow>(_ type: Flow.Type) throws -> Value {
            try ActionDecoding.decode(type, parameters[name] ?? type.parameters, from: input, in: surroundings).input
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
    /// All it does is to let time pass.
    let rest: Duration?
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
