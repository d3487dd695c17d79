/// Items that wait for others, in waves: each wave needs only those before it.
public struct DependencyOrder: Sendable, Hashable {
    /// Within a wave the order is by name.
    public let waves: [[String]]

    /// `needs`: for each item those before it; strangers do not count. `what` names the items in the error. Cost grows with the needs. Throws
    /// `configuration` and names the cycle.
    public init(_ needs: [String: [String]], of what: String) throws(DRError) {
        var missing: [String: Int] = [:]
        var followers: [String: [String]] = [:]
        for (name, earlier) in needs {
            let known = earlier.filter { needs[$0] != nil }
            missing[name] = known.count
            for other in known { followers[other, default: []].append(name) }
        }
        var waves: [[String]] = []
        var wave = needs.keys.filter { missing[$0] == 0 }
        while !wave.isEmpty {
            wave.sort()
            waves.append(wave)
            var next: [String] = []
            for name in wave {
                missing[name] = nil
                for follower in followers[name] ?? [] {
                    let left = (missing[follower] ?? 0) - 1
                    missing[follower] = left
                    if left == 0 { next.append(follower) }
                }
            }
            wave = next
        }
        guard missing.isEmpty else {
            let cycle = Self.cycle(in: needs.filter { missing[$0.key] != nil })
            throw DRError(.configuration, "the \(what) wait for each other: \(cycle)", hint: "remove one of the `after` entries")
        }
        self.waves = waves
    }

    private static func cycle(in waiting: [String: [String]]) -> String {
        var path: [String] = []
        var next = waiting.keys.min()
        while let name = next, !path.contains(name) {
            path.append(name)
            next = (waiting[name] ?? []).filter { waiting[$0] != nil }.min()
        }
        guard let next, let start = path.firstIndex(of: next) else { return "" }
        return (path[start...] + [next]).joined(separator: " -> ")
    }
}
