/// One thing to look for. A rule sees one file; it says nothing of what it cannot be sure to see.
protocol LintRule: Sendable {
    static var id: String { get }
    static var severity: LintFinding.Severity { get }
    /// What is wrong and why it matters, for the reference.
    static var summary: String { get }
    init()
    func check(_ source: LintSource) -> [LintFinding]
}
