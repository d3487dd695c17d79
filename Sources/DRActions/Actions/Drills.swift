internal import DRModel

// The primitive steps of a drill.

struct OpenDrill: DRAction {
    static let spec = ActionSpec(
        "open_drill", summary: "Settles a drill's points, names and lease at the destination.", effect: .changes, isInternal: true)
    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications.") var applications: ApplicationSet
    @Parameter("The points that were asked for, by application.", default: [:]) var points: [String: PointID]
    @Parameter("How long it may stay.") var ttl: Duration
    @Parameter("Added to its names.") var suffix: String
    @Parameter("Over the pair's other direction.", default: false) var reversed: Bool

    func perform(in context: ActionContext) async throws -> DrillReport {
        try await context.engine.openDrill(
            DrillOrder(
                pair: pair.name, reversed: reversed, applications: applications.names, points: points, lease: ttl,
                suffix: suffix.hasPrefix("-") ? String(suffix.dropFirst()) : suffix), context.call)
    }
}

struct StartClone: DRAction {
    static let spec = ActionSpec(
        "start_clone", summary: "Makes and starts one application's clone in a drill.", effect: .changes, isInternal: true)
    @Parameter("The drill.") var drill: DrillID
    @Parameter("Its cluster.") var cluster: ClusterName
    @Parameter("The application.") var application: ApplicationReference

    func perform(in context: ActionContext) async throws -> CloneReport {
        try await context.engine.startClone(CloneOrder(drill: drill, cluster: cluster, application: application.name), context.call)
    }
}

struct Cleanup: DRAction {
    static let spec = ActionSpec(
        "cleanup", summary: "Removes all of a drill: its processes, objects and volumes.", effect: .changes,
        example: #"dr.cleanup { drill = d }"#)
    @Parameter("What `dr.drill` returned, or its id.") var drill: DrillReference

    func perform(in context: ActionContext) async throws -> CleanupReport {
        try await context.engine.cleanUp(drill.id, context.call)
    }
}

/// A drill, by its id or by what `dr.drill` returned.
struct DrillReference: ParameterType, Hashable {
    let id: DrillID

    static var expectation: String { "what dr.drill returned, or its id" }
    static var luaType: String { "string|DRDrill" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string ?? value["id"].string else { throw Self.mismatch(value) }
        id = try DrillID(text)
    }

    var parameterValue: Value { .string(id.text) }
}
