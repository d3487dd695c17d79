/// What a runbook may reach outside the clusters, as far as dr.yaml allows it: programs, web services, people.
///
/// Nothing here knows of keys that repeat a call: each is performed at most once by whoever asks, and a caller that lost the answer has to ask a person.
/// Every operation records its effect in `call.effects` before it is begun, so that a call whose answer is lost is not forgotten.
/// Errors of all: `not-allowed` (nothing was done), `timeout`, `outside-failed` (known to have failed), `unknown-outcome` (it may have happened).
public protocol Outside: Sendable {
    /// Runs a program without a shell.
    func execute(_ order: ExecutionOrder, _ call: OutsideCall) async throws -> Execution
    /// Asks a web service.
    func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer
    /// Tells people, through a webhook of dr.yaml.
    func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport
    /// Says that a secret may be used and is there, and by which mark the record knows it; never what it is.
    func fingerprint(of secret: SecretName) throws -> String?
}

/// The surroundings of one call outside.
public struct OutsideCall: Sendable {
    public let key: OperationKey
    public let run: RunID
    public let runningAs: RunningAs
    public let effects: EffectLog
    /// The run has changed something of a cluster before this call.
    public let hasChanged: Bool

    public init(key: OperationKey, run: RunID, runningAs: RunningAs = .live, effects: EffectLog, hasChanged: Bool = false) {
        self.key = key
        self.run = run
        self.runningAs = runningAs
        self.effects = effects
        self.hasChanged = hasChanged
    }
}

/// What is being run (or planned, or tested).
public enum RunningAs: String, Sendable, Codable, CaseIterable { case live, drill }

/// The name of a variable in the host's environment, as dr.yaml allows it.
public struct SecretName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// Throws `invalid-input`.
    public init(_ text: String) throws(DRError) {
        let isValid =
            !text.isEmpty && text.utf8.count <= 128 && text.first?.isNumber == false
            && text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 }
        guard isValid else {
            throw DRError(
                .invalidInput, "\"\(text)\" is not the name of a secret", hint: "names are those of environment variables: PAGER_TOKEN")
        }
        self.text = text
    }

    public var description: String { text }
    public static func < (a: SecretName, b: SecretName) -> Bool { a.text < b.text }
}

extension SecretName: Codable {
    public init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// Text of a call: as it stands, or a secret by name, whose value only the port knows.
public enum OutsideText: Hashable, Sendable, Codable {
    case plain(String)
    case secret(SecretName)
}

/// What a call answers where it is not performed: in plans, and in drills that leave it out.
public struct StandIn: Hashable, Sendable, Codable {
    /// In plans; nil = an invented answer, marked as such.
    public var inPlan: Value?
    public var inDrill: DrillAnswer

    public init(inPlan: Value? = nil, inDrill: DrillAnswer = .unsaid) {
        self.inPlan = inPlan
        self.inDrill = inDrill
    }
}

public enum DrillAnswer: Hashable, Sendable, Codable {
    /// What only asks is performed, all else is left out.
    case unsaid
    case skip, run
    case answer(Value)
}

/// Whether an answer is one of the world's.
public enum AnswerOrigin: String, Hashable, Sendable, Codable {
    case performed
    /// Given by the runbook's `in_plan` or `in_drill`, or invented.
    case predicted, skipped
}

public struct ExecutionOrder: Sendable, Codable, Hashable {
    /// The program by its name or path in dr.yaml, then its arguments.
    public let argv: [String]
    public var environment: [String: OutsideText]
    public var input: OutsideText?
    public var timeout: Duration
    public var standIn: StandIn

    public init(
        argv: [String], environment: [String: OutsideText] = [:], input: OutsideText? = nil, timeout: Duration = .seconds(60),
        standIn: StandIn = StandIn()
    ) {
        self.argv = argv
        self.environment = environment
        self.input = input
        self.timeout = timeout
        self.standIn = standIn
    }
}

public struct Execution: Sendable, Codable, Hashable {
    /// The exit status; 128 + the signal that ended it.
    public let code: Int32
    public let stdout: String
    public let stderr: String
    /// More was written than is kept.
    public let cut: Bool
    public let origin: AnswerOrigin

    public init(code: Int32, stdout: String, stderr: String, cut: Bool = false, origin: AnswerOrigin = .performed) {
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        self.cut = cut
        self.origin = origin
    }
}

public struct WebOrder: Sendable, Codable, Hashable {
    public let method: String
    public let url: String
    public var headers: [String: OutsideText]
    public var body: String?
    public var timeout: Duration
    /// The status an invented answer has.
    public var expectedStatus: Int
    public var standIn: StandIn

    public init(
        method: String = "GET", url: String, headers: [String: OutsideText] = [:], body: String? = nil, timeout: Duration = .seconds(30),
        expectedStatus: Int = 200, standIn: StandIn = StandIn()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.expectedStatus = expectedStatus
        self.standIn = standIn
    }

    /// GET and HEAD only ask: they may be repeated, and run in drills.
    public var onlyAsks: Bool { method == "GET" || method == "HEAD" }
}

public struct WebAnswer: Sendable, Codable, Hashable {
    public let status: Int
    /// Names in lower case; what stands several times is joined with ", ".
    public let headers: [String: String]
    public let body: String
    public let cut: Bool
    public let origin: AnswerOrigin

    public init(status: Int, headers: [String: String] = [:], body: String = "", cut: Bool = false, origin: AnswerOrigin = .performed) {
        self.status = status
        self.headers = headers
        self.body = body
        self.cut = cut
        self.origin = origin
    }
}

public struct NotificationOrder: Sendable, Codable, Hashable {
    /// A name under `notify:` in dr.yaml.
    public let channel: String
    public let text: String
    /// More facts for the receiving program.
    public var details: Value?
    /// Instead of the one that dr.yaml names.
    public var token: SecretName?
    /// Also when the run has changed nothing and the channel was told the same last time.
    public var always: Bool
    public var standIn: StandIn

    public init(
        channel: String, text: String, details: Value? = nil, token: SecretName? = nil, always: Bool = false,
        standIn: StandIn = StandIn()
    ) {
        self.token = token
        self.channel = channel
        self.text = text
        self.details = details
        self.always = always
        self.standIn = standIn
    }
}

public struct NotificationReport: Sendable, Codable, Hashable {
    public let sent: Bool
    /// Why it was not sent.
    public let reason: String?
    public let origin: AnswerOrigin

    public init(sent: Bool, reason: String? = nil, origin: AnswerOrigin = .performed) {
        self.sent = sent
        self.reason = reason
        self.origin = origin
    }
}

/// A host that reaches nothing outside.
public struct NoOutside: Outside {
    public init() {}

    public func execute(_ order: ExecutionOrder, _ call: OutsideCall) async throws -> Execution { throw nothing }
    public func request(_ order: WebOrder, _ call: OutsideCall) async throws -> WebAnswer { throw nothing }
    public func notify(_ order: NotificationOrder, _ call: OutsideCall) async throws -> NotificationReport { throw nothing }
    public func fingerprint(of secret: SecretName) throws -> String? { throw nothing }

    private var nothing: DRError { DRError(.notAllowed, "nothing outside the clusters may be reached here") }
}
