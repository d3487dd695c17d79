/// The unit of epoch, lock, target, order and report: some namespaces, or labelled objects in them.
public struct Application: Hashable, Sendable, Codable {
    public let name: ApplicationName
    public var namespaces: [String]
    /// All of these labels must match; empty selects every object of the namespaces.
    public var labels: [String: String]
    /// Applications that must be live before this one.
    public var after: [ApplicationName]
    /// How long its workloads may take to become ready.
    public var ready: Duration
    public var rto: Duration?
    public var rpo: Duration?

    public init(
        name: ApplicationName, namespaces: [String], labels: [String: String] = [:], after: [ApplicationName] = [],
        ready: Duration = .seconds(300), rto: Duration? = nil, rpo: Duration? = nil
    ) {
        self.name = name
        self.namespaces = namespaces
        self.labels = labels
        self.after = after
        self.ready = ready
        self.rto = rto
        self.rpo = rpo
    }

    /// Applications in waves: each wave needs only those before it. Within a wave the order is by name. Cost grows with applications x dependencies.
    ///
    /// Dependencies outside `applications` do not count: they are not part of this move. Throws `configuration` and names the cycle.
    public static func waves(_ applications: [Application]) throws(DRError) -> [[Application]] {
        var waiting = Dictionary(applications.map { ($0.name, $0) }) { first, _ in first }
        var waves: [[Application]] = []
        while !waiting.isEmpty {
            let wave = waiting.values.filter { application in !application.after.contains { waiting[$0] != nil } }
            guard !wave.isEmpty else {
                throw DRError(
                    .configuration, "the applications wait for each other: \(cycle(in: waiting))", hint: "remove one of the `after` entries"
                )
            }
            waves.append(wave.sorted { $0.name < $1.name })
            for application in wave { waiting[application.name] = nil }
        }
        return waves
    }

    private static func cycle(in waiting: [ApplicationName: Application]) -> String {
        var path: [ApplicationName] = []
        var name = waiting.keys.min()
        while let current = name, !path.contains(current) {
            path.append(current)
            name = waiting[current]?.after.filter { waiting[$0] != nil }.min()
        }
        guard let name, let start = path.firstIndex(of: name) else { return "" }
        return (path[start...] + [name]).map(\.text).joined(separator: " -> ")
    }
}
