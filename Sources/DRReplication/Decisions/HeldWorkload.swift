internal import DRManifest
internal import DRModel

/// An object that can be held at rest: a workload with replicas, or a CronJob.
struct HeldWorkload {
    private enum Measure { case replicas(Int), suspend(Bool) }

    private let manifest: Manifest
    private let measure: Measure
    var object: ManifestObject { manifest.object }

    /// Nil for what cannot be held. Throws `invalid-input` for a manifest that cannot be read.
    init?(_ object: ManifestObject) throws(DRError) {
        let manifest = try Manifest(object)
        self.manifest = manifest
        if let replicas = manifest.replicas {
            measure = .replicas(replicas)
        } else if let suspended = manifest.isSuspended {
            measure = .suspend(suspended)
        } else {
            return nil
        }
    }

    /// As it stands in `originals`: `3`, or `suspend:false`.
    var state: String {
        switch measure {
        case .replicas(let count): String(count)
        case .suspend(let suspended): "suspend:\(suspended)"
        }
    }

    var isHeld: Bool { state == heldState }
    var heldState: String { if case .replicas = measure { "0" } else { "suspend:true" } }
    /// How many processes it stands for; a CronJob none.
    var replicas: Int { if case .replicas(let count) = measure { count } else { 0 } }
    /// Has processes of its own.
    var runs: Bool { if case .replicas = measure { true } else { false } }

    func held() throws(DRError) -> ManifestObject { try setting(heldState) }

    func setting(_ state: String) throws(DRError) -> ManifestObject {
        let changed: Manifest
        if case .replicas = measure, let count = Int(state) {
            changed = try manifest.scaled(to: count)
        } else if case .suspend = measure, state == "suspend:true" || state == "suspend:false" {
            changed = try manifest.suspended(state == "suspend:true")
        } else {
            throw DRError(.damaged, "\"\(state)\" is no state of \(object.key)")
        }
        return changed.object
    }

    /// The effect of going to `state` from where it is; nil when it is there.
    func effect(to state: String, at cluster: ClusterName) -> Effect? {
        guard state != self.state else { return nil }
        return switch measure {
        case .replicas(let count): Effect(.scale, object.key, from: String(count), to: state, at: cluster)
        case .suspend: Effect(state == "suspend:true" ? .suspend : .resume, object.key, at: cluster)
        }
    }

    /// Of the objects those that can be held, in the order of start.
    static func among(_ objects: [ManifestObject]) throws(DRError) -> [HeldWorkload] {
        var found: [HeldWorkload] = []
        for object in objects { if let workload = try HeldWorkload(object) { found.append(workload) } }
        return found
    }
}
