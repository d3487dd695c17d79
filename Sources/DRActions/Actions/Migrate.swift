internal import DRModel

struct Migrate: DRAction {
    static let spec = ActionSpec(
        "migrate", summary: "Copies applications to the destination once. Nothing moves, nothing starts.", effect: .changes,
        example: #"local m = dr.migrate { pair = "east-west", applications = { "ledger" } }"#,
        estimates: ["bytes_read", "bytes_sent", "consistency", "duration", "instant"])

    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications to copy.") var applications: ApplicationSet
    @Parameter("The last sync before a switch: the source must be stopped.", default: false) var final: Bool
    @Parameter("Over the pair's other direction; the pair must be both_ways.", default: false) var reversed: Bool

    @Parameter("Kinds that are left out this time: what such objects the destination has of us go when the point goes live.", default: nil)
    var exclude_kinds: [String]?

    @Parameter("The rule that quiets a running application at the source before the snapshot; its own in dr.yaml if not said.") var pre:
        RuleName?
    @Parameter("The rule that lets it go on after the snapshot.") var post: RuleName?

    func perform(in context: ActionContext) async throws -> MigrationReport {
        try await context.engine.migrate(
            MigrationOrder(
                pair: pair.name, reversed: reversed, applications: applications.names, final: final, excludeKinds: exclude_kinds ?? [],
                rules: SnapshotRules(pre: pre, post: post)),
            context.call)
    }
}
