internal import DRManifest
internal import DRModel

/// What one transform did to one value, so that it can be undone. Nil = there was, or is, none.
struct ValueChange: Hashable, Codable {
    var was: String?
    var now: String?
}

/// An application's manifests as they are at one cluster, and as they are at home.
///
/// A recovery point always holds the form of home, so that it can go live at any cluster.
struct ClusterForm {
    private let own: Set<String>
    private let namespaces: NamespaceMap
    private let transforms: [Transform]

    init(application: Application, cluster: ClusterName) {
        own = Set(application.namespaces)
        namespaces = NamespaceMap(application.renamed[cluster] ?? [:])
        transforms = application.transforms.filter { $0.cluster == cluster }
    }

    /// The object at the cluster, with what was changed in it by JSON pointer. Throws `invalid-input`.
    func local(_ home: ManifestObject) throws(DRError) -> (object: ManifestObject, changes: [String: ValueChange]) {
        var object = try Preparation.prepared(home, in: own)
        object = try namespaces.renaming(object)
        let fitting = transforms.filter { $0.concerns(object.key) }
        guard !fitting.isEmpty else { return (object, [:]) }
        var manifest = try Manifest(object)
        var changes: [String: ValueChange] = [:]
        for transform in fitting {
            for path in manifest.root.paths(matching: transform.path[...]) {
                guard let (changed, change) = try Self.applied(transform.operation, to: manifest, at: path) else { continue }
                manifest = changed
                changes[Transform.pointer(path)] = ValueChange(was: changes[Transform.pointer(path)]?.was ?? change.was, now: change.now)
            }
        }
        return (manifest.object, changes)
    }

    private static func applied(
        _ operation: Transform.Operation, to manifest: Manifest, at path: [String]
    ) throws(DRError) -> (Manifest, ValueChange)? {
        let was = manifest.scalar(at: path)
        switch operation {
        case .set(let value):
            guard was != value else { return nil }
            return (try manifest.setting(path, to: value), ValueChange(was: was, now: value))
        case .replace(let text, let other):
            guard let was, !text.isEmpty, was.contains(text) else { return nil }
            let now = was.split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
            return (try manifest.setting(path, to: now), ValueChange(was: was, now: now))
        case .delete:
            guard let was else { return nil }
            return (try manifest.removing(path), ValueChange(was: was, now: nil))
        }
    }

    /// The object as it is at home. What was changed at the cluster since is kept: only values that are still what a transform made of them are undone.
    func home(_ local: ManifestObject, undoing changes: [String: ValueChange]) throws(DRError) -> ManifestObject {
        var object = local
        if !changes.isEmpty {
            var manifest = try Manifest(local)
            for (pointer, change) in changes.sorted(by: { $0.key < $1.key }) {
                let path = Transform.path(pointer)
                guard manifest.scalar(at: path) == change.now else { continue }
                manifest = if let was = change.was { try manifest.setting(path, to: was) } else { try manifest.removing(path) }
            }
            object = manifest.object
        }
        return try namespaces.inverse.renaming(object)
    }
}

extension YAMLNode {
    /// The paths a pattern stands for: `*` is every item of a list or member of a map. A last key that is missing counts, too, where its map is there.
    func paths(matching pattern: ArraySlice<String>) -> [[String]] {
        guard let step = pattern.first else { return [[]] }
        let rest = pattern.dropFirst()
        guard step == "*" else {
            if let next = self[[step]] { return next.paths(matching: rest).map { [step] + $0 } }
            return rest.isEmpty && entries != nil ? [[step]] : []
        }
        let steps = items.map { $0.indices.map(String.init) } ?? entries?.map(\.key) ?? []
        return steps.flatMap { step in self[[step]]?.paths(matching: rest).map { [step] + $0 } ?? [] }
    }
}
