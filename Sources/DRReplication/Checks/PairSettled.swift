internal import DRModel

struct PairSettled: Check {
    static let id = "pair-settled"
    static let summary = "Both clusters know the pair as it is declared."
    static let next = "apply"

    func run(in context: CheckContext) async throws -> CheckResult {
        var known: [ClusterName: ClusterPair] = [:]
        for end in context.ends {
            // One that cannot be read is a matter for `records-readable`.
            known[end.name] = try await end.pairs().sound.first { $0.name == context.pair }
        }
        let declared = context.inventory.pair(context.pair)
        for (cluster, pair) in known.sorted(by: { $0.key < $1.key }) {
            guard let other = declared ?? known.values.first(where: { $0 != pair }), other != pair else { continue }
            return failed(
                "\(cluster) knows \(context.pair) as \(Self.text(pair)), \(declared == nil ? "the other cluster" : "dr.yaml") as \(Self.text(other))",
                fix: "bring dr.yaml back, or remove the pair's record and set it up anew")
        }
        return ok(known.isEmpty ? "not set up yet: the first use does it" : "known at \(known.keys.sorted().map(\.text).listed)")
    }

    private static func text(_ pair: ClusterPair) -> String {
        "\(pair.source) -> \(pair.destination) over \(pair.objectStore)\(pair.bothWays ? ", both ways" : "")"
    }
}
