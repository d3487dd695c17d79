/// What a runbook may reach outside the clusters, as far as dr.yaml allows it.
public protocol Outside: Sendable {
    /// Runs a program without a shell. Throws `not-allowed`, `timeout`, `outside-failed`.
    func execute(_ order: ExecutionOrder) async throws -> Execution
}

public struct ExecutionOrder: Sendable, Codable {
    public let argv: [String]
    public let environment: [String: String]
    public let input: String?
    public let timeout: Duration

    public init(argv: [String], environment: [String: String] = [:], input: String? = nil, timeout: Duration = .seconds(60)) {
        self.argv = argv
        self.environment = environment
        self.input = input
        self.timeout = timeout
    }
}

public struct Execution: Sendable, Codable {
    public let code: Int32
    public let stdout: String
    public let stderr: String

    public init(code: Int32, stdout: String, stderr: String) {
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
    }
}
