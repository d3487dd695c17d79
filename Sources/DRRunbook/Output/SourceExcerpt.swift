import DRModel
import Foundation

/// The line an error is about, with a caret under its first character: for people at a terminal.
struct SourceExcerpt {
    let lines: [String]

    /// Nil when the file cannot be read here or has no such line.
    init?(_ location: SourceLocation) {
        guard location.line > 0, let text = try? String(contentsOfFile: location.file, encoding: .utf8) else { return nil }
        let all = text.split(separator: "\n", maxSplits: location.line, omittingEmptySubsequences: false)
        guard all.count >= location.line else { return nil }
        let line = all[location.line - 1].prefix(200).replacing("\t", with: "    ")
        let indent = line.prefix { $0 == " " }.count
        guard indent < line.count else { return nil }
        let number = String(location.line)
        lines = [
            "  \(number) | \(line)",
            "  " + String(repeating: " ", count: number.count) + " | " + String(repeating: " ", count: indent) + "^",
        ]
    }
}
