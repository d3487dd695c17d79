/// Rows under headings, at most 100 columns wide: what does not fit is continued on the next line of its cell, nothing is cut off.
struct Table {
    static let widest = 100
    private static let gap = 2

    let headings: [String]
    private var rows: [[String]] = []

    init(_ headings: String...) { self.headings = headings }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ cells: String...) { rows.append(cells) }

    func lines(_ style: Style = Style(isTerminal: false, hasColor: false)) -> [String] {
        let widths = widths
        let heading = layOut(headings, widths).map { style.bold($0) }
        return heading + rows.flatMap { layOut($0, widths) }
    }

    // The widest columns give way first.
    private var widths: [Int] {
        var widths = headings.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
        let available = Self.widest - Self.gap * (widths.count - 1)
        while widths.reduce(0, +) > available, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
            widths[widest] -= 1
        }
        return widths
    }

    private func layOut(_ cells: [String], _ widths: [Int]) -> [String] {
        let wrapped = zip(cells, widths).map { Self.wrap($0, width: $1) }
        return (0..<(wrapped.map(\.count).max() ?? 0)).map { line in
            let parts = wrapped.indices.map { column in
                let part = line < wrapped[column].count ? wrapped[column][line] : ""
                return part + String(repeating: " ", count: max(0, widths[column] - part.count))
            }
            return Self.trimmed(parts.joined(separator: String(repeating: " ", count: Self.gap)))
        }
    }

    /// At spaces where there are any, else in the middle of a word.
    static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, line.count + 1 + word.count <= width {
                line += " " + word
                continue
            }
            if !line.isEmpty { lines.append(line) }
            var rest = word
            while rest.count > width, width > 0 {
                lines.append(String(rest.prefix(width)))
                rest = rest.dropFirst(width)
            }
            line = String(rest)
        }
        lines.append(line)
        return lines
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
