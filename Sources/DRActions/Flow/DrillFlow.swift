internal import DRModel

struct Drill: DRFlow {
    static let spec = ActionSpec(
        "drill",
        summary: "A failover into an isolated clone at the destination. Source, replication, epochs and points stay as they are.",
        effect: .changes,
        example: #"local d = dr.drill { pair = "east-west", applications = "all", ttl = "2h" } dr.cleanup { drill = d }"#,
        estimates: ["expires", "instant", "ready_at", "rto"])

    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications to try.") var applications: ApplicationSet
    @Parameter("\"latest\", the id of a point, or { at_or_before = TIME, max_skew = DURATION }.") var recovery_point: PointChoice?
    @Parameter("How long the clone may stay; then whoever comes next removes it.", default: .seconds(4 * 3600)) var ttl: Duration
    @Parameter("Added, after a `-`, to the names of its namespaces and volumes.", default: "drill") var suffix: String
    @Parameter("Over the pair's other direction; the pair must be both_ways.", default: false) var reversed: Bool
    @Parameter("Another order for this run: for each application those before it.") var after: [String: [String]]?
    @Parameter("How long each stage may take: here start. Reaching one puts the run down and undoes nothing.") var deadlines:
        StageDeadlines?
    @Parameter("Functions called for each application: starting, ready.") var on: Hooks?

    static let body = #"""
        local dr, host, lib = ...
        return function(call, arguments)
          call.verb = "drill"
          return lib.drill(call, arguments.on)
        end
        """#
}
