internal import DRModel

struct Pair: DRAction {
    static let spec = ActionSpec(
        "pair", summary: "Asserts the link between two clusters: created if missing, refused if different.", effect: .changes,
        example: #"dr.pair { name = "east-west", source = "east", destination = "west", object_store = "vault", both_ways = true }"#)

    @Parameter("Its name.") var name: PairName
    @Parameter("The cluster applications are copied from.") var source: ClusterName
    @Parameter("The cluster they are copied to.") var destination: ClusterName
    @Parameter("The object store between them.") var object_store: StoreName
    @Parameter("Also destination -> source, as failback needs.", default: false) var both_ways: Bool

    func perform(in context: ActionContext) async throws -> PairReport {
        let pair = ClusterPair(name: name, source: source, destination: destination, objectStore: object_store, bothWays: both_ways)
        return try await context.engine.ensurePair(pair, context.call)
    }
}
