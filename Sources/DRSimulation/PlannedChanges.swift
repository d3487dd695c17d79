internal import DRManifest
internal import DRModel
internal import DRReplication

/// Objects that a plan made or changed, found by where they are and what they are: an application's few are not looked for among those of all others.
struct PlannedObjects {
    /// Nil = deleted by the plan.
    private(set) var all: [ObjectKey: ManifestObject?] = [:]
    private var byNamespace: [String: Set<ObjectKey>] = [:]
    private var byKind: [String: Set<ObjectKey>] = [:]
    private var bySole: [String: Set<ObjectKey>] = [:]
    /// How often something was changed in each namespace, and of what is in none.
    private var changesByNamespace: [String: Int] = [:]
    private var sharedChanges = 0

    var isEmpty: Bool { all.isEmpty }

    subscript(key: ObjectKey) -> ManifestObject?? { all[key] }

    /// Nil = deleted. Throws `invalid-input` for a manifest that cannot be read.
    mutating func note(_ key: ObjectKey, _ object: ManifestObject?) throws(DRError) {
        let sole = try Self.sole(object)
        if let namespace = key.place { changesByNamespace[namespace, default: 0] += 1 } else { sharedChanges += 1 }
        if let before = all.updateValue(object, forKey: key) {
            for thing in try Self.sole(before) { bySole[thing]?.remove(key) }
        } else {
            if let namespace = key.place { byNamespace[namespace, default: []].insert(key) }
            byKind[key.kind, default: []].insert(key)
        }
        for thing in sole { bySole[thing, default: []].insert(key) }
    }

    // What cannot have such things is not read for them.
    private static func sole(_ object: ManifestObject?) throws(DRError) -> [String] {
        guard let object, Manifest.soleKinds.contains(object.key.kind) else { return [] }
        return try Manifest(object).sole
    }

    /// A number that grows with each change of what is in these namespaces or in none: what was read when it was the same is still so.
    func changes(in namespaces: Set<String>) -> Int { namespaces.reduce(sharedChanges) { $0 + (changesByNamespace[$1] ?? 0) } }

    func inNamespaces(_ namespaces: Set<String>) -> [ObjectKey: ManifestObject?] {
        these(namespaces.reduce(into: []) { $0.formUnion(byNamespace[$1] ?? []) })
    }

    func selected(by query: ObjectQuery) -> [ObjectKey: ManifestObject?] {
        switch query {
        case .keys(let keys): these(keys)
        case .kinds(let kinds): these(kinds.reduce(into: []) { $0.formUnion(byKind[$1] ?? []) })
        case .having(let things): these(things.reduce(into: []) { $0.formUnion(bySole[$1] ?? []) })
        }
    }

    private func these(_ keys: Set<ObjectKey>) -> [ObjectKey: ManifestObject?] {
        var found: [ObjectKey: ManifestObject?] = [:]
        for key in keys { if let object = all[key] { found.updateValue(object, forKey: key) } }
        return found
    }
}

/// Records of ours that a plan wrote or removed, found by their folder.
struct PlannedDocuments {
    /// Nil = removed by the plan.
    private var all: [DocumentPath: Value?] = [:]
    private var byFolder: [DocumentPath: Set<DocumentPath>] = [:]

    subscript(path: DocumentPath) -> Value?? {
        get { all[path] }
        set {
            guard all.updateValue(newValue ?? nil, forKey: path) == nil else { return }
            byFolder[path.folder, default: []].insert(path)
        }
    }

    func directly(in folder: DocumentPath) -> [DocumentPath: Value?] {
        var found: [DocumentPath: Value?] = [:]
        for path in byFolder[folder] ?? [] { if let value = all[path] { found.updateValue(value, forKey: path) } }
        return found
    }
}
