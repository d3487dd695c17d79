/// One thing that is wrong with a runbook, or looks so.
public struct LintFinding: Sendable, Equatable {
    public enum Severity: String, Sendable {
        /// It will raise, or does not do what it says.
        case error
        /// It may be meant so; `-- lint: allow RULE` at the end of its line, or alone on the line before, says that it is.
        case warning
    }

    public let rule: String
    public let severity: Severity
    public let file: String
    public let line: Int
    public let message: String
    /// What to do instead.
    public let hint: String?
}
