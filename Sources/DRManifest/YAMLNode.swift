public import DRModel

/// A YAML document as a tree whose every node knows where it stands in its file.
///
/// Scalars stay text: whether `on` or `0644` is more than its letters is for the reader to say. Aliases and merge keys (`<<`) are resolved.
public struct YAMLNode: Sendable {
    public enum Content: Sendable {
        /// `isQuoted`: in quotes or a block, so text whatever it looks like.
        case scalar(String, isQuoted: Bool)
        case list([YAMLNode])
        /// In the order of the file; no key stands twice.
        case map([Entry])
    }

    public struct Entry: Sendable {
        public let key: String
        public let keyLocation: SourceLocation
        public let value: YAMLNode
        /// The byte at which the key begins in the parsed text.
        let keyOffset: Int
    }

    public let content: Content
    public let location: SourceLocation
    /// The byte at which the node begins in the parsed text.
    let offset: Int
    /// It stands elsewhere and is only named here, so that changing it here would change it there.
    let isShared: Bool

    init(_ content: Content, location: SourceLocation, offset: Int, isShared: Bool = false) {
        self.content = content
        self.location = location
        self.offset = offset
        self.isShared = isShared
    }
}

extension YAMLNode {
    /// The member of a map, or nil.
    public subscript(key: String) -> YAMLNode? { index(of: key).flatMap { entries?[$0].value } }
    public func entry(_ key: String) -> Entry? { index(of: key).flatMap { entries?[$0] } }
    // Members are looked at where they are: a copy of one costs more than the comparison.
    private func index(of key: String) -> Int? {
        guard case .map(let entries) = content else { return nil }
        return entries.indices.first { entries[$0].key == key }
    }

    /// The node at the end of a path of keys (or indices of lists), or nil.
    public subscript(path: [String]) -> YAMLNode? {
        var node = self
        for step in path {
            let next: YAMLNode?
            switch node.content {
            case .scalar: next = nil
            case .map: next = node[step]
            case .list(let items): next = Int(step).flatMap { items.indices.contains($0) ? items[$0] : nil }
            }
            guard let next else { return nil }
            node = next
        }
        return node
    }

    /// A scalar's text, or nil.
    public var scalar: String? { if case .scalar(let text, _) = content { text } else { nil } }
    public var isQuoted: Bool { if case .scalar(_, let isQuoted) = content { isQuoted } else { false } }
    /// A list's items, or nil.
    public var items: [YAMLNode]? { if case .list(let items) = content { items } else { nil } }
    /// A map's members, or nil.
    public var entries: [Entry]? { if case .map(let entries) = content { entries } else { nil } }

    /// Nothing stands here: an empty value, `~` or `null`.
    public var isNull: Bool {
        if case .scalar(let text, false) = content { ["", "~", "null", "Null", "NULL"].contains(text) } else { false }
    }

    /// The type as a person calls it.
    public var kind: String {
        switch content {
        case .list: "a list"
        case .map: "a map"
        case .scalar where isNull: "nothing"
        case .scalar(let text, let isQuoted): "\"\(text.prefix(60))\"" + (isQuoted ? " (in quotes)" : "")
        }
    }

    /// Equal keys, items and texts, wherever they stand and in whatever order the keys are.
    public func hasSameContent(as other: YAMLNode) -> Bool {
        switch (content, other.content) {
        case (.scalar(let a, let aQuoted), .scalar(let b, let bQuoted)): return a == b && aQuoted == bQuoted
        case (.list(let a), .list(let b)): return a.count == b.count && zip(a, b).allSatisfy { $0.hasSameContent(as: $1) }
        case (.map(let a), .map(let b)):
            guard a.count == b.count else { return false }
            if a.indices.allSatisfy({ a[$0].key == b[$0].key }) {
                return a.indices.allSatisfy { a[$0].value.hasSameContent(as: b[$0].value) }
            }
            let members = Dictionary(b.map { ($0.key, $0.value) }) { first, _ in first }
            return a.allSatisfy { entry in members[entry.key].map { entry.value.hasSameContent(as: $0) } ?? false }
        default: return false
        }
    }
}

extension YAMLNode {
    /// The same tree of a text that stands in another file, so many lines further down.
    func moved(to file: String, by lines: Int) -> YAMLNode {
        func moved(_ location: SourceLocation) -> SourceLocation {
            SourceLocation(file: file, line: location.line + lines, column: location.column)
        }
        let content: Content =
            switch content {
            case .scalar: self.content
            case .list(let items): .list(items.map { $0.moved(to: file, by: lines) })
            case .map(let entries):
                .map(
                    entries.map {
                        Entry(
                            key: $0.key, keyLocation: moved($0.keyLocation), value: $0.value.moved(to: file, by: lines),
                            keyOffset: $0.keyOffset)
                    })
            }
        return YAMLNode(content, location: moved(location), offset: offset, isShared: isShared)
    }

    /// The same map with these members in the place of its own of the same names, or after them. What is no map becomes one.
    public func setting(_ members: [(key: String, value: YAMLNode)]) -> YAMLNode {
        var entries = entries ?? []
        for (key, value) in members {
            let entry = Entry(key: key, keyLocation: value.location, value: value, keyOffset: value.offset)
            if let index = entries.firstIndex(where: { $0.key == key }) { entries[index] = entry } else { entries.append(entry) }
        }
        return YAMLNode(.map(entries), location: location, offset: offset)
    }

    /// A text that stands in no file, said to stand at this node.
    public func text(_ text: String) -> YAMLNode { YAMLNode(.scalar(text, isQuoted: true), location: location, offset: offset) }
    /// A map without members, said to stand at this node.
    public var emptyMap: YAMLNode { YAMLNode(.map([]), location: location, offset: offset) }
}
