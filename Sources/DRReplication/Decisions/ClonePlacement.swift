internal import DRManifest
internal import DRModel

/// What one application's clone is made of, and the one commit that makes it.
struct ClonePlacement {
    let drill: DrillRecord
    let clone: DrillRecord.Clone
    let cluster: ClusterName
    /// In the order in which they are made, at rest.
    private(set) var objects: [ManifestObject] = []
    private(set) var originals: [DrillRecord.Original] = []
    private(set) var leftOut: [String] = []

    /// `manifests`: the point's, in the form of this cluster and in the order in which they are made. Throws `invalid-input`.
    init(_ clone: DrillRecord.Clone, of drill: DrillRecord, manifests: [ManifestObject], at cluster: ClusterName) throws(DRError) {
        self.drill = drill
        self.clone = clone
        self.cluster = cluster
        var volumes: [String: String] = [:]
        for volume in clone.point.volumes { volumes[volume.name.text] = try drill.volume(volume.name).text }
        let form = CloneForm(namespaces: drill.namespaces, volumes: volumes)
        var made: [ManifestObject] = []
        for manifest in manifests {
            guard let object = try form.clone(manifest) else {
                leftOut.append(manifest.key.description)
                continue
            }
            made.append(object)
        }
        let used = Set(made.compactMap(\.key.namespace))
        var frame: [ManifestObject] = []
        for name in used.sorted() {
            let namespace = try form.namespace(name)
            if !made.contains(where: { $0.key == namespace.key }) { frame.append(namespace) }
            frame.append(try form.policy(in: name))
        }
        made = (frame + made).sorted { (CarriedObjects.rank($0.key), $0.key) < (CarriedObjects.rank($1.key), $1.key) }
        for object in made {
            guard let workload = try HeldWorkload(object), !workload.isHeld else {
                objects.append(object)
                continue
            }
            objects.append(try workload.held())
            // A job of the clone could tell the world what only the real one may.
            if workload.runs {
                originals.append(DrillRecord.Original(object: object.key.reference, state: workload.state))
            } else {
                leftOut.append("\(object.key) (suspended)")
            }
        }
    }

    /// `present`: of its objects those that are there, made by another application of the same drill. `before`: the drill's document as it is.
    func transaction(
        _ key: OperationKey, before: Value, present: [ObjectKey: ManifestObject], staged: [StagedVolume]
    ) throws -> Transaction {
        var transaction = Transaction(key, guards: [.document(.drill(drill.id), before)])
        for object in objects {
            transaction.guards.append(.object(object.key, text: present[object.key]?.text))
            if let there = present[object.key] {
                guard there.key.kind == "Namespace" || there.key.kind == "NetworkPolicy" else {
                    throw DRError(
                        .foreignObject, "\(cluster) already has \(object.key), which is no part of drill \(drill.id)",
                        hint: "use another suffix")
                }
                continue
            }
            var made = object
            made.location = nil
            transaction.changes.append(.put(made))
            transaction.effects.append(Effect(.create, object.key, at: cluster))
        }
        for volume in staged {
            transaction.changes.append(.swap(volume))
            transaction.effects.append(Effect(.swap, .volume(volume.volume), at: cluster))
        }
        var next = drill
        if let index = next.index(of: clone.application) {
            next.clones[index].isPlaced = true
            next.clones[index].originals = originals
            next.clones[index].leftOut = leftOut
        }
        transaction.changes.append(.write(.drill(drill.id), try next.value()))
        return transaction
    }
}
