import DRModel
import DRReplication
import DRSimulation

/// Numbers that are the same for a seed.
struct Dice {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(sides))
    }

    mutating func pick<Item>(_ items: [Item]) -> Item { items[roll(items.count)] }
}

/// One thing that one of two hosts does in a history.
struct HistoryStep: Sendable {
    enum Kind: Int, CaseIterable, Sendable {
        case stop, restart, migrate, lastSync, planned, disaster

        static func rolled(_ dice: inout Dice) -> Kind { allCases[dice.roll(allCases.count)] }
        var text: String { self == .lastSync ? "last sync" : "\(self)" }
    }

    let host: Int
    let kind: Kind
    let reversed: Bool
    let key: String

    /// What came of it: `done`, `killed`, or the code of its error.
    @discardableResult
    func perform(in world: EngineWorld, _ agents: Agents, _ breaker: Breaker, ignoringGuards: Bool = false) async -> String {
        let engine = world.engine(
            breaking: breaker, ignoringGuards: ignoringGuards, clock: WorkingClock(base: world.clock, agents: agents))
        let spoken = Spoken(key, run: host == 0 ? "host-a" : "host-b")
        // Its locks go with its process.
        func letGo() {
            for cluster in [world.east, world.west] {
                cluster.set { $0.locks = $0.locks.filter { $0.value.holder.run != spoken.call.holder.run } }
            }
        }
        do {
            switch kind {
            case .stop: try await engine.stop("ledger", reversed: reversed, spoken)
            case .restart: try await engine.restart("ledger", reversed: reversed, spoken)
            case .migrate: try await engine.migrate(["ledger"], reversed: reversed, spoken)
            case .lastSync: try await engine.migrate(["ledger"], final: true, reversed: reversed, spoken)
            case .planned: try await engine.activate("ledger", .planned, reversed: reversed, spoken)
            case .disaster: try await engine.activate("ledger", .disaster, reversed: reversed, accepting: .seconds(1 << 30), spoken)
            }
            try await engine.release(run: spoken.call.holder.run)
            return "done"
        } catch is Killed {
            letGo()
            return "killed"
        } catch let error as DRError {
            try? await world.engine().release(run: spoken.call.holder.run)
            letGo()
            return error.code.rawValue
        } catch {
            return "\(error)"
        }
    }
}
