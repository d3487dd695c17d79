package import DRManifest
package import DRModel

/// Which objects are an application's: those of its namespaces that carry all its labels and none it excludes. What serves the whole cluster follows from them.
package enum ApplicationSelection {
    /// Of a cluster's manifests those of the application, in key order. `manifests`: those of its namespaces at least. `shared`: all that belong to none.
    package static func of(
        _ manifests: some Sequence<Manifest>, sharing shared: SharedObjects, _ application: Application, at cluster: ClusterName
    ) throws(DRError) -> [ManifestObject] {
        let namespaces = Set(application.namespaces(at: cluster))
        let own = manifests.filter { selects($0.object, application, namespaces) }
        let needed = NeededObjects(of: own, in: namespaces, sharing: !application.labels.isEmpty)
        let others = needed.among(shared).filter { !excludes($0.object, application) }
        // Roles are named by bindings that are themselves needed.
        let granted = shared.manifests("ClusterRole", needed.roles(named: others)).filter { !excludes($0.object, application) }
        return (own + others + granted).map(\.object).sorted { $0.key < $1.key }
    }

    /// Of all manifests of a cluster.
    package static func of(_ manifests: [Manifest], _ application: Application, at cluster: ClusterName) throws(DRError) -> [ManifestObject]
    {
        try of(manifests, sharing: SharedObjects(manifests), application, at: cluster)
    }

    /// Kinds of objects that belong to no namespace and may be needed by one.
    package static let clusterKinds: Set<String> = [
        "PersistentVolume", "StorageClass", "PriorityClass", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding",
        "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService",
    ]

    private static func selects(_ object: ManifestObject, _ application: Application, _ namespaces: Set<String>) -> Bool {
        guard let place = object.key.place, namespaces.contains(place), !excludes(object, application) else { return false }
        // A namespace is needed by whatever is in it.
        return object.key.namespace == nil || application.labels.allSatisfy { object.labels[$0.key] == $0.value }
    }

    private static func excludes(_ object: ManifestObject, _ application: Application) -> Bool {
        application.exclude.labels.contains { object.labels[$0.key] == $0.value }
            || application.exclude.kinds.contains { names($0, object.key) }
    }

    /// `Deployment`, `deployment.apps`: a kind as people type it.
    private static func names(_ text: String, _ key: ObjectKey) -> Bool {
        let text = text.lowercased()
        let kind = key.kind.lowercased()
        return text == kind || text == "\(kind).\(key.group)" || text == kind + "s"
    }
}

/// What an application's own objects need of the whole cluster.
private struct NeededObjects {
    private let namespaces: Set<String>
    private let accounts: Set<String>
    private let services: Set<String>
    private let wholeNamespaces: Bool
    private var volumes: Set<String> = []
    private var storageClasses: Set<String> = []
    private var priorityClasses: Set<String> = []
    private var customKinds: Set<String> = []
    private var roleNames: Set<String> = []

    init(of own: [Manifest], in namespaces: Set<String>, sharing: Bool) {
        self.namespaces = namespaces
        wholeNamespaces = !sharing
        accounts = Self.places(of: "ServiceAccount", own)
        services = Self.places(of: "Service", own)
        for manifest in own {
            if manifest.object.isCustomResource { customKinds.insert("\(manifest.key.group)/\(manifest.key.kind)") }
            switch manifest.key.kind {
            case "PersistentVolumeClaim":
                if let name = manifest.volumeName { volumes.insert(name) }
                if let name = manifest.scalar(at: ["spec", "storageClassName"]) { storageClasses.insert(name) }
            case "RoleBinding":
                if manifest.scalar(at: ["roleRef", "kind"]) == "ClusterRole", let name = manifest.scalar(at: ["roleRef", "name"]) {
                    roleNames.insert(name)
                }
            case "StatefulSet":
                let templates = manifest.root[["spec", "volumeClaimTemplates"]]?.items ?? []
                storageClasses.formUnion(templates.compactMap { $0[["spec", "storageClassName"]]?.scalar })
                fallthrough
            default:
                if let name = manifest.podSpec?["priorityClassName"]?.scalar { priorityClasses.insert(name) }
            }
        }
    }

    private static func places(of kind: String, _ manifests: [Manifest]) -> Set<String> {
        Set(manifests.filter { $0.key.kind == kind }.map { "\($0.key.namespace ?? "")/\($0.key.name)" })
    }

    /// What of all that belongs to no namespace is needed, apart from roles.
    func among(_ shared: SharedObjects) -> [Manifest] {
        var found = shared.manifests("PersistentVolume", volumes) + shared.manifests("StorageClass", storageClasses)
        found += shared.manifests("PriorityClass", priorityClasses) + shared.definitions(of: customKinds)
        found += shared.naming(namespaces)
        return found.filter(contains)
    }

    private func contains(_ manifest: Manifest) -> Bool {
        switch manifest.key.kind {
        case "PersistentVolume": return manifest.key.group.isEmpty && volumes.contains(manifest.key.name)
        case "StorageClass": return storageClasses.contains(manifest.key.name)
        case "PriorityClass": return priorityClasses.contains(manifest.key.name)
        case "CustomResourceDefinition": return customKinds.contains(manifest.definedKind)
        case "ClusterRoleBinding":
            return (manifest.root["subjects"]?.items ?? []).contains { isOwn($0["namespace"], $0["name"], among: accounts, but: "default") }
        case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
            return (manifest.root["webhooks"]?.items ?? []).contains { hook in
                isOwn(hook[["clientConfig", "service", "namespace"]], hook[["clientConfig", "service", "name"]], among: services)
            }
        case "APIService":
            return isOwn(manifest.root[["spec", "service", "namespace"]], manifest.root[["spec", "service", "name"]], among: services)
        default: return false
        }
    }

    private func isOwn(_ namespace: YAMLNode?, _ name: YAMLNode?, among known: Set<String>, but excluded: String? = nil) -> Bool {
        guard let namespace = namespace?.scalar, let name = name?.scalar, namespaces.contains(namespace), name != excluded else {
            return false
        }
        return wholeNamespaces || known.contains("\(namespace)/\(name)")
    }

    /// By name.
    func roles(named others: [Manifest]) -> Set<String> {
        let bound = others.filter { $0.key.kind == "ClusterRoleBinding" }.compactMap { $0.scalar(at: ["roleRef", "name"]) }
        return roleNames.union(bound)
    }
}
