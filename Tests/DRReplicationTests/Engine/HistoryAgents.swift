import DRModel
import DRReplication
import DRSimulation
import DRSupport

/// The agents beside both clusters, which work whenever time passes: each sees its own cluster, and the other one while neither is cut off.
final class Agents: Sendable {
    static let selfFence: Duration = .seconds(60)
    static let every: Duration = .seconds(10)

    private struct State {
        var alive: Set<ClusterName> = []
        var rounds = 0
        var next: Instant
    }
    private let world: EngineWorld
    private let watcher: Watcher
    private let state: Lock<State>
    let ended = Lock<[String: Int]>([:])

    init(_ world: EngineWorld, _ watcher: Watcher) {
        self.world = world
        self.watcher = watcher
        state = Lock(State(next: world.clock.now()))
    }

    func isAlive(_ name: ClusterName) -> Bool { state.withLock { $0.alive.contains(name) } }
    func start(_ name: ClusterName) { state.withLock { _ = $0.alive.insert(name) } }

    /// Without a word.
    func kill(_ name: ClusterName) { state.withLock { _ = $0.alive.remove(name) } }

    /// By a signal, also in a partition: it takes as long as it takes, and the other one works meanwhile.
    func end(_ name: ClusterName) async throws {
        kill(name)
        let number = state.withLock { state in
            state.rounds += 1
            return state.rounds
        }
        try await seeing(name) {
            let call = Spoken("end-\(number)", run: try RunID("agent-\(name)")).call
            let engine = world.engine(clock: WorkingClock(base: world.clock, agents: self))
            _ = try await engine.endAgent(name, call) { event in
                ended.withLock { $0[event.kind.rawValue, default: 0] += 1 }
            }
        }
        watcher.look()
    }

    /// Time passes, and whoever is alive works.
    func pass(_ time: Duration) async throws {
        let until = world.clock.now() + time
        while world.clock.now() < until {
            world.clock.advance(by: min(.seconds(5), until - world.clock.now()))
            try await work()
        }
    }

    func work() async throws {
        let now = world.clock.now()
        let due = state.withLock { state in
            guard now >= state.next else { return [ClusterName]() }
            state.next = now + Self.every
            return state.alive.sorted()
        }
        for name in due {
            let number = state.withLock { state in
                state.rounds += 1
                return state.rounds
            }
            try await seeing(name) {
                let found = try await world.engine().watch(
                    name, selfFence: Self.selfFence, every: Self.every, contacts: nil,
                    Spoken("round-\(number)", run: try RunID("agent-\(name)")).call)
                for event in found.events { ended.withLock { $0[event.kind.rawValue, default: 0] += 1 } }
            }
            watcher.look()
        }
    }

    private func seeing(_ name: ClusterName, _ body: () async throws -> Void) async throws {
        let (own, other) = name == "east" ? (world.east, world.west) : (world.west, world.east)
        let (ownAway, otherAway) = (own.state.withLock { $0.unreachable }, other.state.withLock { $0.unreachable })
        own.goAway(false)
        other.goAway(ownAway || otherAway)
        try await body()
        own.goAway(ownAway)
        other.goAway(otherAway)
    }
}

/// Time in which the agents work, too.
struct WorkingClock: WallClock {
    let base: VirtualClock
    let agents: Agents
    func now() -> Instant { base.now() }
    func sleep(for duration: Duration) async throws {
        try await base.sleep(for: duration)
        try await agents.work()
    }
}
