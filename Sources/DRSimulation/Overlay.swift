public import DRModel

/// Clusters as a plan sees them: reads fall through to the real ones, changes stay in memory, nothing is written anywhere.
///
/// The same engine runs over them as over the real clusters, so a plan's effects are those of its run. Object stores are passed to the engine as they are:
/// of a store an overlay asks only whether it answers.
public struct Overlay: Sendable {
    public let clusters: [ClusterName: any Cluster]

    /// Times are `clock`'s; give the engine the same one.
    public init(clusters: [ClusterName: any Cluster], clock: any WallClock) {
        let transit = PlannedPoints()
        self.clusters = clusters.mapValues { OverlayCluster($0, transit: transit, clock: clock) }
    }
}
