internal import DRManifest
internal import DRModel

/// The objects that an object is judged beside.
struct Company {
    private static let selectors = Words(["selector"])
    private let names: Set<String>
    /// Selectors make the endpoints of these services.
    private let services: Set<String>

    init(_ objects: [ManifestObject]) {
        names = Set(objects.map { Self.name($0.key.kind, $0.key.namespace, $0.key.name) })
        services = Set(
            objects.filter { $0.key.kind == "Service" && Self.selectors.occur(in: $0.text) }
                .map { Self.name("Service", $0.key.namespace, $0.key.name) })
    }

    private static func name(_ kind: String, _ namespace: String?, _ name: String) -> String { "\(kind) \(namespace ?? "")/\(name)" }
    func contains(_ kind: String, _ namespace: String?, _ name: String) -> Bool { names.contains(Self.name(kind, namespace, name)) }
    func hasSelectingService(_ key: ObjectKey) -> Bool { services.contains(Self.name("Service", key.namespace, key.name)) }
}

/// What is not copied, because the other cluster makes it by itself, or because it would do there what it did here.
enum LeftBehind {
    static let skipAnnotations = ["drrunbook/skip", "stork.libopenstorage.org/skip-resource", "stork.libopenstorage.org/skipresource"]
    /// Takes along what would be left behind: a Job, hand-made endpoints, an object whose owner goes, too.
    static let includeAnnotations = ["drrunbook/include", "stork.libopenstorage.org/include-resource"]
    private static let ownerAnnotation = "stork.libopenstorage.org/skip-owner-ref-check"

    // A job that ran is not to run again.
    private static let kinds: Set<String> = [
        "Pod", "Event", "Job", "VolumeSnapshot", "VolumeSnapshotContent", "VolumeSnapshotClass", "ControllerRevision", "Lease", "Node",
        "NodeMetrics", "PodMetrics", "ComponentStatus", "CSINode", "CSIDriver", "CSIStorageCapacity", "VolumeAttachment", "TokenReview",
        "Build", "ImageStreamTag",
    ]
    /// What the operator lifecycle manager makes of a subscription: it must be made by the one at the other cluster.
    private static let operatorKinds: Set<String> = [
        "ClusterServiceVersion", "OperatorCondition", "OperatorGroup", "InstallPlan", "Subscription", "CatalogSource",
    ]
    private static let machineKinds: Set<String> = [
        "VirtualMachineInstance", "VirtualMachineInstanceMigration", "VirtualMachineInstanceReplicaSet",
    ]

    static func isIncluded(_ object: ManifestObject) -> Bool { includeAnnotations.contains { object.annotations[$0] == "true" } }

    /// By kind, name, label or annotation alone.
    static func isAlways(_ object: ManifestObject) -> Bool {
        let key = object.key
        if skipAnnotations.contains(where: { object.annotations[$0] == "true" }) { return true }
        if isIncluded(object) { return false }
        if kinds.contains(key.kind), !object.isCustomResource { return true }
        if key.group == "operators.coreos.com", operatorKinds.contains(key.kind) { return true }
        if key.group == "kubevirt.io", machineKinds.contains(key.kind) { return true }
        return object.labels["olm.managed"] == "true" || isMadeByCluster(key, object.labels)
    }

    private static func isMadeByCluster(_ key: ObjectKey, _ labels: [String: String]) -> Bool {
        let name = key.name
        switch key.kind {
        case "ConfigMap": return name == "kube-root-ca.crt" || name == "openshift-service-ca.crt"
        case "Service": return name == "kubernetes" && key.namespace == "default"
        case "ServiceAccount": return accounts.contains(name)
        case "Secret": return accounts.contains { name.hasPrefix("\($0)-dockercfg-") || name.hasPrefix("\($0)-token-") }
        case "Role", "ClusterRole", "ClusterRoleBinding":
            return name.hasPrefix("system:") || labels["kubernetes.io/bootstrapping"] == "rbac-defaults"
        case "RoleBinding": return name.hasPrefix("system:") && !name.hasPrefix("system:openshift:scc")
        case "PriorityClass": return name.hasPrefix("system-")
        case "ResourceQuota": return name == "gke-resource-quotas"
        case "EndpointSlice": return labels["endpointslice.kubernetes.io/managed-by"]?.hasSuffix(".k8s.io") == true
        default: return false
        }
    }

    static let accounts = ["default", "builder", "deployer"]

    private static let owners = Words(["ownerReferences"])
    private static let tokens = Words(["kubernetes.io/service-account-token"])

    /// Is the manifest worth reading for `isMadeAgain`?
    static func mayBe(_ object: ManifestObject) -> Bool {
        !isIncluded(object)
            && (owners.occur(in: object.text) || object.key.kind == "Endpoints" || object.key.kind == "EndpointSlice"
                || object.key.kind == "Secret" && tokens.occur(in: object.text))
    }

    static func isMadeAgain(_ manifest: Manifest, in company: Company) throws(DRError) -> Bool {
        let key = manifest.key
        if key.kind == "Endpoints" || key.kind == "EndpointSlice" {
            let addresses = (manifest.root["subsets"]?.items ?? []).flatMap { $0["addresses"]?.items ?? [] }
            let endpoints = manifest.root["endpoints"]?.items ?? []
            let all = addresses + endpoints
            if all.isEmpty || company.hasSelectingService(key) || all.contains(where: { $0["targetRef"] != nil }) { return true }
        }
        // A token is good at one cluster alone.
        if key.kind == "Secret", manifest.scalar(at: ["type"]) == "kubernetes.io/service-account-token" { return true }
        return isOwned(manifest, company)
    }

    // Its owner is copied and makes it again. Claims, secrets and settings hold what an owner cannot make again.
    private static func isOwned(_ manifest: Manifest, _ company: Company) -> Bool {
        guard manifest.object.annotations[ownerAnnotation] != "true" else { return false }
        let namespace = manifest.key.namespace
        let data: Set<String> = ["PersistentVolumeClaim", "PersistentVolume", "Secret", "ConfigMap"]
        return (manifest.root[["metadata", "ownerReferences"]]?.items ?? []).contains { reference in
            guard let kind = reference["kind"]?.scalar, let name = reference["name"]?.scalar else { return false }
            if kind == "Pod" || kind == "Node" { return true }
            return !data.contains(manifest.key.kind) && (company.contains(kind, namespace, name) || company.contains(kind, nil, name))
        }
    }
}
