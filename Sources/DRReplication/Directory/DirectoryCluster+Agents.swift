public import DRModel

extension DirectoryCluster {
    private func agentPath(_ cluster: ClusterName) -> StorePath { folder.own / "agents" / "\(cluster).json" }

    private func contactPath(_ cluster: ClusterName) -> StorePath { folder.own / "contacts" / "\(cluster).json" }

    public func noteAgent(_ mark: AgentMark) async throws { try note(mark, agentPath(mark.cluster)) }
    public func noteContact(_ contact: SiteContact) async throws { try note(contact, contactPath(contact.cluster)) }
    public func agentMark(of cluster: ClusterName) async throws -> AgentMark? { try notedMark(of: cluster) }
    public func contact(with cluster: ClusterName) async throws -> SiteContact? { try notedContact(with: cluster) }

    // Names of their own: were only these there, a caller that may wait would get the port's default, which knows nothing.
    // One that cannot be read is no promise.
    func notedMark(of cluster: ClusterName) throws -> AgentMark? { try noted(agentPath(cluster)) }
    func notedContact(with cluster: ClusterName) throws -> SiteContact? { try noted(contactPath(cluster)) }

    // Agents, `serve` and copies write these beside each other, and none waits: the last one stands.
    private func note(_ what: some Encodable, _ path: StorePath) throws {
        let unfinished = "\(ClusterFolder.unfinished)-\(UInt64.random(in: 0...UInt64.max))"
        try folder.reach { try folder.replace(path, with: Array((try Value(encoding: what).json() + "\n").utf8), unfinished: unfinished) }
    }

    private func noted<What: Decodable>(_ path: StorePath) throws -> What? {
        try folder.reach {
            guard let text = try folder.text(path) else { return nil }
            return try? Value(json: text).decoded(as: What.self)
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
