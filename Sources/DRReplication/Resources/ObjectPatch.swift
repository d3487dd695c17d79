package import DRManifest
package import DRModel

/// Single values of a manifest set or removed, with what takes it back.
struct ObjectPatch {
    private(set) var manifest: Manifest
    private(set) var inverse: Value = [:]

    init(_ manifest: Manifest) { self.manifest = manifest }

    /// Throws `invalid-input` for what is no single value.
    mutating func apply(_ patch: Value, at path: [String]) throws(DRError) {
        let place = path.joined(separator: ".")
        switch patch {
        case .map(let members):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) { try apply(member, at: path + [name]) }
        case .null: try set(nil, at: path)
        case .string(let text): try set(text, at: path)
        case .bool(let flag): try set(flag ? "true" : "false", at: path)
        case .integer(let number): try set(String(number), at: path)
        default:
            throw DRError(
                .invalidInput, "patch.\(place): \(patch.kind) cannot be set", hint: "expected texts, whole numbers, true, false or null")
        }
    }

    private mutating func set(_ text: String?, at path: [String]) throws(DRError) {
        let node = manifest.root[path]
        if let node, node.scalar == nil {
            throw DRError(.invalidInput, "patch.\(path.joined(separator: ".")): a \(node.kind) stands there", hint: "name the values in it")
        }
        let before = node.map(\.value) ?? .null
        if let text { manifest = try manifest.setting(path, to: text) } else { manifest = try manifest.removing(path) }
        inverse = Self.setting(before, at: path[...], in: inverse)
    }

    private static func setting(_ value: Value, at path: ArraySlice<String>, in tree: Value) -> Value {
        guard let step = path.first else { return value }
        var members = tree.map ?? [:]
        members[step] = setting(value, at: path.dropFirst(), in: members[step] ?? [:])
        return .map(members)
    }
}

extension YAMLNode {
    /// As a program sees it: what is not quoted and looks like a number, a truth or nothing is one.
    package var value: Value {
        switch content {
        case .map(let entries): return .map(Dictionary(entries.map { ($0.key, $0.value.value) }) { $1 })
        case .list(let items): return .list(items.map(\.value))
        case .scalar(let text, let isQuoted):
            if isQuoted { return .string(text) }
            if isNull { return .null }
            if text == "true" || text == "false" { return .bool(text == "true") }
            if let number = Int64(text), String(number) == text { return .integer(number) }
            return .string(text)
        }
    }
}
