public import DRModel

extension DirectoryCluster {
    public func keptForks(of application: ApplicationName) async throws -> [Fork] {
        try keptForks(of: application, among: forks())
    }

    /// The names of all that are kept, whosever they are.
    func forks() throws -> [String] { try folder.reach { try folder.names(in: folder.own / "divergent") } }

    func keptForks(of application: ApplicationName, among names: [String]) throws -> [Fork] {
        let own = names.compactMap { name in Self.fork(name, of: application).map { (name, $0) } }
        guard !own.isEmpty else { return [] }
        return try folder.reach {
            var found: [(fork: Fork, number: Int)] = []
            for (name, (epoch, number)) in own {
                let place = folder.own / "divergent" / name
                let fork = Fork(
                    application: application, cluster: self.name, epoch: epoch, state: .kept, at: try folder.io.facts(place)?.modified,
                    place: place.description, volumes: try folder.names(in: place))
                found.append((fork, number))
            }
            return found.sorted { ($0.fork.epoch, $0.number) < ($1.fork.epoch, $1.number) }.map(\.fork)
        }
    }

    /// `ledger-e3`, `ledger-e3-2`; nil for the folder of another application, or of nobody we know.
    private static func fork(_ name: String, of application: ApplicationName) -> (Epoch, Int)? {
        guard name.hasPrefix("\(application)-e") else { return nil }
        let parts = name.dropFirst(application.text.count + 2).split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let epoch = Int64(parts[0]), let number = parts.count == 1 ? 1 : Int(parts[1]) else {
            return nil
        }
        return (Epoch(epoch), number)
    }
}
