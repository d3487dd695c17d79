/// What went wrong, for the person who has to act: a code from a closed list, what and where, what was expected, and what to do next.
public struct DRError: Error, Hashable, Sendable, Codable {
    public let code: ErrorCode
    public let message: String
    /// What a person can do about it.
    public var hint: String?
    /// Where in a file of the user's, if anywhere.
    public var location: SourceLocation?
    /// The verb it happened in; filled in by the runner.
    public var verb: String?
    /// More facts for programs (for example the list of checks).
    public var details: Value?

    public init(
        _ code: ErrorCode, _ message: String, hint: String? = nil, location: SourceLocation? = nil, verb: String? = nil,
        details: Value? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.location = location
        self.verb = verb
        self.details = details
    }

    /// May the same call succeed later with nothing changed by a person?
    public var retryable: Bool { code.retryable }

    public func at(_ location: SourceLocation?) -> DRError {
        var copy = self
        copy.location = copy.location ?? location
        return copy
    }

    public func inVerb(_ verb: String) -> DRError {
        var copy = self
        copy.verb = copy.verb ?? verb
        return copy
    }
}

extension DRError: CustomStringConvertible {
    /// `file:line: message (hint)`: safe to show, holds no secret.
    public var description: String {
        var text = location.map { "\($0): " } ?? ""
        if let verb { text += "\(verb): " }
        text += message
        if let hint { text += "\n  hint: \(hint)" }
        return text
    }
}

/// The closed list of error codes, as runbooks see them in `err.code`.
public enum ErrorCode: String, Codable, Sendable, CaseIterable {
    // Found before the first effect.
    case invalidInput = "invalid-input"
    case configuration
    case unknownName = "unknown-name"
    case notFound = "not-found"
    case runbook
    // Refused.
    case fenced
    case locked
    case conflict
    case foreignObject = "foreign-object"
    case checksFailed = "checks-failed"
    case dataLoss = "data-loss"
    case notAllowed = "not-allowed"
    case rejected
    case gateTimeout = "gate-timeout"
    // The world.
    case sourceUnreachable = "source-unreachable"
    case clusterUnreachable = "cluster-unreachable"
    case storeUnreachable = "store-unreachable"
    case timeout
    case io
    case noSpace = "no-space"
    case damaged
    case keyMissing = "key-missing"
    case volumeMissing = "volume-missing"
    case volumeUnsupported = "volume-unsupported"
    case noRecoveryPoint = "no-recovery-point"
    case workloadFailed = "workload-failed"
    case outsideFailed = "outside-failed"
    // The run.
    case itemsFailed = "items-failed"
    case failed
    case limitExceeded = "limit-exceeded"
    case stopped
    case waiting
    case unknownOutcome = "unknown-outcome"
    case replayMismatch = "replay-mismatch"
    case journalDamaged = "journal-damaged"
    case script
    case `internal`

    /// A person's mistake in a runbook or configuration, which no other state of the world would mend.
    public var isMistake: Bool {
        switch self {
        case .invalidInput, .configuration, .unknownName, .runbook: true
        default: false
        }
    }

    public var retryable: Bool {
        switch self {
        case .sourceUnreachable, .clusterUnreachable, .storeUnreachable, .timeout, .io, .locked: true
        default: false
        }
    }
}

/// A place in a file of the user's. Lines and columns count from 1; line 0 is the file as a whole.
public struct SourceLocation: Hashable, Sendable, Codable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let column: Int?

    public init(file: String, line: Int, column: Int? = nil) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { line == 0 ? file : "\(file):\(line)" }
}
