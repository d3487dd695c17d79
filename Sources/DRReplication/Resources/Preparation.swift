internal import DRManifest
internal import DRModel

/// What is taken out of a manifest before it is made at another cluster: what only its own cluster could write, or what is an address there.
enum Preparation {
    private static let leaveAlone = "stork.libopenstorage.org/skip-modify-resource"
    private static let annotations = [
        "volume.kubernetes.io/selected-node", "deployment.kubernetes.io/revision", "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
    ]
    /// Words without one of which nothing has to be taken out.
    private static let signs = Words(
        ["status:", "uid:", "resourceVersion", "generation:", "creationTimestamp", "managedFields", "ownerReferences", "finalizers", "IP"]
            + ["\"status\"", "\"uid\"", "subjects", "healthCheckNodePort", "host.generated"] + annotations)

    /// `namespaces`: the application's own. Throws `invalid-input`.
    static func prepared(_ object: ManifestObject, in namespaces: Set<String>) throws(DRError) -> ManifestObject {
        guard signs.occur(in: object.text) else { return object }
        var manifest = try Manifest(object)
        for path in paths(in: manifest) { manifest = try manifest.removing(path) }
        if object.key.kind == "ClusterRoleBinding" { manifest = try trimmed(manifest, to: namespaces) }
        return manifest.object
    }

    /// A new text for an object that is there keeps the address its cluster gave it, which cannot be changed there.
    static func keeping(of present: ManifestObject, in wanted: ManifestObject) throws(DRError) -> ManifestObject {
        guard wanted.key.kind == "Service", let address = try Manifest(present).scalar(at: ["spec", "clusterIP"]) else { return wanted }
        let manifest = try Manifest(wanted)
        guard manifest.scalar(at: ["spec", "clusterIP"]) == nil else { return wanted }
        return try manifest.setting(["spec", "clusterIP"], to: address).object
    }

    private static func paths(in manifest: Manifest) -> [[String]] {
        let metadata = Manifest.clusterFields + ["ownerReferences", "finalizers"]
        var paths = [["status"]] + metadata.map { ["metadata", $0] } + annotations.map { ["metadata", "annotations", $0] }
        switch manifest.key.kind {
        case "Service" where manifest.object.annotations[leaveAlone] != "true":
            // A headless service says so here.
            if manifest.scalar(at: ["spec", "clusterIP"]) != "None" { paths += [["spec", "clusterIP"], ["spec", "clusterIPs"]] }
            paths += [["spec", "loadBalancerIP"], ["spec", "healthCheckNodePort"]]
        case "PersistentVolume": paths += [["spec", "claimRef", "uid"], ["spec", "claimRef", "resourceVersion"]]
        case "Route" where manifest.object.annotations["openshift.io/host.generated"] == "true":
            paths += [["spec", "host"], ["metadata", "annotations", "openshift.io/host.generated"]]
        case "Namespace": paths += [["spec", "finalizers"]]
        default: break
        }
        return paths
    }

    // Others that the binding names are no part of the application.
    private static func trimmed(_ manifest: Manifest, to namespaces: Set<String>) throws(DRError) -> Manifest {
        var trimmed = manifest
        for (index, subject) in (manifest.root["subjects"]?.items ?? []).enumerated().reversed() {
            guard let namespace = subject["namespace"]?.scalar, !namespaces.contains(namespace) else { continue }
            trimmed = try trimmed.removing(["subjects", String(index)])
        }
        return trimmed
    }
}
