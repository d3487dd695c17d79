/// A link source -> destination over an object store.
public struct ClusterPair: Hashable, Sendable, Codable {
    public let name: PairName
    public var source: ClusterName
    public var destination: ClusterName
    public var objectStore: StoreName
    public var bothWays: Bool

    public init(name: PairName, source: ClusterName, destination: ClusterName, objectStore: StoreName, bothWays: Bool = false) {
        self.name = name
        self.source = source
        self.destination = destination
        self.objectStore = objectStore
        self.bothWays = bothWays
    }

    /// The direction destination -> source, when the pair allows it.
    public var reversed: ClusterPair? {
        bothWays ? ClusterPair(name: name, source: destination, destination: source, objectStore: objectStore, bothWays: true) : nil
    }
}
