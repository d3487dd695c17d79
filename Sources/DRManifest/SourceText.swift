/// A text by bytes and lines, with lines counted as the YAML reader counts them, so that its places can be found again.
struct SourceText {
    let bytes: [UInt8]
    /// The byte at which each line begins; the first line is at index 0.
    let lineStarts: [Int]

    init(_ text: String) { self.init(bytes: Array(text.utf8)) }

    init(bytes: [UInt8]) {
        self.bytes = bytes
        var starts = [0]
        var index = 0
        while index < bytes.count {
            let width = Self.breakWidth(bytes, at: index)
            index += max(1, width)
            if width > 0 { starts.append(index) }
        }
        lineStarts = starts
    }

    /// The bytes of the line break at `index`; 0 where none stands. YAML 1.1 knows five of them.
    static func breakWidth(_ bytes: [UInt8], at index: Int) -> Int {
        switch bytes[index] {
        case 0x0A: return 1
        case 0x0D: return index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1
        case 0xC2: return index + 1 < bytes.count && bytes[index + 1] == 0x85 ? 2 : 0
        case 0xE2:
            guard index + 2 < bytes.count, bytes[index + 1] == 0x80 else { return 0 }
            return bytes[index + 2] == 0xA8 || bytes[index + 2] == 0xA9 ? 3 : 0
        default: return 0
        }
    }

    /// The byte at a line and column (both from 1, columns in Unicode scalars); clamped to the text.
    func offset(line: Int, column: Int) -> Int {
        guard line >= 1 else { return 0 }
        guard line <= lineStarts.count else { return bytes.count }
        var offset = lineStarts[line - 1]
        for _ in 1..<max(1, column) where offset < bytes.count {
            offset += 1
            while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
        }
        return min(offset, bytes.count)
    }

    /// The line (from 1) that holds the byte at `offset`.
    func line(at offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }

    /// From the start of line `line` (from 1) to the start of the next.
    func range(ofLine line: Int) -> Range<Int> {
        lineStarts[line - 1]..<(line < lineStarts.count ? lineStarts[line] : bytes.count)
    }

    /// The line break the text's author uses.
    var lineBreak: String {
        guard let first = bytes.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) else { return "\n" }
        return bytes[first] == 0x0D && first + 1 < bytes.count && bytes[first + 1] == 0x0A ? "\r\n" : "\n"
    }
}

/// One document of a text: the line that separates it from the one before, and its own bytes.
struct DocumentSlice: Equatable {
    /// The `---` line (or a `...` line, directives, a byte order mark) before it; empty where nothing separates.
    var separator: Range<Int>
    var content: Range<Int>
}

extension SourceText {
    /// The documents in their order, covering every byte. A slice that holds only white space and comments is no document, but its bytes are kept here.
    ///
    /// `---` and `...` at the start of a line end a document whatever stands before them, even inside a block scalar; so lines alone decide.
    var documents: [DocumentSlice] {
        var slices: [DocumentSlice] = []
        let mark = Array("\u{FEFF}".utf8)
        let first = bytes.starts(with: mark) ? mark.count : 0
        var current = DocumentSlice(separator: 0..<first, content: first..<first)
        for line in 1...lineStarts.count {
            let range = range(ofLine: line)
            let start = max(range.lowerBound, first)
            guard start < range.upperBound else { continue }
            switch marker(at: start, endingAt: range.upperBound) {
            case .none:
                current.content = current.content.lowerBound..<range.upperBound
            case .start(let bare):
                slices.append(current)
                let content = bare ? range.upperBound : start
                current = DocumentSlice(separator: start..<content, content: content..<range.upperBound)
            case .end:
                slices.append(current)
                current = DocumentSlice(separator: start..<range.upperBound, content: range.upperBound..<range.upperBound)
            }
        }
        slices.append(current)
        if let first = slices.first, first.separator.isEmpty, first.content.isEmpty, slices.count > 1 { slices.removeFirst() }
        return slices
    }

    private enum Marker {
        case none
        /// `---`; bare when nothing but white space or a comment follows on its line.
        case start(bare: Bool)
        case end
    }

    private func marker(at start: Int, endingAt end: Int) -> Marker {
        guard start + 3 <= end else { return .none }
        let head = bytes[start..<start + 3]
        let isStart = head.elementsEqual("---".utf8)
        guard isStart || head.elementsEqual("...".utf8) else { return .none }
        let blank: [UInt8] = [0x20, 0x09]
        let next = start + 3
        guard next == end || blank.contains(bytes[next]) || Self.breakWidth(bytes, at: next) > 0 else { return .none }
        guard isStart else { return .end }
        let rest = bytes[next..<end].first { !blank.contains($0) && $0 != 0x0A && $0 != 0x0D }
        return .start(bare: rest == nil || rest == UInt8(ascii: "#"))
    }
}
