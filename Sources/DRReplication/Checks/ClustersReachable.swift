internal import DRModel

struct ClustersReachable: Check {
    static let id = "clusters-reachable"
    static let summary = "Both clusters answer."

    func run(in context: CheckContext) async throws -> CheckResult {
        var answered: [String] = []
        var silent: [DRError] = []
        for cluster in context.ends {
            do {
                _ = try await cluster.facts()
                answered.append(cluster.name.text)
            } catch let error as DRError where error.code == .clusterUnreachable {
                silent.append(error)
            }
        }
        guard silent.isEmpty else {
            return failed(silent.map(\.message).listed, fix: "bring the cluster back, or fail over in disaster mode if it is the source")
        }
        return ok("\(answered.listed) answer" + (context.source == nil ? "s; \(context.sourceName) was not asked" : ""))
    }
}
