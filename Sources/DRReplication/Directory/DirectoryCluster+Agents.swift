public import DRModel

extension DirectoryCluster {
    private func agentPath(_ cluster: ClusterName) -> StorePath { folder.own / "agents" / "\(cluster).json" }

    public func noteAgent(_ mark: AgentMark) async throws {
        try folder.reach {
            let bytes = Array((try Value(encoding: mark).json() + "\n").utf8)
            try folder.replace(agentPath(mark.cluster), with: bytes)
        }
    }

    public func agentMark(of cluster: ClusterName) async throws -> AgentMark? {
        try folder.reach {
            guard let text = try folder.text(agentPath(cluster)) else { return nil }
            // One that cannot be read is no promise.
            return try? Value(json: text).decoded(as: AgentMark.self)
        }
    }

    public func fence(_ application: ApplicationName) async throws {
        guard let workloads, !workloads.fence.isEmpty else { return }
        let arguments = workloads.fence.map {
            $0.split(separator: "{application}", omittingEmptySubsequences: false).joined(separator: application.text)
        }
        let ended = try Command(arguments, in: workloads.workingDirectory, timeout: workloads.timeout).run()
        guard !ended.succeeded else { return }
        throw DRError(
            .workloadFailed, "\(application) is not fenced at \(name): `\(arguments.joined(separator: " "))` \(ended.summary)",
            hint: "run the command by hand in \(workloads.workingDirectory)", details: ["output": .string(ended.output)])
    }
}
