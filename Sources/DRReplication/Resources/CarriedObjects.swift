internal import DRManifest
internal import DRModel

/// Which of an application's objects go with it, in the order in which they are made.
enum CarriedObjects {
    /// Without what the other cluster makes by itself. Throws `invalid-input`.
    static func of(_ objects: [ManifestObject]) throws(DRError) -> [ManifestObject] {
        // Few are judged by what stands beside them.
        lazy var company = Company(objects)
        var carried: [(rank: Int, object: ManifestObject)] = []
        for object in objects where !LeftBehind.isAlways(object) {
            if LeftBehind.mayBe(object), try LeftBehind.isMadeAgain(try Manifest(object), in: company) { continue }
            carried.append((MakingOrder.rank(object.key), object))
        }
        carried.sort { $0.rank == $1.rank ? $0.object.key < $1.object.key : $0.rank < $1.rank }
        return carried.map(\.object)
    }

    static func rank(_ key: ObjectKey) -> Int { MakingOrder.rank(key) }

    /// Serves a whole cluster, so more than one application may need it: made where it is missing, and never changed or removed by us.
    static func isShared(_ key: ObjectKey) -> Bool { key.namespace == nil && key.kind != "PersistentVolume" }
}

/// What must exist before others comes first; webhooks last, lest they refuse the others.
enum MakingOrder {
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
        case "Service", "Ingress", "Route", "NetworkPolicy", "PodDisruptionBudget", "Endpoints", "EndpointSlice": 9
        case "StatefulSet": 11
        case "Deployment", "DeploymentConfig", "ReplicaSet", "DaemonSet", "ReplicationController": 12
        case "CronJob", "Job": 13
        case "HorizontalPodAutoscaler": 14
        case "APIService", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration": 15
        default: 10
        }
    }
}
