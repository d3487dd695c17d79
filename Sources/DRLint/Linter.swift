/// Looks for mistakes in runbooks without running them, on the paths that no test took too.
///
/// It parses Lua 5.4 itself: what matters is what is done with `dr`, which no general linter knows. Its cost grows with the length of the text.
public struct Linter: Sendable {
    private let vocabulary: LintVocabulary
    private let applications: [String]
    private let modules: [String]?

    static let rules: [any LintRule.Type] = [
        UnknownVerb.self, UnknownField.self, RefusedValue.self, UnknownApplication.self, UnknownParameter.self, UnknownModule.self,
        VerbOutsideRun.self, RepeatedOutside.self, TextDuration.self, GlobalName.self, IgnoredFailure.self,
        LateUndo.self, UndoByVariable.self, LateCleanup.self, EndlessWait.self, MissingWave.self, UnusedParameter.self, UnusedLocal.self,
    ]

    /// `applications`: those of the configuration; empty when none is known. `modules`: what `require` takes; nil when nobody knows.
    public init(_ vocabulary: LintVocabulary, applications: [String] = [], modules: [String]? = nil) {
        self.vocabulary = vocabulary
        self.applications = applications
        self.modules = modules
    }

    /// In the order of their lines. A text that is no Lua has one finding, `syntax`.
    public func findings(in text: String, file: String) -> [LintFinding] {
        let chunk: LuaChunk
        do {
            chunk = try LuaParser.parse(text)
        } catch {
            return [LintFinding(rule: "syntax", severity: .error, file: file, line: error.line, message: error.message, hint: nil)]
        }
        let source = LintSource(file: file, chunk: chunk, vocabulary: vocabulary, applications: applications, modules: modules)
        let allowed = Self.allowances(chunk.comments)
        return Self.rules.flatMap { $0.init().check(source) }
            .filter { allowed[$0.line]?.contains($0.rule) != true }
            .sorted { ($0.line, $0.rule) < ($1.line, $1.rule) }
    }

    /// Every rule: its id, its severity, and what it looks for.
    public static var reference: [(id: String, severity: LintFinding.Severity, summary: String)] {
        rules.map { ($0.id, $0.severity, $0.summary) }
    }

    // `-- lint: allow late-undo, global: the reason`, at the end of a line for it, alone for the next.
    private static func allowances(_ comments: [LuaLexer.Comment]) -> [Int: Set<String>] {
        var allowed: [Int: Set<String>] = [:]
        for comment in comments {
            guard let match = comment.text.wholeMatch(of: #/\s*lint:\s*allow\s+([a-z, -]+?)\s*(?::.*)?/#) else { continue }
            let ids = match.1.split { $0 == "," || $0 == " " }.map(String.init)
            allowed[comment.isAlone ? comment.line + 1 : comment.line, default: []].formUnion(ids)
        }
        return allowed
    }
}
