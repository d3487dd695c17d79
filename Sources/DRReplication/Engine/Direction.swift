internal import DRModel
internal import DRSupport

/// A pair as one operation uses it: which cluster is the source, which the destination.
struct Direction {
    let pair: PairName
    /// The pair's own source, whichever way it is used: where an application is that was never moved.
    let home: ClusterName
    /// Not to be touched in a disaster.
    let source: any Cluster
    let destination: any Cluster
    let storeName: StoreName
}

extension ReplicationEngine {
    func cluster(_ name: ClusterName) throws -> any Cluster {
        guard let cluster = clusters[name] else { throw unknown("cluster", name.text, among: clusters.keys.map(\.text)) }
        return cluster
    }

    func application(_ name: ApplicationName) throws -> Application {
        guard let application = inventory.application(name) else {
            throw unknown("application", name.text, among: inventory.applications.map(\.name.text))
        }
        return application
    }

    func store(of direction: Direction) throws -> any ObjectStore {
        guard let store = stores[direction.storeName] else {
            throw unknown("object store", direction.storeName.text, among: stores.keys.map(\.text))
        }
        return store
    }

    func direction(_ name: PairName, reversed: Bool) async throws -> Direction {
        let pair = try await pair(name)
        guard !reversed || pair.bothWays else {
            throw DRError(
                .notAllowed, "pair \(name) goes one way: \(pair.source) -> \(pair.destination)",
                hint: "set bothWays: true (both_ways = true in a runbook) to use it in the other direction")
        }
        return Direction(
            pair: name, home: pair.source, source: try cluster(reversed ? pair.destination : pair.source),
            destination: try cluster(reversed ? pair.source : pair.destination), storeName: pair.objectStore)
    }

    /// A pair of dr.yaml, of a runbook of this process, or one that a runbook set up earlier.
    func pair(_ name: PairName) async throws -> ClusterPair {
        if let pair = inventory.pair(name) ?? assertedPairs[name] { return pair }
        var known = Set(inventory.pairs.map(\.name.text) + assertedPairs.keys.map(\.text))
        for cluster in clusters.values.sorted(by: { $0.name < $1.name }) {
            do {
                if let value = try await cluster.document(.pair(name)) {
                    return try cluster.decoded(ClusterPair.self, value, "pair \(name)")
                }
                for path in try await cluster.documents(in: .pairs) { known.insert(path.lastName) }
            } catch let error as DRError where error.code == .clusterUnreachable {
                continue
            }
        }
        throw unknown("pair", name.text, among: known)
    }

    func unknown(_ what: String, _ name: String, among known: some Collection<String>) -> DRError {
        let sorted = known.sorted()
        return DRError(
            .unknownName, "there is no \(what) \"\(name)\"\(Spelling.hint(for: name, in: sorted))",
            hint: sorted.isEmpty ? "dr.yaml declares none" : "known: \(sorted.joined(separator: ", "))")
    }

    /// What fails because the source cannot be reached says so.
    func namingSource<Result>(_ direction: Direction, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as DRError where error.code == .clusterUnreachable {
            do {
                _ = try await direction.source.facts()
            } catch is DRError {
                throw DRError(
                    .sourceUnreachable, error.message,
                    hint: "if \(direction.source.name) is lost, fail over in disaster mode; a planned move never turns into one")
            }
            throw error
        }
    }
}
