internal import DRActions
package import DRModel
internal import DRObjectStores
internal import DRReplication
internal import DRSimulation
internal import LuaBridge

/// The ports an engine works through: real ones, or a plan's.
package struct World: Sendable {
    package let clusters: [ClusterName: any Cluster]
    package let stores: [StoreName: any ObjectStore]
    package let clock: any WallClock
    package let random: any RandomSource
    /// Instead of what dr.yaml allows: for tests.
    package let outside: (any Outside)?
    /// Instead of the state folder and whoever stops runs: in a simulation.
    let simulated: SimulatedState?

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

    /// As a plan sees it: reads fall through, changes stay in memory, time moves only by waiting. `without`: clusters that do not answer.
    func planned(without lost: [ClusterName]) -> World {
        var clusters = clusters
        for name in lost { clusters[name] = UnreachableCluster(name: name) }
        let clock = VirtualClock(clock.now())
        return World(
            clusters: Overlay(clusters: clusters, clock: clock).clusters, stores: stores, clock: clock, random: random, outside: outside)
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
