internal import DRModel

// The primitive steps of a failover, one application each.

struct Stop: DRAction {
    static let spec = ActionSpec(
        "stop", summary: "Stops one application at the source and keeps its original state.", effect: .changes, isInternal: true)
    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The application.") var application: ApplicationReference
    @Parameter("Over the pair's other direction.", default: false) var reversed: Bool

    func perform(in context: ActionContext) async throws -> StopReport {
        try await context.engine.stop(
            ApplicationOrder(pair: pair.name, reversed: reversed, application: application.name), context.call)
    }
}

struct Restart: DRAction {
    static let spec = ActionSpec(
        "restart", summary: "Starts one application again where it is active: the way back from `stop`.", effect: .changes, isInternal: true
    )
    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The application.") var application: ApplicationReference
    @Parameter("Over the pair's other direction.", default: false) var reversed: Bool

    func perform(in context: ActionContext) async throws -> StartReport {
        try await context.engine.restart(
            ApplicationOrder(pair: pair.name, reversed: reversed, application: application.name), context.call)
    }
}

struct Start: DRAction {
    static let spec = ActionSpec(
        "start", summary: "Raises one application's epoch and starts it at the destination.", effect: .changes, isInternal: true)
    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The application.") var application: ApplicationReference
    @Parameter("planned or disaster.") var mode: MoveMode
    @Parameter("The recovery point; the newest verified one if not said.") var recovery_point: PointID?
    @Parameter("Data up to this age may be made live.") var accept_data_loss: Duration?
    @Parameter("A point that is not one instant may be made live.", default: false) var accept_fuzzy: Bool
    @Parameter("Disaster: the source was cut off.", default: false) var source_fenced: Bool
    @Parameter("Disaster: when the outage began.") var down_since: TimeReference?
    @Parameter("Over the pair's other direction.", default: false) var reversed: Bool

    func perform(in context: ActionContext) async throws -> ActivationReport {
        try await context.engine.activate(
            ActivationOrder(
                pair: pair.name, reversed: reversed, application: application.name, mode: mode == .planned ? .planned : .disaster,
                point: recovery_point, acceptedDataLoss: accept_data_loss, acceptFuzzy: accept_fuzzy,
                sourceFenced: source_fenced), context.call)
    }
}

enum MoveMode: String, ParameterChoice { case planned, disaster }

struct Sleep: DRAction {
    static let spec = ActionSpec("sleep", summary: "Waits; a restart does not begin the wait anew.", effect: .observes, isInternal: true)
    @Parameter("How long.") var duration: Duration

    func perform(in context: ActionContext) async throws -> Value {
        let left = context.begun + duration - context.clock.now()
        if left > .zero { try await context.clock.sleep(for: left) }
        return .null
    }
}
