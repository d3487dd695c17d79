internal import DRActions
package import DRModel
internal import DRObjectStores
internal import DRReplication
internal import DRSimulation
internal import LuaBridge

/// The ports an engine works through: real ones, or a plan's.
package struct World: Sendable {
    package private(set) var clusters: [ClusterName: any Cluster]
    package private(set) var stores: [StoreName: any ObjectStore]
    package let clock: any WallClock
    package let random: any RandomSource
    /// Instead of what dr.yaml allows: for tests.
    package let outside: (any Outside)?
    /// Instead of the state folder and whoever stops runs: in a simulation.
    let simulated: SimulatedState?
    /// Of a plan: clusters that it is to do without.
    private(set) var lost: LostClusters?

    package init(
        clusters: [ClusterName: any Cluster], stores: [StoreName: any ObjectStore], clock: any WallClock, random: any RandomSource,
        outside: (any Outside)? = nil
    ) {
        self.init(clusters: clusters, stores: stores, clock: clock, random: random, outside: outside, simulated: nil)
    }

    init(
        clusters: [ClusterName: any Cluster], stores: [StoreName: any ObjectStore], clock: any WallClock, random: any RandomSource,
        outside: (any Outside)?, simulated: SimulatedState?
    ) {
        self.simulated = simulated
        self.outside = outside
        self.clusters = clusters
        self.stores = stores
        self.clock = clock
        self.random = random
    }

    /// The clusters and stores as declared; a missing one shows when it is asked.
    package init(
        _ configuration: Configuration, io: any StoreIO, clock: any WallClock, random: any RandomSource, outside: (any Outside)? = nil
    ) throws {
        var clusters: [ClusterName: any Cluster] = [:]
        for declared in configuration.clusters {
            clusters[declared.name] = DirectoryCluster(
                name: declared.name, directory: StorePath(declared.directory),
                workloads: try declared.workloads.map { commands in
                    try WorkloadCommands(
                        start: commands.start, stop: commands.stop, ready: commands.ready ?? [], drill: commands.drill ?? [],
                        fence: commands.fence ?? [],
                        workingDirectory: StorePath(configuration.folder))
                },
                rules: ClusterRules(commands: declared.rules, workingDirectory: StorePath(configuration.folder)), io: io, clock: clock,
                volumes: DirectoryVolumeStore(
                    cluster: declared.name, directory: StorePath(declared.directory), io: io, clock: clock, random: random))
        }
        var stores: [StoreName: any ObjectStore] = [:]
        for declared in configuration.objectStores {
            stores[declared.name] = try Self.store(declared, io: io, clock: clock, random: random)
        }
        self.init(clusters: clusters, stores: stores, clock: clock, random: random, outside: outside)
    }

    /// As a plan sees it: reads fall through, changes stay in memory, time moves only by waiting.
    func planned() -> World {
        let clock = VirtualClock(clock.now())
        return World(
            clusters: Overlay(clusters: clusters, clock: clock).clusters, stores: stores, clock: clock, random: random, outside: outside)
    }

    /// The same where some clusters, and what goes with them, do not answer.
    func planned(without lost: LostClusters, _ configuration: Configuration) -> World {
        guard !lost.clusters.isEmpty else { return planned() }
        var world = self
        for cluster in lost.clusters { world.clusters[cluster.name] = UnreachableCluster(name: cluster.name, lost: lost) }
        for store in configuration.objectStores {
            guard let (cluster, what) = lost.holder(of: store) else { continue }
            world.stores[store.name] = UnreachableStore(name: store.name, cluster: cluster, what: what, lost: lost)
        }
        world = world.planned()
        world.lost = lost
        return world
    }
}

/// What a simulation puts in the place of the state folder, of whoever stops runs, and around the engine. All else of a host is the same.
struct SimulatedState: Sendable {
    let journal: any Journal
    let control: any RunControl
    let engine: @Sendable (any DREngine) -> any DREngine
    /// Where the lines of runbooks that run are noted.
    var coverage: LuaCoverage?
}
