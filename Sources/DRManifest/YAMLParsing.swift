public import DRModel
internal import Yams

/// What a text may be at most, so that a hostile one ends in an error and not in an exhausted host.
enum YAMLBounds {
    static let bytes = 16 << 20
    /// Nodes of one document with its aliases expanded.
    static let nodes = 500_000
    static let depth = 100
}

extension YAMLNode {
    /// Reads a text of exactly one document. `file` is named in errors. Throws `invalid-input` with file and line.
    public static func parse(_ text: String, file: String) throws(DRError) -> YAMLNode {
        let documents = try parseAll(text, file: file)
        guard let first = documents.first else {
            throw DRError(.invalidInput, "the file is empty", location: SourceLocation(file: file, line: 1))
        }
        if documents.count > 1 {
            throw DRError(.invalidInput, "expected one document, found \(documents.count)", location: documents[1].location)
        }
        return first
    }

    /// Reads a text of any number of documents separated by `---`; empty ones are left out. Throws `invalid-input` with file and line.
    public static func parseAll(_ text: String, file: String) throws(DRError) -> [YAMLNode] {
        let source = SourceText(text)
        var nodes: [YAMLNode] = []
        for slice in source.documents {
            if let node = try parse(source, slice, file: file) { nodes.append(node) }
        }
        return nodes
    }

    /// The document of a slice, or nil where it holds none. Offsets count from the slice's first byte.
    static func parse(_ source: SourceText, _ slice: DocumentSlice, file: String) throws(DRError) -> YAMLNode? {
        let text = String(decoding: source.bytes[slice.content], as: UTF8.self)
        return try parse(document: text, file: file, firstLine: source.line(at: slice.content.lowerBound))
    }

    static func parse(document text: String, file: String, firstLine: Int) throws(DRError) -> YAMLNode? {
        var reading = DocumentReading(source: SourceText(text), file: file, firstLine: firstLine)
        return try reading.read(text)
    }
}

/// The way from one document's text to its tree.
private struct DocumentReading {
    let source: SourceText
    let file: String
    let firstLine: Int
    private var nodes = 0

    init(source: SourceText, file: String, firstLine: Int) {
        self.source = source
        self.file = file
        self.firstLine = firstLine
    }

    mutating func read(_ text: String) throws(DRError) -> YAMLNode? {
        guard source.bytes.count <= YAMLBounds.bytes else {
            throw wrong("the document has \(source.bytes.count) bytes", line: 1, expected: "at most \(YAMLBounds.bytes)")
        }
        if let directive = directive { return try refuse(directive) }
        try refuseAliasesInKeys()
        let root: Node?
        do {
            // Nothing is constructed of the nodes, and the default constructor is made anew for each parser.
            root = try Parser(yaml: text, resolver: .basic, constructor: Constructor([:], [:], [:]), encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw translated(error, text)
        } catch {
            throw wrong("not valid YAML: \(error)", line: 1)
        }
        guard let root else { return nil }
        return try convert(root, depth: 0, from: -1)
    }

    private func wrong(_ message: String, line: Int, column: Int? = nil, expected: String? = nil) -> DRError {
        DRError(
            .invalidInput, message, hint: expected.map { "expected \($0)" },
            location: SourceLocation(file: file, line: firstLine + max(1, line) - 1, column: column))
    }

    // MARK: What is refused before the parser sees it

    /// The line of a `%` directive other than `%YAML`, or a lone `%YAML`, before any content.
    private var directive: (line: Int, isVersion: Bool)? {
        for line in 1...source.lineStarts.count {
            let bytes = source.bytes[source.range(ofLine: line)]
            guard let first = bytes.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) else { continue }
            if first == UInt8(ascii: "#") { continue }
            guard bytes.first == UInt8(ascii: "%") else { return nil }
            return (line, bytes.starts(with: "%YAML".utf8))
        }
        return nil
    }

    // The text before a `---` is a slice of its own: a version line there says nothing that the next slice needs.
    private func refuse(_ directive: (line: Int, isVersion: Bool)) throws(DRError) -> YAMLNode? {
        let rest = source.bytes[source.range(ofLine: directive.line).upperBound...]
        if directive.isVersion, rest.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) { return nil }
        throw wrong("YAML directives are not supported", line: directive.line, expected: "a document without % lines")
    }

    // The parser hashes whole keys: an alias of an alias of an alias in one would cost exponential time before any bound of ours could count.
    private func refuseAliasesInKeys() throws(DRError) {
        let bytes = source.bytes
        guard bytes.contains(UInt8(ascii: "&")) else { return }
        let before: Set<UInt8> = Set(" \t\n\r[{,:?-".utf8)
        func isAlias(_ index: Int) -> Bool {
            bytes[index] == UInt8(ascii: "*") && (index == 0 || before.contains(bytes[index - 1])) && index + 1 < bytes.count
                && !Set(" \t\n\r".utf8).contains(bytes[index + 1])
        }
        guard bytes.indices.contains(where: isAlias) else { return }
        for index in bytes.indices {
            let isComplex: Bool
            switch bytes[index] {
            case UInt8(ascii: "?"):
                isComplex =
                    index + 1 < bytes.count && " \t\n\r".utf8.contains(bytes[index + 1])
                    && (index == 0 || before.contains(bytes[index - 1]))
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                isComplex = colonFollows(index + 1)
            case UInt8(ascii: "*") where isAlias(index):
                let end = bytes[index...].firstIndex { " \t\n\r,]}".utf8.contains($0) } ?? bytes.endIndex
                isComplex = colonFollows(end)
            default: isComplex = false
            }
            if isComplex {
                throw wrong(
                    "aliases together with keys that are not plain names are not supported", line: source.line(at: index),
                    expected: "keys that are names")
            }
        }
    }

    private func colonFollows(_ start: Int) -> Bool {
        let index = source.bytes[start...].firstIndex { $0 != 0x20 && $0 != 0x09 }
        guard let index, source.bytes[index] == UInt8(ascii: ":") else { return false }
        return index + 1 == source.bytes.count || " \t\n\r,]}".utf8.contains(source.bytes[index + 1])
    }

    // MARK: The tree

    /// `before`: where the reading stands; a node that begins earlier is one that an alias names.
    private mutating func convert(_ node: Node, depth: Int, from before: Int, shared: Bool = false) throws(DRError) -> YAMLNode {
        let mark = node.mark
        let line = mark?.line ?? 1
        nodes += 1
        guard nodes <= YAMLBounds.nodes else {
            throw wrong(
                "the document has too many nodes once its aliases are expanded", line: line, expected: "at most \(YAMLBounds.nodes)")
        }
        guard depth <= YAMLBounds.depth else {
            throw wrong("the document is nested too deeply", line: line, expected: "at most \(YAMLBounds.depth) levels")
        }
        let offset = source.offset(line: line, column: mark?.column ?? 1)
        let shared = shared || offset < before
        let location = SourceLocation(file: file, line: firstLine + line - 1, column: mark?.column)
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            let isQuoted = !isPlain || scalar.tag.description == Tag.Name.str.rawValue
            return YAMLNode(.scalar(scalar.string, isQuoted: isQuoted), location: location, offset: offset, isShared: shared)
        case .sequence(let sequence):
            var items: [YAMLNode] = []
            for item in sequence { items.append(try convert(item, depth: depth + 1, from: max(before, offset), shared: shared)) }
            return YAMLNode(.list(items), location: location, offset: offset, isShared: shared)
        case .mapping(let mapping):
            let entries = try convert(mapping, depth: depth, from: max(before, offset), shared: shared)
            return YAMLNode(.map(entries), location: location, offset: offset, isShared: shared)
        case .alias:
            throw wrong("an alias stands for nothing", line: line)
        }
    }

    private mutating func convert(_ mapping: Node.Mapping, depth: Int, from before: Int, shared: Bool) throws(DRError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var merged: [YAMLNode.Entry] = []
        for (key, value) in mapping {
            guard case .scalar(let name) = key else {
                throw wrong("a key is not a name", line: key.mark?.line ?? 1, expected: "a text before the ':'")
            }
            let mark = key.mark
            let line = mark?.line ?? 1
            let keyOffset = source.offset(line: line, column: mark?.column ?? 1)
            let node = try convert(value, depth: depth + 1, from: keyOffset, shared: shared)
            if name.string == "<<", name.style == .plain {
                merged += try members(toMerge: node)
                continue
            }
            entries.append(
                YAMLNode.Entry(
                    key: name.string, keyLocation: SourceLocation(file: file, line: firstLine + line - 1, column: mark?.column),
                    value: node, keyOffset: keyOffset))
        }
        var seen = Set<String>(minimumCapacity: entries.count)
        for entry in entries where !seen.insert(entry.key).inserted { throw duplicate(entry.key, at: entry.keyLocation) }
        // What the map says itself comes before what it merges, and an earlier merge before a later one.
        for entry in merged where seen.insert(entry.key).inserted { entries.append(entry) }
        return entries
    }

    private func members(toMerge node: YAMLNode) throws(DRError) -> [YAMLNode.Entry] {
        let sources = node.items ?? [node]
        var members: [YAMLNode.Entry] = []
        for source in sources {
            guard let entries = source.entries else {
                throw DRError(.invalidInput, "<<: expected a map or a list of maps, found \(source.kind)", location: source.location)
            }
            members += entries.map {
                YAMLNode.Entry(
                    key: $0.key, keyLocation: $0.keyLocation,
                    value: YAMLNode($0.value.content, location: $0.value.location, offset: $0.value.offset, isShared: true),
                    keyOffset: $0.keyOffset)
            }
        }
        return members
    }

    // MARK: The parser's errors

    private func duplicate(_ key: String, at location: SourceLocation) -> DRError {
        DRError(.invalidInput, "the key \"\(key)\" stands twice in one map", hint: "remove one of them", location: location)
    }

    private func translated(_ error: YamlError, _ text: String) -> DRError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let offset = source.offset(line: mark.line, column: mark.column)
            if offset < source.bytes.count, source.bytes[offset] == 0x09 {
                return wrong(
                    "not valid YAML: a tab where indentation is expected", line: mark.line, column: mark.column,
                    expected: "spaces: YAML knows no tabs for indentation")
            }
            let inside = context.map { " \($0.text)" } ?? ""
            return wrong("not valid YAML:\(inside.isEmpty ? "" : inside + ",") \(problem)", line: mark.line, column: mark.column)
        case .reader(let problem, let offset, _, let yaml):
            let index = offset.flatMap { yaml.index(yaml.startIndex, offsetBy: $0, limitedBy: yaml.endIndex) } ?? yaml.startIndex
            let line = source.line(at: yaml.utf8.distance(from: yaml.startIndex, to: index))
            return wrong("not valid YAML: \(problem)", line: line, expected: "text without control characters")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let location = SourceLocation(file: file, line: firstLine + max(1, context.mark.line) - 1, column: context.mark.column)
            return duplicate(duplicates.first ?? "", at: location)
        default:
            return wrong("not valid YAML: \(error)", line: 1)
        }
    }
}
