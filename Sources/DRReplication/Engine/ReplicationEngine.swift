public import DRModel

/// The engine of embedded clusters: moves applications through the ports `Cluster`, `VolumeStore` and `ObjectStore`, whatever stands behind them.
///
/// It performs; what to do is decided by the structs in `Decisions`. Each operation is a row of steps, each of which happens once for its part of the
/// operation's key: asked again with the same key after a crash, the operation carries on where it was and reports the same effects.
public actor ReplicationEngine: DREngine {
    let inventory: Inventory
    let clusters: [ClusterName: any Cluster]
    let stores: [StoreName: any ObjectStore]
    let clock: any WallClock
    let random: any RandomSource
    /// After how long without its peers the agent of a cluster stops what runs there.
    let selfFence: [ClusterName: Duration]
    private let executor: any SerialExecutor

    /// Pairs that this process was told of and dr.yaml does not declare.
    var assertedPairs: [PairName: ClusterPair] = [:]
    /// Where runs of this process took locks.
    private var locked: [RunID: Set<ClusterName>] = [:]
    /// Where runs may have committed something, and clusters keep what it answered.
    private var visited: [RunID: Set<ClusterName>] = [:]
    private var holders: [RunID: LockHolder] = [:]
    /// Where runs of this process copied applications to, or made them live: what stands by there is settled at their end.
    var standing: [RunID: [ApplicationName: Set<ClusterName>]] = [:]
    /// When the last round of each cluster's agent began, by the time of day and by the machine's uptime.
    var rounds: [ClusterName: (now: Instant, uptime: Duration)] = [:]
    /// What agents of this process promised last, should their marks not be readable.
    var promisesMade: [ClusterName: [ClusterName: AgentMark.Promise]] = [:]
    /// Applications an operation works on, with those that wait for it to end.
    private var busy: [ApplicationName: [CheckedContinuation<Void, Never>]] = [:]

    /// `clusters` and `stores` hold every name of the inventory. Blocking work is done on `executor`.
    public init(
        inventory: Inventory, clusters: [ClusterName: any Cluster], stores: [StoreName: any ObjectStore], clock: any WallClock,
        random: any RandomSource, selfFence: [ClusterName: Duration] = [:], executor: any SerialExecutor
    ) {
        self.inventory = inventory
        self.clusters = clusters
        self.stores = stores
        self.clock = clock
        self.random = random
        self.selfFence = selfFence
        self.executor = executor
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// Releases the locks that the run took in this process, and those it left at `places`: kept for it, or by a process that died. Then settles what stands by.
    public func release(run: RunID, at places: Set<ClusterName>) async throws {
        var failure: (any Error)?
        let own = locked[run] ?? []
        for name in own.union(places).sorted() {
            guard let cluster = clusters[name] else { continue }
            // At the end of a run, where it holds up nobody, and only where the run was anyway.
            if let holder = holders[run], own.contains(name) { await removeExpiredDrills(at: cluster, for: holder) }
            do {
                try await cluster.unlock(run: run)
                locked[run]?.remove(name)
            } catch let error as DRError where error.code == .clusterUnreachable {
                // Nothing is lost: a lock dies with its holder.
                locked[run]?.remove(name)
            } catch {
                failure = failure ?? error
            }
        }
        if locked[run]?.isEmpty == true { locked[run] = nil }
        if locked[run] == nil { holders[run] = nil }
        if let failure { throw failure }
        try await settleStandby(after: run)
    }

    /// Removes the answers that clusters keep under the run's keys, where this engine was for it: no other is asked, it may be lost. Where a cluster does not
    /// answer they stay: they cost some hundred bytes a commit.
    public func forget(run: RunID) async throws {
        for name in (visited.removeValue(forKey: run) ?? []).sorted() {
            do { try await cluster(name).forget(run: run) } catch let error as DRError where error.code == .clusterUnreachable { continue }
        }
    }

    /// Something may be committed there under the key.
    func visit(_ cluster: any Cluster, _ key: OperationKey) {
        guard let run = key.run else { return }
        visited[run, default: []].insert(cluster.name)
    }

    /// Makes the locks that former processes of the run left at clusters that answer this one's. What others took since is not asked for.
    public func takeUp(_ holder: LockHolder, at places: Set<ClusterName>) async throws {
        let names = inventory.applications.map(\.name)
        for cluster in places.sorted().compactMap({ clusters[$0] }) {
            do {
                let left = try await cluster.locksOneByOne(of: names) { try await cluster.locks() }.sound
                for found in left where found.holder.run == holder.run { try await lock(found.application, at: [cluster], for: holder) }
            } catch let error as DRError where error.code == .clusterUnreachable {
                continue
            }
        }
    }

    /// Its locks at clusters that answer stand for a while though this process goes.
    public func park(run: RunID, at places: Set<ClusterName>, until: Instant?) async throws {
        for name in (locked[run] ?? []).union(places).sorted() {
            guard let cluster = clusters[name] else { continue }
            do {
                try await cluster.park(run: run, until: until)
            } catch let error as DRError where error.code == .clusterUnreachable {
                continue
            }
        }
        locked[run] = nil
        holders[run] = nil
        standing[run] = nil
    }

    /// Takes the application's lock at each of the clusters, in the order given.
    func lock(_ application: ApplicationName, at clusters: [any Cluster], for holder: LockHolder) async throws {
        for cluster in clusters {
            try await cluster.lock(application, for: holder)
            locked[holder.run, default: []].insert(cluster.name)
            visited[holder.run, default: []].insert(cluster.name)
            holders[holder.run] = holder
        }
    }

    /// One operation at a time on one application; operations on others go on meanwhile.
    func inTurn<Result>(_ application: ApplicationName, _ body: () async throws -> Result) async throws -> Result {
        if busy[application] != nil {
            await withCheckedContinuation { busy[application, default: []].append($0) }
        } else {
            busy[application] = []
        }
        defer {
            if busy[application]?.isEmpty == false {
                busy[application]?.removeFirst().resume()
            } else {
                busy[application] = nil
            }
        }
        try Task.checkCancellation()
        return try await body()
    }

    /// Commits once for the key and records what changed, also when an earlier call did it. `make` is asked only when none did; nil = nothing is to be done.
    func once(
        at cluster: any Cluster, _ key: OperationKey, _ effects: EffectLog, _ make: () async throws -> Transaction?
    ) async throws -> Committed? {
        visit(cluster, key)
        if let earlier = try await cluster.committed(key) {
            effects.record(earlier.effects)
            return earlier
        }
        guard let transaction = try await make() else { return nil }
        let committed = try await cluster.commit(transaction)
        effects.record(committed.effects)
        return committed
    }
}
