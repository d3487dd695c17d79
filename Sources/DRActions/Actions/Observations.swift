internal import DRModel

struct Status: DRAction {
    static let spec = ActionSpec(
        "status", summary: "Where an application is, how old its newest copy is, who holds it.", effect: .observes,
        example: #"local s = dr.status { application = "ledger" }"#, estimates: ["rpo"])
    @Parameter("One application; all of them, by name, if not said.") var application: ApplicationReference?

    func perform(in context: ActionContext) async throws -> Value {
        let names = application.map { [$0.name] } ?? context.inventory.applications.map(\.name).sorted()
        let reports = try await context.engine.status(of: names, without: [], context.call)
        if application != nil, let report = reports.first { return try Value(encoding: report) }
        return .map(try Dictionary(reports.map { ($0.name.text, try Value(encoding: $0)) }) { $1 })
    }
}

struct RecoveryPoints: DRAction {
    static let spec = ActionSpec(
        "recovery_points", summary: "The recovery points at the destination, newest first.", effect: .observes,
        example: #"local points = dr.recovery_points { pair = "east-west", applications = { "ledger" } }"#, estimates: ["age"])
    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications.") var applications: ApplicationSet
    @Parameter("Only points of this instant or before (RFC 3339).") var at_or_before: TimeReference?
    @Parameter("Only points whose every byte was verified.", default: true) var verified: Bool
    @Parameter("Over the pair's other direction.", default: false) var reversed: Bool

    func perform(in context: ActionContext) async throws -> [PointReport] {
        try await context.engine.recoveryPoints(of: applications.names, pair: pair.name, reversed: reversed, context.call)
            .filter { point in
                (!verified || point.verified_at != nil) && (at_or_before.map { point.instant <= $0.instant } ?? true)
            }
    }
}

/// A point in time: RFC 3339 text or a time of the runbook's.
struct TimeReference: ParameterType {
    let instant: Instant
    static var expectation: String { "a time, such as \"2026-03-01T02:15:00Z\"" }
    static var luaType: String { "string|DRTime" }
    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        switch value {
        case .instant(let instant): self.instant = instant
        case .string(let text): instant = try Instant(rfc3339: text)
        default: throw Self.mismatch(value)
        }
    }
    var parameterValue: Value { .instant(instant) }
}

/// Where applications are, as far as the clusters that may be asked know: what flows decide by.
struct Locate: DRAction {
    static let spec = ActionSpec(
        "locate", summary: "Where applications are before they are moved.", effect: .observes, isInternal: true)
    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications.") var applications: ApplicationSet
    @Parameter("Over the pair's other direction.", default: false) var reversed: Bool
    @Parameter("Ask nothing of the source.", default: false) var without_source: Bool

    struct Output: Encodable, Sendable {
        struct Place: Encodable, Sendable {
            let active_at: ClusterName?
            let epoch: Epoch
            let running: Bool?
            /// Already where the pair leads.
            let arrived: Bool
        }
        let source: ClusterName
        let destination: ClusterName
        /// It can be copied back over the same pair.
        let both_ways: Bool
        let applications: [String: Place]
    }

    func perform(in context: ActionContext) async throws -> Output {
        let pair = try context.direction(of: pair.name, reversed: reversed)
        let statuses = try await context.engine.status(of: applications.names, without: without_source ? [pair.source] : [], context.call)
        let isAtRest = statuses.allSatisfy { $0.active_at == pair.destination && $0.running == true }
        if !without_source, !isAtRest, statuses.contains(where: { $0.clusters[pair.source.text]?.hasPrefix("unknown") == true }) {
            throw DRError(
                .sourceUnreachable, "\(pair.source) cannot be reached, and a planned move needs it",
                hint: "bring it back, or decide for mode = \"disaster\": a planned move never becomes one by itself")
        }
        if without_source, statuses.contains(where: { $0.clusters[pair.destination.text]?.hasPrefix("unknown") == true }) {
            let way = reversed ? "failover" : "failback"
            throw DRError(
                .clusterUnreachable, "\(pair.destination) cannot be reached, and this is where it leads",
                hint: "if \(pair.destination) is the cluster that is lost, dr.\(way) with mode = \"disaster\" leads the other way")
        }
        return Output(
            source: pair.source, destination: pair.destination, both_ways: pair.bothWays,
            applications: Dictionary(
                statuses.map { status in
                    let arrived = status.active_at == pair.destination && status.running == true
                    return (
                        status.name.text,
                        Output.Place(active_at: status.active_at, epoch: status.epoch, running: status.running, arrived: arrived)
                    )
                }
            ) { $1 })
    }
}

extension ActionContext {
    func direction(of name: PairName, reversed: Bool) throws -> ClusterPair {
        guard let pair = inventory.pair(name) else { throw DRError(.unknownName, "there is no pair \"\(name)\"") }
        guard reversed else { return pair }
        guard let back = pair.reversed else {
            throw DRError(
                .notAllowed, "pair \"\(name)\" leads only from \(pair.source) to \(pair.destination)",
                hint: "set `bothWays: true` on the pair in dr.yaml")
        }
        return back
    }
}
