internal import DRModel

/// Takes one key, or one item of a list, out of a document and touches no other byte.
///
/// As with `ScalarEdit`, an edit is believed only when the changed text, read again, is the same tree without exactly that node.
struct RemovalEdit {
    private let source: SourceText
    private let root: YAMLNode
    private let file: String
    private let firstLine: Int

    /// `root` was read from `text`, which begins at line `firstLine` of `file`.
    init(_ text: String, root: YAMLNode, file: String, firstLine: Int) {
        source = SourceText(text)
        self.root = root
        self.file = file
        self.firstLine = firstLine
    }

    /// The text without what stands at `path`, and its tree. Something must stand there. A map or list that would be left empty goes, too.
    func removing(_ path: [String]) throws(DRError) -> (text: String, root: YAMLNode) {
        var path = path
        while path.count > 1, let outer = root[Array(path.dropLast())], (outer.entries?.count ?? outer.items?.count) == 1 {
            path.removeLast()
        }
        for range in candidates(path) {
            let text = String(decoding: source.bytes[..<range.lowerBound] + source.bytes[range.upperBound...], as: UTF8.self)
            guard let expected = root.removing(path[...]), let read = try? YAMLNode.parse(document: text, file: file, firstLine: firstLine),
                read.hasSameContent(as: expected)
            else { continue }
            return (text, read)
        }
        throw DRError(
            .invalidInput, "\(path.joined(separator: ".")) cannot be removed without rewriting what stands around it",
            hint: "write it on lines of its own, without anchors and aliases", location: root[path]?.location ?? root.location)
    }

    private func candidates(_ path: [String]) -> [Range<Int>] {
        guard let last = path.last, let outer = path.count == 1 ? root : root[Array(path.dropLast())], !outer.isShared else { return [] }
        if let entries = outer.entries, let index = entries.firstIndex(where: { $0.key == last }) {
            let starts = entries.map { $0.value.isShared ? -1 : $0.keyOffset }
            return isFlow(outer, "{") ? flow(starts, index) : block(starts, index)
        }
        guard let items = outer.items, let index = Int(last), items.indices.contains(index) else { return [] }
        if isFlow(outer, "[") { return flow(items.map(\.offset), index) }
        return block(items.map { dash(before: $0.offset) }, index)
    }

    private func isFlow(_ node: YAMLNode, _ bracket: Unicode.Scalar) -> Bool {
        node.offset < source.bytes.count && source.bytes[node.offset] == UInt8(ascii: bracket)
    }

    private func dash(before offset: Int) -> Int {
        let start = source.lineStarts[source.line(at: offset) - 1]
        return source.bytes[start..<offset].lastIndex(of: UInt8(ascii: "-")) ?? offset
    }

    private func block(_ starts: [Int], _ index: Int) -> [Range<Int>] {
        let start = starts[index]
        guard start >= 0 else { return [] }
        let line = source.line(at: start)
        let lineStart = source.lineStarts[line - 1]
        let stands = source.bytes[lineStart..<start].allSatisfy { $0 == 0x20 }
        if index + 1 < starts.count, starts[index + 1] > start {
            let next = starts[index + 1]
            return stands ? [lineStart..<source.lineStarts[source.line(at: next) - 1], start..<next] : [start..<next]
        }
        guard stands else { return [] }
        // A list may stand no deeper than its key.
        return [true, false].map { dashesBelong in lineStart..<end(after: line, indent: start - lineStart, dashesBelong: dashesBelong) }
    }

    /// Where the first line begins that is no deeper than `indent`.
    private func end(after line: Int, indent: Int, dashesBelong: Bool) -> Int {
        for next in (line + 1)..<max(line + 1, source.lineStarts.count + 1) {
            let range = source.range(ofLine: next)
            let blanks = source.bytes[range].prefix { $0 == 0x20 }.count
            guard let first = source.bytes[range].dropFirst(blanks).first, first != 0x0A, first != 0x0D else { continue }
            if blanks > indent || blanks == indent && dashesBelong && first == UInt8(ascii: "-") { continue }
            return range.lowerBound
        }
        return source.bytes.count
    }

    private func flow(_ starts: [Int], _ index: Int) -> [Range<Int>] {
        let start = starts[index]
        guard start >= 0 else { return [] }
        if index + 1 < starts.count, starts[index + 1] > start {
            let next = starts[index + 1]
            // With one blank behind the comma, as `ScalarEdit` inserts it: any more were there before.
            let comma = source.bytes[start..<next].lastIndex(of: UInt8(ascii: ",")) ?? next - 1
            return [start..<min(next, comma + 2), start..<next]
        }
        guard let comma = source.bytes[..<start].lastIndex(of: UInt8(ascii: ",")) else { return [] }
        // Every bracket behind it may be the one that ends the map; reading again tells.
        let brackets = source.bytes[start...].indices.lazy.filter { "}]".utf8.contains(source.bytes[$0]) }
        return brackets.prefix(50).map { close in
            let blanks = source.bytes[..<close].reversed().prefix { $0 == 0x20 }.count
            return comma..<max(comma, close - blanks)
        }
    }
}

extension YAMLNode {
    /// The tree without the node at `path`; nil where none stands.
    fileprivate func removing(_ path: ArraySlice<String>) -> YAMLNode? {
        guard let key = path.first else { return nil }
        if var entries {
            guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
            let entry = entries[index]
            if path.count == 1 {
                entries.remove(at: index)
            } else {
                guard let value = entry.value.removing(path.dropFirst()) else { return nil }
                entries[index] = Entry(key: key, keyLocation: entry.keyLocation, value: value, keyOffset: entry.keyOffset)
            }
            return YAMLNode(.map(entries), location: location, offset: offset)
        }
        guard var items, let index = Int(key), items.indices.contains(index) else { return nil }
        if path.count == 1 {
            items.remove(at: index)
        } else {
            guard let item = items[index].removing(path.dropFirst()) else { return nil }
            items[index] = item
        }
        return YAMLNode(.list(items), location: location, offset: offset)
    }
}
