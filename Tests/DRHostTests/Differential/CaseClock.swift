import DRModel
import DRSupport
import Foundation

/// The time of a generated case: it passes a little with each look, and jumps to the end of a sleep when nobody looks at it any more.
///
/// Branches that sleep at the same time sleep together, as they do in the virtual time of a plan. Whether somebody still works shows
/// in looks and in threads that run, so a sleeper waits until there was neither for a while (real time). Short sleeps are those of the host
/// itself, which looks again and again for requests to stop; they move nothing, and are longer than the pauses that tell of quiet.
final class CaseClock: WallClock {
    private struct State {
        var time: Instant
        var looks = 0
        var sleepers: [Instant] = []
    }

    /// Nobody works who has not looked this many times this long.
    private static let pause = Duration.milliseconds(15)
    private static let pauses = 3
    private static let patience = 60

    private let state: Lock<State>
    /// What a thread does every few seconds: leases of locks that are held do not run out in a jump.
    let beats = Lock<[@Sendable () -> Void]>([])

    init(_ start: Instant) { state = Lock(State(time: start)) }

    func now() -> Instant {
        state.withLock { state in
            state.looks += 1
            state.time = state.time + .microseconds(700)
            return state.time
        }
    }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        guard duration > .milliseconds(200) else { return try await Task.sleep(for: duration / 2) }
        let end = state.withLock { state in
            let end = state.time + duration
            state.sleepers.append(end)
            return end
        }
        defer {
            state.withLock { state in
                if let mine = state.sleepers.firstIndex(of: end) { state.sleepers.remove(at: mine) }
                state.looks += 1
            }
        }
        var looks = -1
        var pauses = 0
        var tries = 0
        while tries < Self.patience {
            let (seen, isNext) = state.withLock { ($0.looks, $0.time >= end || $0.sleepers.allSatisfy { $0 >= end }) }
            pauses = seen == looks && !Self.othersRun() ? pauses + 1 : 0
            if pauses >= Self.pauses, isNext { break }
            // While others wake first they are waited for, however long that takes.
            tries = isNext ? tries + 1 : 0
            looks = seen
            try await Task.sleep(for: Self.pause)
        }
        state.withLock { $0.time = max($0.time, end) }
        for beat in beats.withLock({ $0 }) { beat() }
    }

    /// Some other thread of this process runs, would run if it were its turn, or waits for a disk. Where the system does not tell, none does.
    private static func othersRun() -> Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let busy = threads.count { thread in
            // `PID (NAME) STATE ...`; the name may hold anything.
            // Dispatch's own thread only tells others that their time has come, us among them.
            guard let line = try? String(contentsOfFile: "/proc/self/task/\(thread)/stat", encoding: .utf8),
                !line.contains("overcommit)"), let state = line.split(separator: ")").last?.split(separator: " ").first
            else { return false }
            return state == "R" || state == "D"
        }
        return busy > 1
    }
}

/// Numbers of one seed, and what generators ask of them.
struct CaseRandom {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
        // Neighbours must not share a sequence.
        for _ in 0..<2 { state = next() ^ (seed << 32) }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<Item>(_ items: [Item]) -> Item { items[below(items.count)] }

    mutating func some<Item>(of items: [Item], atLeast least: Int = 1) -> [Item] {
        let chosen = items.filter { _ in chance(50) }
        return chosen.count >= least ? chosen : Array(items.prefix(least))
    }
}
