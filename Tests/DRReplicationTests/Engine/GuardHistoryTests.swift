import DRModel
import DRReplication
import DRSimulation
import DRSupport
import Foundation
import Testing

/// Histories in which a host sleeps right before one of its commits, and others work meanwhile: a host, the agents, partitions, writers. Its locks are gone by
/// then, so that the guards of its commits are all that keeps it from overwriting what the others did.
struct GuardHistoryTests {
    /// Where it is live, as far as anybody knows: of which direction something is worth trying.
    private func isAway(_ world: EngineWorld) -> Bool {
        let records = [world.east, world.west].map { cluster in
            let record = cluster.allDocuments[.application("ledger")]
            return (record?["epoch"].integer ?? 1, record?["active"].string ?? "east")
        }
        return records.max { $0.0 < $1.0 }?.1 == "west"
    }

    /// What a person does in one go.
    private static let deeds: [[HistoryStep.Kind]] = [
        [.stop, .lastSync, .planned], [.stop, .lastSync], [.restart], [.stop], [.restart, .stop], [.restart, .stop, .lastSync], [.migrate],
        [.migrate, .disaster], [.disaster],
    ]

    private func work(
        _ dice: inout Dice, host: Int, _ name: String, _ world: EngineWorld, _ agents: Agents, _ watcher: Watcher
    ) async throws -> [String] {
        var lines: [String] = []
        switch dice.roll(8) {
        case 0:
            let cluster = dice.pick([world.east, world.west])
            cluster.goAway()
            lines.append("\(cluster.name) goes away")
        case 1:
            for cluster in [world.east, world.west] { cluster.goAway(false) }
            lines.append("both are back")
        case 2:
            let time = Duration.seconds(dice.pick([30, 200, 900]))
            try await agents.pass(time)
            lines.append("\(time.text) pass")
        default:
            let away = isAway(world)
            for (number, kind) in dice.pick(Self.deeds).enumerated() {
                let step = HistoryStep(host: host, kind: kind, reversed: away, key: "\(name)-\(number)")
                let outcome = await step.perform(in: world, agents, Breaker(watching: watcher.look))
                lines.append("host \(host): \(kind.text)\(away ? " back" : ""): \(outcome)")
                watcher.write()
                guard outcome == "done" else { break }
            }
        }
        return lines
    }

    private func history(_ seed: Int, ignoringGuards: Bool) async throws -> (lines: [String], crossed: Int, findings: [String]) {
        var dice = Dice(seed: seed)
        let world = try EngineWorld()
        let watcher = Watcher(world)
        let agents = Agents(world, watcher)
        for name in ["east", "west"] as [ClusterName] where dice.roll(4) > 0 { agents.start(name) }
        var lines: [String] = []
        var crossed = 0
        watcher.write()
        for number in 0..<5 {
            for part in 0..<dice.roll(3) {
                lines += try await work(&dice, host: 0, "before-\(number)-\(part)", world, agents, watcher)
            }
            let away = isAway(world)
            // All but the last are made without a break.
            let deed = dice.pick(Self.deeds)
            for (part, kind) in deed.dropLast().enumerated() {
                let step = HistoryStep(host: 0, kind: kind, reversed: away, key: "deed-\(number)-\(part)")
                lines.append("host 0: \(kind.text): \(await step.perform(in: world, agents, Breaker(watching: watcher.look)))")
                watcher.write()
            }
            guard let last = deed.last else { continue }
            let (position, awakening) = (dice.roll(5) + 1, Awakening(seed: dice.roll(1 << 30)))
            let breaker = Breaker(pausingAt: position, of: ".commit ", watching: watcher.look) {
                await awakening.run { dice in
                    for cluster in [world.east, world.west] { cluster.set { $0.locks = [:] } }
                    var told: [String] = []
                    for part in 0...dice.roll(3) {
                        told += try await self.work(&dice, host: 1, "between-\(number)-\(part)", world, agents, watcher)
                    }
                    return told
                }
            }
            let sleeper = HistoryStep(host: 0, kind: last, reversed: away, key: "sleeper-\(number)")
            let outcome = await sleeper.perform(in: world, agents, breaker, ignoringGuards: ignoringGuards)
            let told = try awakening.lines
            if !told.isEmpty { crossed += 1 }
            lines.append("host 0: \(last.text)\(away ? " back" : ""), asleep before its commit \(position):")
            lines += told.map { "    \($0)" }
            lines.append("    awake: \(outcome)")
            watcher.write()
        }
        return (lines, crossed, watcher.findings)
    }

    private var seeds: Range<Int> {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["SEED"].flatMap { Int($0) } ?? 1
        return first..<first + (environment["HISTORIES"].flatMap { Int($0) } ?? 60)
    }

    @Test func `G1 whoever wakes up between what it read and its commit makes no second writer and loses no update`() async throws {
        var crossed = 0
        for seed in seeds {
            let (lines, meetings, findings) = try await history(seed, ignoringGuards: false)
            #expect(findings.isEmpty, "seed \(seed): \(findings.first ?? "") in\n\(lines.joined(separator: "\n"))")
            crossed += meetings
        }
        // Where nobody meets, nothing is found.
        #expect(crossed > seeds.count)
    }

    @Test func `G1 the same histories find second writers and lost updates where the commits of who sleeps ignore their guards`()
        async throws
    {
        var findings: [String] = []
        for seed in 1..<61 { findings += try await history(seed, ignoringGuards: true).findings }
        for kind in ["processes run at both", "the epoch of", "copied in full", ", is gone", "has all of it"] {
            #expect(findings.contains { $0.contains(kind) }, "\(kind)")
        }
    }
}

/// What goes on while a host sleeps.
private final class Awakening: Sendable {
    private let seed: Int
    private let told = Lock<Result<[String], any Error>>(.success([]))

    init(seed: Int) { self.seed = seed }

    var lines: [String] { get throws { try told.withLock { $0 }.get() } }

    func run(_ body: (inout Dice) async throws -> [String]) async {
        var dice = Dice(seed: seed)
        do {
            let lines = try await body(&dice)
            told.withLock { $0 = .success(lines) }
        } catch {
            told.withLock { $0 = .failure(error) }
        }
    }
}
