public import DRModel

/// What a run is started with.
public struct RunOrder: Sendable {
    public let sources: RunbookSources
    /// As given: checked against what the runbook declares.
    public let parameters: Value
    /// Who starts it.
    public let who: String
    /// SHA-256 of the configuration.
    public let configuration: String
    /// SHA-256 of what it may reach outside.
    public let allow: String?
    /// SHA-256 of the plan it is started from.
    public let plan: String?
    /// How much older its data may be when it goes live than that plan says.
    public let aging: DataAging?

    public init(
        sources: RunbookSources, parameters: Value = [:], who: String, configuration: String = "", allow: String? = nil,
        plan: String? = nil,
        aging: DataAging? = nil
    ) {
        self.allow = allow
        self.plan = plan
        self.aging = aging
        self.sources = sources
        self.parameters = parameters
        self.who = who
        self.configuration = configuration
    }
}

/// What whoever takes a run up gives it that it was not started with, until it ends or is put down.
public struct MoreTime: Sendable, Hashable {
    /// How much longer than it says each deadline is.
    public var deadlines: Duration
    /// How much older than in the plan the data may be that goes live, where the plan's own word is less.
    public var aging: Duration

    public init(deadlines: Duration = .zero, aging: Duration = .zero) {
        self.deadlines = deadlines
        self.aging = aging
    }

    /// What the record says of it.
    var payload: [String: Value] {
        var words: [String: Value] = [:]
        if deadlines > .zero { words["extended"] = .duration(deadlines) }
        if aging > .zero { words["aging"] = .duration(aging) }
        return words
    }
}

/// What one run may use.
public struct RunLimits: Sendable, Hashable {
    /// Bytes of the script's memory.
    public var memory: ByteCount
    /// Computing between two host calls.
    public var computing: Duration
    /// Bytes of log and print.
    public var output: ByteCount
    public var records: Int
    /// Branches of one `parallel`.
    public var branches: Int
    /// From the start of a run, or from where it was taken up: then it is put down as it is.
    public var deadline: Duration

    public init(
        memory: ByteCount = ByteCount(64 << 20), computing: Duration = .seconds(10), output: ByteCount = ByteCount(10 << 20),
        records: Int = 100_000, branches: Int = 1000, deadline: Duration = .seconds(8 * 3600)
    ) {
        self.deadline = deadline
        self.memory = memory
        self.computing = computing
        self.output = output
        self.records = records
        self.branches = branches
    }
}
