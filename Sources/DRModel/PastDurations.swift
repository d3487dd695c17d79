/// What actions took in past runs: the basis of what a plan says of time.
///
/// An action is known by its verb and what it was done to: `start` of `ledger` says nothing of `start` of `portal`. What only asks is known by its verb alone.
public struct PastDurations: Sendable {
    private struct Key: Hashable {
        let verb: String
        let subjects: [String]
    }

    private var known: [Key: [Duration]] = [:]
    /// How many runs it was learned from.
    public private(set) var runs = 0

    /// Of each action the newest so many count.
    public static let kept = 5

    /// Why nothing could be learned, for a person.
    public let problem: String?

    public init(problem: String? = nil) { self.problem = problem }

    public mutating func learnedFromRun() { runs += 1 }

    /// Oldest first.
    public mutating func note(_ verb: String, _ input: Value, took duration: Duration) {
        let key = Key(verb: verb, subjects: Self.subjects(verb, input))
        known[key, default: []].append(duration)
        if known[key, default: []].count > Self.kept { known[key]?.removeFirst() }
    }

    /// The median of the last times; nil when it was never seen.
    public func expected(_ verb: String, _ input: Value) -> Duration? {
        if verb == "sleep", case .duration(let duration) = input["duration"] { return duration }
        guard let times = known[Key(verb: verb, subjects: Self.subjects(verb, input))]?.sorted() else { return nil }
        return times.isEmpty ? nil : times[times.count / 2]
    }

    private static func subjects(_ verb: String, _ input: Value) -> [String] {
        let direction = (input["reversed"].bool ?? false) ? ["reversed"] : []
        switch verb {
        case "stop", "start", "restart", "start_clone": return [input["application"].string ?? ""] + direction
        case "migrate", "open_drill":
            let names = input["applications"].list?.compactMap(\.string).sorted() ?? []
            // A last sync copies what is stopped: another matter than a copy beside the running application.
            return names + ((input["final"].bool ?? false) ? ["final"] : []) + direction
        case "exec": return [input["argv"].list?.first?.string ?? ""]
        case "http": return [input["method"].string ?? "", input["url"].string ?? ""]
        case "notify": return [input["to"].string ?? ""]
        case "wait_ready": return ["cluster", "kind", "namespace", "name"].map { input[$0].string ?? "" }
        default: return []
        }
    }
}

/// What a plan says of time, and how sure it is.
public struct PlannedTime: Sendable, Hashable, Codable {
    public struct Step: Sendable, Hashable, Codable {
        /// `start ledger`.
        public let action: String
        public let duration: Duration

        public init(action: String, duration: Duration) {
            self.action = action
            self.duration = duration
        }
    }

    /// The chain of actions that the last application waits for, from the first disruption on. Gates and windows take no time in it.
    public let criticalPath: [Step]
    /// Actions on the way that no past run has shown; with one of them the time until an application is ready is not known.
    public let unknown: [String]
    /// How many past runs it was learned from.
    public let runs: Int

    public init(criticalPath: [Step], unknown: [String], runs: Int) {
        self.criticalPath = criticalPath
        self.unknown = unknown
        self.runs = runs
    }
}
