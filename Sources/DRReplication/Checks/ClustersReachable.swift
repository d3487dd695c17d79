internal import DRModel

struct ClustersReachable: Check {
    static let id = "clusters-reachable"
    static let summary = "Both clusters answer."

    func run(in context: CheckContext) async throws -> CheckResult {
        var answered: [String] = []
        var silent: [(name: ClusterName, error: DRError)] = []
        for cluster in context.ends {
            do {
                _ = try await cluster.facts()
                answered.append(cluster.name.text)
            } catch let error as DRError where error.code == .clusterUnreachable {
                silent.append((cluster.name, error))
            }
        }
        guard silent.isEmpty else {
            let message = silent.map(\.error.message).listed
            return silent.map(\.name) == [context.sourceName]
                ? failed(message, fix: "bring it back, or see whether a disaster failover can go without it", next: "ready --disaster")
                : failed(message, fix: "bring it back: nothing can go live where nobody answers", next: "status")
        }
        return ok("\(answered.listed) answer" + (context.source == nil ? "s; \(context.sourceName) was not asked" : ""))
    }
}
