internal import DRManifest
internal import DRModel

/// Which objects of an application go with it, and in which order they are made.
enum CarriedObjects {
    /// Without what the other cluster makes by itself, in the order in which they are made. Throws `invalid-input`.
    static func of(_ objects: [ManifestObject]) throws(DRError) -> [ManifestObject] {
        let owners = Set(objects.map { "\($0.key.kind) \($0.key.namespace ?? "")/\($0.key.name)" })
        var carried: [ManifestObject] = []
        for object in objects where !isMadeByCluster(object) {
            if try !isOwned(object, by: owners) { carried.append(object) }
        }
        return carried.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }
    }

    /// What must exist before others comes first; webhooks last, lest they refuse the others.
    static func rank(_ key: ObjectKey) -> Int {
        switch key.kind {
        case "Namespace": 0
        case "CustomResourceDefinition", "PriorityClass": 1
        case "ResourceQuota", "LimitRange": 2
        case "ServiceAccount", "Role", "ClusterRole": 3
        case "RoleBinding", "ClusterRoleBinding": 4
        case "Secret", "ConfigMap": 5
        case "StorageClass": 6
        case "PersistentVolume": 7
        case "PersistentVolumeClaim": 8
        case "Service", "Ingress", "Route", "NetworkPolicy", "PodDisruptionBudget", "Endpoints": 9
        case "StatefulSet": 11
        case "Deployment", "DeploymentConfig", "ReplicaSet", "DaemonSet", "ReplicationController": 12
        case "CronJob", "Job": 13
        case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration": 15
        default: 10
        }
    }

    private static let never: Set<String> = [
        "Pod", "Event", "Endpoints", "EndpointSlice", "ReplicationController", "HorizontalPodAutoscaler", "VolumeSnapshot",
        "VolumeSnapshotContent", "ControllerRevision", "Lease",
    ]
    private static let skipAnnotation = "stork.libopenstorage.org/skip-resource"

    private static func isMadeByCluster(_ object: ManifestObject) -> Bool {
        let name = object.key.name
        if never.contains(object.key.kind) || object.annotations[skipAnnotation] == "true" { return true }
        switch object.key.kind {
        case "ConfigMap": return name == "kube-root-ca.crt" || name == "openshift-service-ca.crt"
        case "Service": return name == "kubernetes"
        case "ServiceAccount": return ["default", "builder", "deployer"].contains(name)
        case "Secret":
            return ["builder", "default", "deployer"].contains { name.hasPrefix("\($0)-dockercfg-") || name.hasPrefix("\($0)-token-") }
        case "Role", "ClusterRole", "ClusterRoleBinding": return name.hasPrefix("system:")
        case "RoleBinding": return name.hasPrefix("system:") && !name.hasPrefix("system:openshift:scc")
        default: return false
        }
    }

    // Its owner is copied and makes it again.
    private static func isOwned(_ object: ManifestObject, by owners: Set<String>) throws(DRError) -> Bool {
        guard object.text.contains("ownerReferences") else { return false }
        let references = try Manifest(object).root[["metadata", "ownerReferences"]]?.items ?? []
        return references.contains { reference in
            guard let kind = reference["kind"]?.scalar, let name = reference["name"]?.scalar else { return false }
            return kind == "Pod" || owners.contains("\(kind) \(object.key.namespace ?? "")/\(name)")
        }
    }
}
