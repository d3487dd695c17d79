package import DRManifest
package import DRModel

/// The objects of a cluster that belong to no namespace and may be needed by one, by what they are needed for: of many thousand volumes an application's
/// own are found without looking at the others.
package struct SharedObjects: Sendable {
    private enum Need: Hashable {
        case name(kind: String, String)
        case definition(of: String)
        /// They name something in the namespace.
        case namespace(String)
    }

    private var objects: [ObjectKey: Manifest] = [:]
    private var byNeed: [Need: Set<ObjectKey>] = [:]

    /// What has a namespace or is of no kind that others need is left out.
    package init(_ manifests: some Sequence<Manifest>) {
        for manifest in manifests { put(manifest) }
    }

    package mutating func put(_ manifest: Manifest) {
        remove(manifest.key)
        let needs = Self.needs(for: manifest)
        guard !needs.isEmpty else { return }
        objects[manifest.key] = manifest
        for need in needs { byNeed[need, default: []].insert(manifest.key) }
    }

    package mutating func remove(_ key: ObjectKey) {
        guard let manifest = objects.removeValue(forKey: key) else { return }
        for need in Self.needs(for: manifest) { byNeed[need]?.remove(key) }
    }

    private static func needs(for manifest: Manifest) -> Set<Need> {
        guard manifest.key.namespace == nil, ApplicationSelection.clusterKinds.contains(manifest.key.kind) else { return [] }
        let places: [YAMLNode?]
        switch manifest.key.kind {
        case "CustomResourceDefinition": return [.definition(of: manifest.definedKind)]
        case "ClusterRoleBinding": places = manifest.root["subjects"]?.items ?? []
        case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
            places = (manifest.root["webhooks"]?.items ?? []).map { $0[["clientConfig", "service"]] }
        case "APIService": places = [manifest.root[["spec", "service"]]]
        default: return [.name(kind: manifest.key.kind, manifest.key.name)]
        }
        return Set(places.compactMap { $0?["namespace"]?.scalar.map(Need.namespace) })
    }

    // MARK: Finding

    func manifests(_ kind: String, _ names: Set<String>) -> [Manifest] { names.flatMap { found(.name(kind: kind, $0)) } }
    /// `kinds`: `group/Kind`.
    func definitions(of kinds: Set<String>) -> [Manifest] { kinds.flatMap { found(.definition(of: $0)) } }

    /// Bindings, webhooks and services of the API that name something in one of these namespaces.
    func naming(_ namespaces: Set<String>) -> [Manifest] {
        let keys = namespaces.reduce(into: Set<ObjectKey>()) { $0.formUnion(byNeed[.namespace($1)] ?? []) }
        return keys.compactMap { objects[$0] }
    }

    private func found(_ need: Need) -> [Manifest] { (byNeed[need] ?? []).compactMap { objects[$0] } }
}

extension Manifest {
    /// What a CustomResourceDefinition defines, as `group/Kind`.
    var definedKind: String { "\(scalar(at: ["spec", "group"]) ?? "")/\(scalar(at: ["spec", "names", "kind"]) ?? "")" }
}
