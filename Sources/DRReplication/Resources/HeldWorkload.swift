internal import DRManifest
internal import DRModel

/// An object that can be held at rest: a workload with replicas, a CronJob, a DaemonSet, a virtual machine, a custom resource that has a field for it.
struct HeldWorkload {
    private let manifest: Manifest
    private let rest: RestPoint
    var object: ManifestObject { manifest.object }

    /// Nil for what cannot be held. Throws `invalid-input` for a manifest that cannot be read.
    init?(_ object: ManifestObject) throws(DRError) {
        guard Manifest.mayRun(object) else { return nil }
        let manifest = try Manifest(object)
        guard let rest = manifest.restPoint else { return nil }
        self.manifest = manifest
        self.rest = rest
    }

    private var value: String? { manifest.scalar(at: rest.path) ?? rest.missing }

    /// As it stands in `originals`: `3`, `suspend:false`, `spec.runStrategy=Always`, or `spec.shutdown` where the field was missing.
    var state: String { text(value) }
    var isHeld: Bool { value == rest.atRest }
    var heldState: String { text(rest.atRest) }

    private func text(_ value: String?) -> String {
        if rest.isCount, let value { return value }
        if object.key.kind == "CronJob", let value { return "suspend:\(value == "true")" }
        return rest.path.joined(separator: ".") + (value.map { "=" + $0 } ?? "")
    }

    /// How many processes it stands for; a CronJob none.
    var replicas: Int {
        guard runs else { return 0 }
        return rest.isCount ? value.flatMap { Int($0) } ?? 0 : isHeld ? 0 : 1
    }

    /// Has processes of its own.
    var runs: Bool { object.key.kind != "CronJob" }

    func held() throws(DRError) -> ManifestObject { try setting(heldState) }

    func setting(_ state: String) throws(DRError) -> ManifestObject {
        guard state != self.state else { return object }
        let name = rest.path.joined(separator: ".")
        if state == name { return try manifest.removing(rest.path).object }
        let value: String
        if rest.isCount, Int(state) != nil {
            value = state
        } else if object.key.kind == "CronJob", state == "suspend:true" || state == "suspend:false" {
            value = String(state.dropFirst("suspend:".count))
        } else if state.hasPrefix(name + "=") {
            value = String(state.dropFirst(name.utf8.count + 1))
        } else {
            throw DRError(.damaged, "\"\(state)\" is no state of \(object.key)")
        }
        return try manifest.setting(rest.path, to: value).object
    }

    /// The effect of going to `state` from where it is; nil when it is there.
    func effect(to state: String, at cluster: ClusterName) -> Effect? {
        guard state != self.state else { return nil }
        return rest.isCount
            ? Effect(.scale, object.key, from: self.state, to: state, at: cluster)
            : Effect(state == heldState ? .suspend : .resume, object.key, at: cluster)
    }

    /// Of the objects those that can be held, in the order of start.
    static func among(_ objects: [ManifestObject]) throws(DRError) -> [HeldWorkload] {
        var found: [HeldWorkload] = []
        for object in objects { if let workload = try HeldWorkload(object) { found.append(workload) } }
        return found
    }

    /// In the order given, those that are neither before nor after each other in one list.
    static func together(_ workloads: [HeldWorkload]) -> [[HeldWorkload]] {
        var groups: [[HeldWorkload]] = []
        for workload in workloads {
            if let last = groups.last?.last, CarriedObjects.rank(last.object.key) == CarriedObjects.rank(workload.object.key) {
                groups[groups.count - 1].append(workload)
            } else {
                groups.append([workload])
            }
        }
        return groups
    }
}
