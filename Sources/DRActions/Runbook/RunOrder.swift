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
    /// SHA-256 of the plan it is started from.
    public let plan: String?

    public init(sources: RunbookSources, parameters: Value = [:], who: String, configuration: String = "", plan: String? = nil) {
        self.plan = plan
        self.sources = sources
        self.parameters = parameters
        self.who = who
        self.configuration = configuration
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
