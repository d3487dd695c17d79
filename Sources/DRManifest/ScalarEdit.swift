internal import DRModel

/// Changes one scalar of a document and no other byte.
///
/// An edit is found by looking at the bytes around the node, and is believed only when the changed text, read again, is the same tree with exactly that
/// scalar changed. So a style nobody has thought of ends in an error, never in a damaged manifest.
struct ScalarEdit {
    private let source: SourceText
    private let root: YAMLNode
    private let file: String
    private let firstLine: Int
    private let origin: (text: String, root: YAMLNode)?
    private static let blank: Set<UInt8> = [0x20, 0x09]

    /// `root` was read from `text`, which begins at line `firstLine` of `file`. `origin`: another text that is known, with what was read from it.
    init(_ text: String, root: YAMLNode, file: String, firstLine: Int, origin: (text: String, root: YAMLNode)? = nil) {
        self.origin = origin
        source = SourceText(text)
        self.root = root
        self.file = file
        self.firstLine = firstLine
    }

    private struct Candidate {
        let range: Range<Int>
        let bytes: [UInt8]
        let isQuoted: Bool

        init(_ range: Range<Int>, _ text: String, isQuoted: Bool = false) {
            self.range = range
            bytes = Array(text.utf8)
            self.isQuoted = isQuoted
        }
    }

    /// The text with the scalar at `path` set to `value`, in the style it has, and its tree; a missing key is inserted in the style of its neighbours.
    func setting(_ path: [String], to value: String) throws(DRError) -> (text: String, root: YAMLNode) {
        if let changed = digits(path, value) { return changed }
        for candidate in try candidates(path, value) {
            let changed = Array(source.bytes[..<candidate.range.lowerBound]) + candidate.bytes + source.bytes[candidate.range.upperBound...]
            let text = String(decoding: changed, as: UTF8.self)
            let scalar = YAMLNode.Content.scalar(value, isQuoted: candidate.isQuoted)
            guard let expected = root.setting(path[...], to: scalar),
                let read = reading(text), read.hasSameContent(as: expected)
            else { continue }
            return (text, read)
        }
        throw DRError(
            .invalidInput, "\(path.joined(separator: ".")) cannot be changed without rewriting what stands around it",
            hint: "write it as `\(path.last ?? ""): \(value)` on a line of its own, without anchors and aliases",
            location: root[path]?.location ?? root.location)
    }

    /// Digits in the place of as many digits, the commonest change there is: whatever the style, no other node can change or move, and the tree is known without reading
    /// it again. Anchors apart, by which the same digits may stand elsewhere.
    private func digits(_ path: [String], _ value: String) -> (text: String, root: YAMLNode)? {
        func areDigits(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard let node = root[path], case .scalar(let old, false) = node.content, areDigits(old), areDigits(value),
            old.utf8.count == value.utf8.count, source.bytes.dropFirst(node.offset).starts(with: old.utf8),
            !source.bytes.contains(UInt8(ascii: "&"))
        else { return nil }
        var bytes = source.bytes
        bytes.replaceSubrange(node.offset..<node.offset + old.utf8.count, with: value.utf8)
        guard let root = root.replacing(path[...], by: .scalar(value, isQuoted: false)) else { return nil }
        return (String(decoding: bytes, as: UTF8.self), root)
    }

    private func reading(_ text: String) -> YAMLNode? {
        if let origin, origin.text == text { return origin.root }
        return try? YAMLNode.parse(document: text, file: file, firstLine: firstLine)
    }

    private func candidates(_ path: [String], _ value: String) throws(DRError) -> [Candidate] {
        var node = root
        var parent: YAMLNode.Entry?
        for (index, key) in path.enumerated() {
            if node.isNull { return insideNothing(node, Array(path[index...]), value) }
            if let items = node.items {
                guard let place = Int(key), items.indices.contains(place) else {
                    throw DRError(
                        .invalidInput, "\(path[...index].joined(separator: ".")): the list has \(items.count) items",
                        location: node.location)
                }
                parent = nil
                node = items[place]
                continue
            }
            guard let entries = node.entries else {
                let place = path[..<index].joined(separator: ".")
                throw DRError(.invalidInput, "\(place): expected a map, found \(node.kind)", location: node.location)
            }
            guard let entry = entries.first(where: { $0.key == key }) else {
                return node.isShared ? [] : insertions(into: node, below: parent, Array(path[index...]), value)
            }
            parent = entry
            node = entry.value
        }
        guard !node.isShared else { return [] }
        guard let old = node.scalar else {
            throw DRError(
                .invalidInput, "\(path.joined(separator: ".")): expected a single value, found \(node.kind)", location: node.location)
        }
        return replacement(of: node, old, by: value).map { [$0] } ?? []
    }

    // MARK: A scalar that is there

    private func replacement(of node: YAMLNode, _ old: String, by value: String) -> Candidate? {
        let bytes = source.bytes
        let start = afterProperties(node.offset)
        guard start < bytes.count else { return Candidate(start..<start, " " + Self.plain(value), isQuoted: !Self.isPlain(value)) }
        switch bytes[start] {
        case UInt8(ascii: "\""):
            var end = start + 1
            while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
            guard end < bytes.count else { return nil }
            return Candidate(start..<end + 1, Self.doubleQuoted(value), isQuoted: true)
        case UInt8(ascii: "'"):
            var end = start + 1
            while end < bytes.count {
                guard bytes[end] == UInt8(ascii: "'") else {
                    end += 1
                    continue
                }
                guard end + 1 < bytes.count, bytes[end + 1] == UInt8(ascii: "'") else { break }
                end += 2
            }
            guard end < bytes.count else { return nil }
            let fits = !value.utf8.contains { $0 < 0x20 }
            return Candidate(
                start..<end + 1,
                fits
                    ? "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
                    : Self.doubleQuoted(value), isQuoted: true)
        default:
            // Plain text over several lines reads differently from its bytes; that is left to a person.
            guard bytes[start...].starts(with: old.utf8) else { return nil }
            let lead = old.isEmpty && start > 0 && !Self.blank.contains(bytes[start - 1]) ? " " : ""
            return Candidate(start..<start + old.utf8.count, lead + Self.plain(value), isQuoted: !Self.isPlain(value) || node.isQuoted)
        }
    }

    /// Past `&anchor` and `!tag`.
    private func afterProperties(_ start: Int) -> Int {
        var index = start
        while index < source.bytes.count, source.bytes[index] == UInt8(ascii: "&") || source.bytes[index] == UInt8(ascii: "!") {
            while index < source.bytes.count, !Self.blank.contains(source.bytes[index]), SourceText.breakWidth(source.bytes, at: index) == 0
            {
                index += 1
            }
            while index < source.bytes.count, Self.blank.contains(source.bytes[index]) { index += 1 }
        }
        return index
    }

    // MARK: A key that is missing

    private func insertions(into map: YAMLNode, below parent: YAMLNode.Entry?, _ path: [String], _ value: String) -> [Candidate] {
        let bytes = source.bytes
        let isQuoted = !Self.isPlain(value)
        let open = afterProperties(map.offset)
        if open < bytes.count, bytes[open] == UInt8(ascii: "{") {
            let quotesKeys = map.entries?.first.map { bytes[$0.keyOffset] == UInt8(ascii: "\"") } ?? (bytes.first == UInt8(ascii: "{"))
            let member = Self.flow(path, value, quotesKeys: quotesKeys)
            return [Candidate(open + 1..<open + 1, member + (map.entries?.isEmpty == false ? ", " : ""), isQuoted: isQuoted)]
        }
        guard let first = map.entries?.first(where: { !$0.value.isShared }) else { return [] }
        let eol = source.lineBreak
        let indent = indentation(at: first.keyOffset)
        let lines = Self.block(path, value, step: step, indent: indent, eol: eol)
        var candidates: [Candidate] = []
        if let parent {
            let line = source.line(at: parent.keyOffset)
            let below = source.range(ofLine: line).upperBound
            if line < source.line(at: first.keyOffset) {
                candidates.append(Candidate(below..<below, indent + lines + eol, isQuoted: isQuoted))
            }
        } else {
            let end = bytes.count
            let ended = end == 0 || bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D
            candidates.append(Candidate(end..<end, ended ? indent + lines + eol : eol + indent + lines, isQuoted: isQuoted))
        }
        candidates.append(Candidate(first.keyOffset..<first.keyOffset, lines + eol + indent, isQuoted: isQuoted))
        return candidates
    }

    /// `spec:` with nothing, or `null`, behind it becomes a map.
    private func insideNothing(_ node: YAMLNode, _ path: [String], _ value: String) -> [Candidate] {
        guard !node.isShared, let text = node.scalar else { return [] }
        let start = afterProperties(node.offset)
        let range = start..<min(source.bytes.count, start + text.utf8.count)
        let isQuoted = !Self.isPlain(value)
        let line = source.line(at: max(0, start - 1))
        let lineStart = source.lineStarts[line - 1]
        let outer = source.bytes[lineStart...].prefix { $0 == 0x20 }.count
        let indent = String(repeating: " ", count: outer + step)
        let block = source.lineBreak + indent + Self.block(path, value, step: step, indent: indent, eol: source.lineBreak)
        let lead = start > 0 && Self.blank.contains(source.bytes[start - 1]) ? "" : " "
        return [
            Candidate(range, block, isQuoted: isQuoted),
            Candidate(
                range, lead + "{" + Self.flow(path, value, quotesKeys: source.bytes.first == UInt8(ascii: "{")) + "}", isQuoted: isQuoted),
        ]
    }

    /// What stands before a key on its line, as white space of the same width.
    private func indentation(at offset: Int) -> String {
        let start = source.lineStarts[source.line(at: offset) - 1]
        let before = source.bytes[start..<offset]
        let columns = before.filter { $0 & 0xC0 != 0x80 }.count
        return String(repeating: " ", count: columns)
    }

    /// How far the document's author indents a map inside a map.
    private var step: Int {
        for entry in root.entries ?? [] {
            guard let inner = entry.value.entries?.first, !entry.value.isShared else { continue }
            let outer = indentation(at: entry.keyOffset).utf8.count
            let width = indentation(at: inner.keyOffset).utf8.count - outer
            if source.line(at: inner.keyOffset) > source.line(at: entry.keyOffset), (1...8).contains(width) { return width }
        }
        return 2
    }

    // MARK: Text of keys and values

    private static func block(_ path: [String], _ value: String, step: Int, indent: String, eol: String) -> String {
        var text = ""
        for (depth, key) in path.enumerated() {
            if depth > 0 { text += eol + indent + String(repeating: " ", count: depth * step) }
            text += plain(key) + ":"
        }
        return text + " " + plain(value)
    }

    private static func flow(_ path: [String], _ value: String, quotesKeys: Bool) -> String {
        let keys = path.map { quotesKeys ? doubleQuoted($0) : plain($0) }
        return keys.joined(separator: ": {") + ": " + plain(value) + String(repeating: "}", count: path.count - 1)
    }

    private static func plain(_ text: String) -> String { isPlain(text) ? text : doubleQuoted(text) }

    /// Can it stand without quotes, in a block and in braces alike?
    static func isPlain(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, !blank.contains(first), !blank.contains(last) else { return false }
        let indicators = Set("-?:,[]{}#&*!|>'\"%@`".utf8)
        if indicators.contains(first) {
            // `-1` and `-x` are no list, but a lone `-` is.
            guard first == UInt8(ascii: "-"), bytes.count > 1, !blank.contains(bytes[1]), bytes[1] != first else { return false }
        }
        for (index, byte) in bytes.enumerated() {
            if byte < 0x20 || byte >= 0x7F || ",[]{}".utf8.contains(byte) { return false }
            if byte == UInt8(ascii: ":"), index + 1 == bytes.count || blank.contains(bytes[index + 1]) { return false }
            if byte == UInt8(ascii: "#"), index > 0, blank.contains(bytes[index - 1]) { return false }
        }
        return true
    }

    private static func doubleQuoted(_ text: String) -> String {
        // A JSON string is a double-quoted YAML scalar.
        Value.string(text).json()
    }
}

extension YAMLNode {
    /// The tree with the content of the node at `path` replaced and every place as it was.
    fileprivate func replacing(_ path: ArraySlice<String>, by new: Content) -> YAMLNode? {
        guard let key = path.first else { return YAMLNode(new, location: location, offset: offset) }
        switch content {
        case .scalar: return nil
        case .list(var items):
            guard let index = Int(key), items.indices.contains(index), let item = items[index].replacing(path.dropFirst(), by: new) else {
                return nil
            }
            items[index] = item
            return YAMLNode(.list(items), location: location, offset: offset)
        case .map(var entries):
            guard let index = entries.firstIndex(where: { $0.key == key }),
                let value = entries[index].value.replacing(path.dropFirst(), by: new)
            else { return nil }
            let old = entries[index]
            entries[index] = Entry(key: key, keyLocation: old.keyLocation, value: value, keyOffset: old.keyOffset)
            return YAMLNode(.map(entries), location: location, offset: offset)
        }
    }

    /// The tree with one scalar set, maps made where they were missing; nil where something else than a map stands in the way.
    fileprivate func setting(_ path: ArraySlice<String>, to scalar: Content) -> YAMLNode? {
        guard let key = path.first else { return YAMLNode(scalar, location: location, offset: offset) }
        if var items {
            guard let index = Int(key), items.indices.contains(index), let item = items[index].setting(path.dropFirst(), to: scalar) else {
                return nil
            }
            items[index] = item
            return YAMLNode(.list(items), location: location, offset: offset)
        }
        var entries = self.entries ?? []
        guard self.entries != nil || isNull else { return nil }
        let nothing = YAMLNode(.scalar("", isQuoted: false), location: location, offset: offset)
        let index = entries.firstIndex { $0.key == key }
        guard let value = (index.map { entries[$0].value } ?? nothing).setting(path.dropFirst(), to: scalar) else { return nil }
        let entry = Entry(key: key, keyLocation: location, value: value, keyOffset: offset)
        if let index { entries[index] = entry } else { entries.append(entry) }
        return YAMLNode(.map(entries), location: location, offset: offset)
    }
}
