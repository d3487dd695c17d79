public import DRModel

/// The field of a manifest that says whether something runs, and what stands in it at rest.
public struct RestPoint: Sendable, Hashable {
    public let path: [String]
    public let atRest: String
    /// What a missing field means; nil where it can only be written out of the manifest again.
    public let missing: String?
    /// The field counts processes.
    public let isCount: Bool

    init(_ path: [String], atRest: String, missing: String? = nil, isCount: Bool = false) {
        self.path = path
        self.atRest = atRest
        self.missing = missing
        self.isCount = isCount
    }
}

extension Manifest {
    /// An object says of itself how it is put at rest: `drrunbook/hold: spec.shutdown=true`.
    public static let holdAnnotation = "drrunbook/hold"

    /// Nil for what is not known to run anything.
    ///
    /// No list of custom resources is kept: what an object's annotation says counts, else the fields that custom resources share by custom, where the
    /// manifest has one of them.
    public var restPoint: RestPoint? {
        if let said = object.annotations[Self.holdAnnotation] { return Self.restPoint(said) }
        switch (key.kind, key.group) {
        case (let kind, let group) where WorkloadKinds.scaled[kind] == group:
            return RestPoint(["spec", "replicas"], atRest: "0", missing: "1", isCount: true)
        case ("CronJob", "batch"): return RestPoint(["spec", "suspend"], atRest: "true", missing: "false")
        // No node carries the label.
        case ("DaemonSet", "apps"): return RestPoint(["spec", "template", "spec", "nodeSelector", "drrunbook/held"], atRest: "true")
        case ("VirtualMachine", "kubevirt.io"):
            return root[["spec", "running"]] == nil
                ? RestPoint(["spec", "runStrategy"], atRest: "Halted", missing: "Always")
                : RestPoint(["spec", "running"], atRest: "false", missing: "true")
        case (_, let group) where WorkloadKinds.isCustom(group: group): return customary
        default: return nil
        }
    }

    /// Could `restPoint` be something? Known without reading the manifest.
    public static func mayRun(_ object: ManifestObject) -> Bool {
        object.annotations[holdAnnotation] != nil || WorkloadKinds.scaled[object.key.kind] == object.key.group
            || ["CronJob", "DaemonSet"].contains(object.key.kind) || WorkloadKinds.isCustom(group: object.key.group)
    }

    private var customary: RestPoint? {
        let spec = root["spec"]
        if let count = spec?["replicas"]?.scalar, Int(count) != nil { return RestPoint(["spec", "replicas"], atRest: "0", isCount: true) }
        for field in ["suspend", "suspended", "shutdown", "stopped", "hibernate"] {
            if let flag = spec?[field]?.scalar, ["true", "false"].contains(flag) { return RestPoint(["spec", field], atRest: "true") }
        }
        return nil
    }

    private static func restPoint(_ text: String) -> RestPoint? {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty else { return nil }
        let path = parts[0].split(separator: ".").map(String.init)
        return path.isEmpty ? nil : RestPoint(path, atRest: parts[1], isCount: path == ["spec", "replicas"])
    }

    /// The same object, whatever a cluster wrote into it by itself and in whatever style it is written.
    public func isSame(as other: Manifest) -> Bool {
        if text == other.text { return true }
        guard key == other.key, let mine = root.entries, let theirs = other.root.entries else { return false }
        return Self.authored(mine, in: root).hasSameContent(as: Self.authored(theirs, in: other.root))
    }

    /// What only the cluster that holds an object writes.
    public static let clusterFields = [
        "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
        "selfLink",
    ]

    private static func authored(_ entries: [YAMLNode.Entry], in root: YAMLNode) -> YAMLNode {
        let kept = entries.filter { $0.key != "status" }.map { entry in
            guard entry.key == "metadata", let fields = entry.value.entries else { return entry }
            let metadata = YAMLNode(
                .map(fields.filter { !clusterFields.contains($0.key) }), location: entry.value.location, offset: entry.value.offset)
            return YAMLNode.Entry(key: entry.key, keyLocation: entry.keyLocation, value: metadata, keyOffset: entry.keyOffset)
        }
        return YAMLNode(.map(kept), location: root.location, offset: root.offset)
    }
}

extension WorkloadKinds {
    private static let builtIn: Set<String> = [
        "apps", "batch", "autoscaling", "policy", "apps.openshift.io", "route.openshift.io", "image.openshift.io", "template.openshift.io",
        "build.openshift.io", "security.openshift.io", "operators.coreos.com",
    ]

    /// A group of custom resources: `cert-manager.io`, and not `apps` or `networking.k8s.io`.
    static func isCustom(group: String) -> Bool {
        group.contains(".") && !builtIn.contains(group) && (!group.hasSuffix(".k8s.io") || group.hasSuffix(".x-k8s.io"))
    }
}

extension ManifestObject {
    /// Of a kind that a CustomResourceDefinition makes.
    public var isCustomResource: Bool { WorkloadKinds.isCustom(group: key.group) }
}
