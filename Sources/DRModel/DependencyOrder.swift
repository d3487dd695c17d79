/// Items that wait for others, in waves: each wave needs only those before it.
public struct DependencyOrder: Sendable, Hashable {
    /// Within a wave the order is by name.
    public let waves: [[String]]

    /// `needs`: for each item those before it; strangers do not count. `what` names the items in the error. Cost grows with items x needs. Throws
    /// `configuration` and names the cycle.
    public init(_ needs: [String: [String]], of what: String) throws(DRError) {
        var waiting = needs
        var waves: [[String]] = []
        while !waiting.isEmpty {
            let wave = waiting.keys.filter { name in !(waiting[name] ?? []).contains { waiting[$0] != nil } }.sorted()
            guard !wave.isEmpty else {
                throw DRError(
                    .configuration, "the \(what) wait for each other: \(Self.cycle(in: waiting))", hint: "remove one of the `after` entries"
                )
            }
            waves.append(wave)
            for name in wave { waiting[name] = nil }
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
