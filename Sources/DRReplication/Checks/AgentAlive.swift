internal import DRModel

struct AgentAlive: Check {
    static let id = "agent-alive"
    static let summary = "Where dr.yaml says selfFence, the cluster's agent works."

    func run(in context: CheckContext) async throws -> CheckResult {
        var absent: [(cluster: ClusterName, text: String)] = []
        var asked = 0
        for end in context.ends {
            guard context.selfFence[end.name] != nil else { continue }
            asked += 1
            if let absence = try await end.agentMark(of: end.name).absence(now: context.now) {
                absent.append((end.name, "\(end.name) stops nothing when it is cut off: \(absence)"))
            }
        }
        guard absent.isEmpty else {
            return warning(
                absent.map(\.text).summed,
                fix: "keep \(absent.map { "`drrunbook agent \($0.cluster)`" }.listed) running at its side")
        }
        return ok(asked == 0 ? "no cluster is to stop by itself" : "each cluster that is to stop by itself has an agent that works")
    }
}
