import DRHost
import DRModel
import DRSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a command's lines go, and how they look: JSON lines for programs, text for people.
struct Output: Sendable {
    let verbose: Bool
    /// Nil: text for people.
    let lines: JSONLines?
    let style: Style
    /// Errors are read by a person: the line they are about is shown with them.
    private let showsSource: Bool

    init(json: Bool, noColor: Bool, verbose: Bool) {
        self.verbose = verbose
        lines = json ? JSONLines() : nil
        showsSource = isatty(STDERR_FILENO) == 1 && !json
        let isTerminal = isatty(STDOUT_FILENO) == 1 && !json
        style = Style(
            isTerminal: isTerminal,
            hasColor: isTerminal && !noColor && Self.environment("NO_COLOR") == nil && Self.environment("TERM") != "dumb")
    }

    /// A line for people on standard output; nothing under `--json`.
    func say(_ text: String = "") { if lines == nil { Self.standard(text) } }

    /// Lines that are told together.
    func say(_ text: [String]) { if lines == nil { Self.standard(text) } }

    /// A line beside the result: prompts, warnings, next commands.
    func note(_ text: String) { Self.error(text) }

    /// Something a person should know that is no error; under `--json` a `warning` line too.
    func warning(_ text: String) {
        Self.error("\(style.warning("warning:")) \(text)")
        lines?.write("warning", [("message", .string(text))])
    }

    func table(_ table: Table) { if lines == nil { Self.standard(table.lines(style)) } }

    /// One object of a list, under `--json`.
    func object(_ type: String, _ members: [(String, Value)]) { lines?.write(type, members) }

    /// The errors of a command that had no report.
    func failure(_ error: any Error) {
        let known = (error as? PartlyApplied)?.problem ?? error as? DRError
        let problems = (error as? ConfigurationError)?.problems ?? [known ?? DRError(.internal, "\(error)")]
        for problem in problems {
            self.problem(problem)
            lines?.write("error", JSONLines.members(problem))
        }
        if problems.count > 1 { Self.error("\(problems.count) errors; nothing was changed") }
    }

    /// An error, and where a person reads it the line it is about.
    func problem(_ problem: DRError) {
        Self.error("\(style.error("error:")) \(problem)")
        guard showsSource, let excerpt = problem.location.flatMap(SourceExcerpt.init) else { return }
        for line in excerpt.lines { Self.error(style.faint(line)) }
    }

    /// Lines that are told together.
    static func standard(_ lines: [String]) {
        if !lines.isEmpty { write(lines.map { Style.visible($0) + "\n" }.joined(), to: STDOUT_FILENO) }
    }
    static func standard(_ text: String) { write(Style.visible(text) + "\n", to: STDOUT_FILENO) }
    static func error(_ text: String) { write(Style.visible(text) + "\n", to: STDERR_FILENO) }

    /// Whole lines, unbuffered: what was told is told, also when the process is killed next.
    static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return }
            sent += max(0, count)
        }
    }

    static func environment(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        unsafe Glibc.write(descriptor, bytes, count)
    #elseif canImport(Darwin)
        unsafe Darwin.write(descriptor, bytes, count)
    #endif
}

/// Colors and cursor movement, where there is a terminal that knows them.
struct Style: Sendable {
    let isTerminal: Bool
    let hasColor: Bool

    func good(_ text: String) -> String { colored(text, "32") }
    func bad(_ text: String) -> String { colored(text, "31;1") }
    func warning(_ text: String) -> String { colored(text, "33") }
    func faint(_ text: String) -> String { colored(text, "2") }
    func bold(_ text: String) -> String { colored(text, "1") }
    func error(_ text: String) -> String { colored(text, "31;1") }

    /// Nothing that somebody wrote into a runbook, a comment or a reason is obeyed by the terminal; our own colors are.
    static func visible(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
        return text.split(separator: "\u{1B}[", omittingEmptySubsequences: false).enumerated().map { index, part in
            let code = part.prefix { $0 != "m" }
            let isColor = index > 0 && code.endIndex < part.endIndex && (code == "0" || codes.contains(String(code)))
            return (index == 0 ? "" : isColor ? "\u{1B}[" : "\u{1B}[".visible) + String(part).visible
        }.joined()
    }

    private static let codes: Set<String> = ["1", "2", "32", "33", "31;1"]

    private func colored(_ text: String, _ code: String) -> String { hasColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
