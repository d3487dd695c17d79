internal import DRManifest
internal import DRModel

/// Other names for namespaces, in all that an object says of them.
///
/// Changed are the object's own namespace, every field called `namespace` and every selector of a namespace by its name. Host names in settings, such as
/// `db.shop.svc`, are text like any other: they are a matter for transforms.
struct NamespaceMap {
    private let names: [String: String]
    private let words: Words

    init(_ names: [String: String]) {
        self.names = names.filter { $0.key != $0.value }
        words = Words(Array(self.names.keys))
    }

    var isEmpty: Bool { names.isEmpty }
    var inverse: NamespaceMap { NamespaceMap(Dictionary(names.map { ($1, $0) }) { first, _ in first }) }

    /// Throws `invalid-input` for a manifest that cannot be changed in its place.
    func renaming(_ object: ManifestObject) throws(DRError) -> ManifestObject {
        guard !isEmpty, words.occur(in: object.text) || object.key.namespace.map({ names[$0] != nil }) == true else {
            return object
        }
        var manifest = try Manifest(object)
        var changes: [(path: [String], name: String)] = []
        collect(manifest.root, [], &changes)
        if let namespace = object.key.namespace, let name = names[namespace] { changes.append((["metadata", "namespace"], name)) }
        if object.key.kind == "Namespace", let name = names[object.key.name] { changes.append((["metadata", "name"], name)) }
        for change in changes { manifest = try manifest.setting(change.path, to: change.name) }
        return manifest.object
    }

    private static let selector = "kubernetes.io/metadata.name"
    // What stands there is the application's own text.
    private static let opaque: Set<String> = ["data", "stringData", "binaryData", "annotations", "status"]

    private func collect(_ node: YAMLNode, _ path: [String], _ changes: inout [(path: [String], name: String)]) {
        for entry in node.entries ?? [] where !Self.opaque.contains(entry.key) {
            let inner = path + [entry.key]
            if let text = entry.value.scalar {
                if entry.key == "namespace" || entry.key == Self.selector, let name = names[text], inner != ["metadata", "namespace"] {
                    changes.append((inner, name))
                }
            } else {
                collect(entry.value, inner, &changes)
            }
        }
        for (index, item) in (node.items ?? []).enumerated() { collect(item, path + [String(index)], &changes) }
    }
}
