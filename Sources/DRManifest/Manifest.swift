public import DRModel
internal import DRSupport

/// A Kubernetes object's document: its text as its author wrote it, and its tree.
///
/// Edits change the bytes of one scalar and leave every other byte, comment and style alone.
public struct Manifest: Sendable {
    /// Shared by all manifests of one object.
    private final class Tree: Sendable {
        let root: YAMLNode
        /// Where the text begins.
        let place: SourceLocation
        /// Where it was last asked for, if that was another place: a text that stands at two clusters is asked for at both.
        private let elsewhere = Lock<Tree?>(nil)

        init(_ root: YAMLNode, at place: SourceLocation) {
            self.root = root
            self.place = place
        }

        /// The same text where it stands elsewhere: objects of two clusters share what was read, and each error names its own file.
        func moved(to other: SourceLocation) -> Tree {
            if stands(at: other) { return self }
            if let known = elsewhere.withLock({ $0 }), known.stands(at: other) { return known }
            let moved = Tree(root.moved(to: other.file, by: other.line - place.line), at: other)
            elsewhere.withLock { $0 = moved }
            return moved
        }

        private func stands(at other: SourceLocation) -> Bool { place.line == other.line && place.file == other.file }
    }

    public let object: ManifestObject
    private let tree: Tree

    public var root: YAMLNode { tree.root }
    public var key: ObjectKey { object.key }
    public var text: String { object.text }

    /// Reads an object's own text, unless somebody has done so. Throws `invalid-input`.
    public init(_ object: ManifestObject) throws(DRError) {
        self.object = object
        let place = SourceLocation(file: object.location?.file ?? object.key.description, line: object.location?.line ?? 1)
        if let known = object.known.reading(as: Tree.self) {
            tree = known.moved(to: place)
            return
        }
        guard let root = try YAMLNode.parse(document: object.text, file: place.file, firstLine: place.line) else {
            throw DRError(.invalidInput, "the manifest of \(object.key) is empty", location: object.location)
        }
        tree = Tree(root, at: place)
        object.known.keep(tree)
    }

    init(text: String, root: YAMLNode, file: String, firstLine: Int) throws(DRError) {
        let reading = ObjectReading(root: root)
        let place = SourceLocation(file: file, line: firstLine)
        tree = Tree(root, at: place)
        object = ManifestObject(
            key: try reading.key(), labels: try reading.texts("labels"), annotations: try reading.texts("annotations"),
            known: ManifestText(text, reading: tree), location: place)
        try checkReplicas()
    }

    /// Reads a file's text: one manifest for each of its documents. Throws `invalid-input` with file and line.
    public static func parse(_ text: String, file: String) throws(DRError) -> [Manifest] {
        try ManifestFile(text, file: file).manifests
    }

    /// The text of a scalar, or nil where none stands.
    public func scalar(at path: [String]) -> String? {
        guard let node = root[path], !node.isNull else { return nil }
        return node.scalar
    }

    /// The manifest with one scalar set. A missing key is inserted in the file's style. Throws `invalid-input` where that cannot be done without touching
    /// other bytes.
    public func setting(_ path: [String], to value: String) throws(DRError) -> Manifest {
        if root[path]?.scalar == value, !value.isEmpty { return self }
        return try edited(path, value) { file, line, origin throws(DRError) in
            try ScalarEdit(text, root: root, file: file, firstLine: line, origin: origin).setting(path, to: value)
        }
    }

    /// The manifest without a key or an item of a list, and without the map or list that would be left empty. Itself where nothing stands at `path`. Throws
    /// `invalid-input` where that cannot be done without touching other bytes.
    public func removing(_ path: [String]) throws(DRError) -> Manifest {
        guard root[path] != nil else { return self }
        return try edited(path, nil) { file, line, _ throws(DRError) in
            try RemovalEdit(text, root: root, file: file, firstLine: line).removing(path)
        }
    }

    /// What `make` makes of the text, unless somebody has asked for the same. It is given its place, and the text with its tree that this one was made of.
    private func edited(
        _ path: [String], _ value: String?,
        _ make: (_ file: String, _ line: Int, _ origin: (text: String, root: YAMLNode)?) throws(DRError) -> (text: String, root: YAMLNode)
    ) throws(DRError) -> Manifest {
        let place = SourceLocation(file: object.location?.file ?? object.key.description, line: object.location?.line ?? 1)
        let edit = ManifestText.Edit(path, value)
        let changed: ManifestText
        if let known = object.known.edited(edit) {
            changed = known
        } else {
            let origin = object.known.origin
            let tree = origin?.reading(as: Tree.self)
            let (text, root) = try make(place.file, place.line, tree.map { (origin?.text ?? "", $0.root) })
            if let origin, origin.text == text {
                changed = origin
            } else {
                changed = ManifestText(text, reading: Tree(root, at: place), from: object.known)
            }
            object.known.keep(edit, making: changed)
        }
        return try Manifest(self, changed, path, place)
    }

    private init(_ before: Manifest, _ text: ManifestText, _ path: [String], _ place: SourceLocation) throws(DRError) {
        let old = before.object
        let same = ManifestObject(key: old.key, labels: old.labels, annotations: old.annotations, known: text, location: place)
        tree = try Manifest(same).tree
        // Nothing else than what stands at `path` was changed.
        if ["spec", "status", "data"].contains(path.first) {
            object = same
        } else {
            let reading = ObjectReading(root: tree.root)
            object = ManifestObject(
                key: try reading.key(), labels: try reading.texts("labels"), annotations: try reading.texts("annotations"), known: text,
                location: place)
        }
        try checkReplicas()
    }
}

/// What every Kubernetes object says of itself, read from its tree.
private struct ObjectReading {
    let root: YAMLNode

    func key() throws(DRError) -> ObjectKey {
        guard root.entries != nil else { throw wrong("a Kubernetes object is a map", at: root, expected: "apiVersion, kind and metadata") }
        let version = try required("apiVersion", in: root, example: "apiVersion: apps/v1")
        let kind = try required("kind", in: root, example: "kind: Deployment")
        if kind.scalar == "List" || root["items"] != nil && kind.scalar?.hasSuffix("List") == true {
            throw wrong(
                "a \(kind.scalar ?? "List") of objects is not supported", at: kind, expected: "each object in a document of its own")
        }
        let metadata = root["metadata"]
        guard let metadata, metadata.entries != nil else {
            throw wrong("the object has no metadata", at: metadata ?? root, expected: "metadata with a name")
        }
        let name = try required("name", in: metadata, example: "name: web", path: "metadata.name")
        let parts = (version.scalar ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else {
            throw wrong(
                "\"\(version.scalar ?? "")\" is not a valid apiVersion", at: version, expected: "v1 or GROUP/VERSION, such as apps/v1")
        }
        let group = parts.count == 2 ? String(parts[0]) : ""
        let kindName = kind.scalar ?? ""
        guard
            kindName.utf8.allSatisfy({ UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { throw wrong("\"\(kindName)\" is not a valid kind", at: kind, expected: "letters and digits, such as StatefulSet") }
        let nameText = name.scalar ?? ""
        guard Self.isValid(name: nameText, group: group) else {
            throw wrong(
                "\"\(nameText)\" is not a valid name", at: name,
                expected: "lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, at most 253")
        }
        return ObjectKey(group: group, kind: kindName, namespace: try namespace(in: metadata, kind: kindName, group: group), name: nameText)
    }

    private func namespace(in metadata: YAMLNode, kind: String, group: String) throws(DRError) -> String? {
        guard let node = metadata["namespace"], !node.isNull else {
            return WorkloadKinds.isNamespaced(kind: kind, group: group) ? "default" : nil
        }
        guard let text = node.scalar, !text.contains("."), text.utf8.count <= 63, (try? ApplicationName(text)) != nil else {
            throw wrong(
                "metadata.namespace: \(node.kind) is not a valid namespace", at: node, expected: "lower-case letters, digits and '-'")
        }
        return text
    }

    // Roles and OpenShift's users may be called `system:node` or `kube:admin`: anything that is one segment of a path.
    private static func isValid(name: String, group: String) -> Bool {
        guard group == "rbac.authorization.k8s.io" || group.hasSuffix("openshift.io") else { return (try? ApplicationName(name)) != nil }
        return !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 253
            && !name.utf8.contains { "/%".utf8.contains($0) || $0 < 0x20 }
    }

    func texts(_ field: String) throws(DRError) -> [String: String] {
        guard let node = root["metadata"]?[field], !node.isNull else { return [:] }
        var texts: [String: String] = [:]
        for entry in try node.map("metadata.\(field)", code: .invalidInput) {
            guard let text = entry.value.scalar else {
                throw entry.value.mismatch("metadata.\(field).\(entry.key)", expected: "a text", code: .invalidInput)
            }
            texts[entry.key] = text
        }
        return texts
    }

    /// What may stand beside the required fields and is no slip for one of them.
    private var known: Set<String> { ["apiVersion", "kind", "metadata", "spec", "data", "status", "name", "namespace", "labels"] }

    private func required(_ field: String, in node: YAMLNode, example: String, path: String? = nil) throws(DRError) -> YAMLNode {
        guard let value = node[field], value.scalar?.isEmpty == false, !value.isNull else {
            let slip =
                node[field] == nil ? Spelling.hint(for: field, in: (node.entries ?? []).map(\.key).filter { !known.contains($0) }) : ""
            throw wrong("the object has no \(path ?? field)\(slip)", at: node[field] ?? node, expected: "`\(example)`")
        }
        return value
    }

    private func wrong(_ message: String, at node: YAMLNode, expected: String) -> DRError {
        DRError(.invalidInput, message, hint: "expected \(expected)", location: node.location)
    }
}
