public import DRActions
internal import DRReplication
internal import DRSupport

/// Everything a dr.yaml describes, put together: the one object an embedder, and the command line, works with.
///
/// ```swift
/// let host = try Host.open(configurationFile: "dr.yaml")
/// defer { host.close() }
/// let report = try await host.run("runbooks/failover.lua", mayActivate: true) { print($0.kind) }
/// ```
public final class Host: Sendable {
    public let configuration: Configuration
    public let registry: ActionRegistry
    let world: World
    let identity: HostIdentity
    /// Engine and runner work here: blocking calls have a thread of their own, and a plan is repeatable.
    let executor: ThreadExecutor
    /// What plans were made of, where it is let go of with the host; nil = with each plan.
    let remains = Lock<[World]?>(nil)

    /// Reads the configuration and names its clusters and stores; none of them is touched. Throws `ConfigurationError`, DRError.
    ///
    /// `registry`: verbs of the embedder's own are added to it.
    public static func open(configurationFile: String = "dr.yaml", registry: ActionRegistry = .standard) throws -> Host {
        try open(Configuration.load(configurationFile), registry: registry)
    }

    public static func open(_ configuration: Configuration, registry: ActionRegistry = .standard) throws -> Host {
        Host(configuration, registry, try World(configuration, io: SystemStoreIO(), clock: SystemClock(), random: SystemRandom()))
    }

    package convenience init(_ configuration: Configuration, _ registry: ActionRegistry, _ world: World) {
        self.init(configuration, registry, world, identity: .current, executor: ThreadExecutor(name: "drrunbook"))
    }

    init(
        _ configuration: Configuration, _ registry: ActionRegistry, _ world: World, identity: HostIdentity, executor: ThreadExecutor
    ) {
        self.configuration = configuration
        self.registry = registry
        self.world = world
        self.identity = identity
        self.executor = executor
    }

    /// Ends the host's thread; call it when nothing is under way any more.
    public func close() { executor.stop() }

    /// From now on nothing that a plan was made of is freed before the host is: for a process that ends with its plan, where freeing half a gigabyte object by object
    /// would be a twentieth of the work.
    package func keepRemains() { remains.withLock { $0 = [] } }
    func remains(_ world: World) { remains.withLock { $0?.append(world) } }

    func engine(over world: World) -> ReplicationEngine {
        ReplicationEngine(
            inventory: configuration.inventory, clusters: world.clusters, stores: world.stores, clock: world.clock, random: world.random,
            selfFence: Dictionary(configuration.clusters.compactMap { site in site.selfFence.map { (site.name, $0) } }) { first, _ in first
            },
            executor: executor)
    }
}

/// Who and where we are, for records and locks.
struct HostIdentity: Sendable {
    let person: String
    let host: String
    let process: Int32

    /// `alice@db-host`.
    var who: String { "\(person)@\(host)" }
}
