public import DRModel

extension DirectoryCluster {
    public func keptForks(of application: ApplicationName) async throws -> [Fork] {
        try folder.reach {
            let root = folder.own / "divergent"
            var found: [(fork: Fork, number: Int)] = []
            for name in try folder.names(in: root) {
                guard let (epoch, number) = Self.fork(name, of: application) else { continue }
                let place = root / name
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
