internal import DRModel

/// What a recovery point of an application holds: its volumes, and its manifests as they are when it runs.
struct MigrationContent {
    let volumes: [VolumeName]
    /// In the order in which they are made and the form of home, with the original state of what is held.
    let manifests: [ManifestObject]
    /// What can be held, in the order of start.
    let workloads: [HeldWorkload]

    /// Throws `not-found` for an application without objects, `volume-missing` for a claim that names no volume.
    init(of application: Application, objects: [ManifestObject], record: ApplicationRecord, at cluster: ClusterName) throws(DRError) {
        let carried = try CarriedObjects.of(objects)
        guard !carried.isEmpty else {
            throw DRError(
                .notFound, "\(cluster) has no objects of \(application.name)",
                hint: "its namespaces are \(application.namespaces.sorted().joined(separator: ", "))"
                    + (application.labels.isEmpty ? "" : ", its labels must match, too"))
        }
        let claimed = try ClaimedVolumes(of: carried)
        if let claim = claimed.unbound.first {
            throw DRError(
                .volumeMissing, "\(claim) at \(cluster) is bound to no volume",
                hint: "set spec.volumeName to the name of its PersistentVolume")
        }
        volumes = claimed.volumes
        workloads = try HeldWorkload.among(carried)
        var originals: [ObjectKey: ManifestObject] = [:]
        for workload in workloads where workload.isHeld {
            guard let state = record.originals[workload.object.key.reference] else { continue }
            originals[workload.object.key] = try workload.setting(state)
        }
        let form = ClusterForm(application: application, cluster: cluster)
        manifests = try carried.map { object throws(DRError) in
            try form.home(originals[object.key] ?? object, undoing: record.transformed?[object.key.reference] ?? [:])
        }
    }
}
