public import DRModel

/// What is known of the kinds that run something or hold data.
enum WorkloadKinds {
    /// Kinds whose `spec.replicas` says how many run.
    static let scaled: [String: String] = [
        "Deployment": "apps", "StatefulSet": "apps", "ReplicaSet": "apps", "DeploymentConfig": "apps.openshift.io",
        "ReplicationController": "",
    ]

    private static let namespaced: Set<String> = [
        "ConfigMap", "CronJob", "DaemonSet", "Deployment", "DeploymentConfig", "Endpoints", "EndpointSlice", "HorizontalPodAutoscaler",
        "Ingress", "Job", "LimitRange", "NetworkPolicy", "PersistentVolumeClaim", "Pod", "PodDisruptionBudget", "ReplicaSet",
        "ReplicationController", "ResourceQuota", "Role", "RoleBinding", "Route", "Secret", "Service", "ServiceAccount", "StatefulSet",
    ]
    private static let groups: Set<String> = [
        "", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "discovery.k8s.io", "rbac.authorization.k8s.io",
        "apps.openshift.io", "route.openshift.io",
    ]

    /// An object of such a kind that says no namespace is in `default`.
    static func isNamespaced(kind: String, group: String) -> Bool { groups.contains(group) && namespaced.contains(kind) }
}

extension Manifest {
    private var isScaled: Bool { WorkloadKinds.scaled[key.kind] == key.group }
    private var isCronJob: Bool { key.kind == "CronJob" && key.group == "batch" }
    private static let replicasPath = ["spec", "replicas"]

    /// How many should run; 1 where it is not said. Nil for kinds that are not scaled.
    public var replicas: Int? {
        guard isScaled else { return nil }
        return scalar(at: Self.replicasPath).map { Int($0) ?? 1 } ?? 1
    }

    /// The manifest with other replicas. Throws `invalid-input` for a kind that is not scaled.
    public func scaled(to replicas: Int) throws(DRError) -> Manifest {
        guard isScaled else { throw DRError(.invalidInput, "\(key) has no replicas", location: object.location) }
        return self.replicas == replicas ? self : try setting(Self.replicasPath, to: String(replicas))
    }

    /// Is a CronJob held? False where it is not said; nil for other kinds.
    public var isSuspended: Bool? { isCronJob ? scalar(at: ["spec", "suspend"]) == "true" : nil }

    /// The manifest of a CronJob held or going on. Throws `invalid-input` for other kinds.
    public func suspended(_ suspended: Bool) throws(DRError) -> Manifest {
        guard isCronJob else { throw DRError(.invalidInput, "\(key) cannot be suspended", location: object.location) }
        return isSuspended == suspended ? self : try setting(["spec", "suspend"], to: suspended ? "true" : "false")
    }

    /// The PersistentVolume that a claim is bound to; nil where it names none, and for other kinds.
    public var volumeName: String? {
        key.kind == "PersistentVolumeClaim" && key.group.isEmpty ? scalar(at: ["spec", "volumeName"]) : nil
    }

    /// The PersistentVolumeClaims that a workload's pods mount by name, in order of the manifest. Claims made from templates are not among them.
    public var claims: [String] {
        let volumes = root[podPath + ["volumes"]]?.items ?? []
        return volumes.compactMap { $0[["persistentVolumeClaim", "claimName"]]?.scalar }
    }

    /// The names of a StatefulSet's claim templates: its claims are called `TEMPLATE-NAME-0`, `TEMPLATE-NAME-1` ...
    public var claimTemplates: [String] {
        guard key.kind == "StatefulSet" else { return [] }
        return (root[["spec", "volumeClaimTemplates"]]?.items ?? []).compactMap { $0[["metadata", "name"]]?.scalar }
    }

    /// What its pods are made from; nil for what makes none.
    public var podSpec: YAMLNode? {
        guard let pod = root[podPath], pod["containers"] != nil else { return nil }
        return pod
    }

    private var podPath: [String] {
        switch key.kind {
        case "Pod": ["spec"]
        case "CronJob": ["spec", "jobTemplate", "spec", "template", "spec"]
        default: ["spec", "template", "spec"]
        }
    }

    /// `spec.replicas` and `spec.suspend` are numbers and booleans that we shall have to restore.
    func checkReplicas() throws(DRError) {
        if isScaled, let node = root[Self.replicasPath], !node.isNull {
            _ = try node.integer("spec.replicas", in: 0...Int64(Int32.max), code: .invalidInput)
        }
        if isCronJob, let node = root[["spec", "suspend"]], !node.isNull { _ = try node.bool("spec.suspend", code: .invalidInput) }
    }
}
