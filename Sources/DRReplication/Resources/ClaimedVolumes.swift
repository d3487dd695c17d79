package import DRModel

internal import DRManifest

/// The volumes an application's claims are bound to.
package struct ClaimedVolumes {
    /// In bytewise order, each once.
    package private(set) var volumes: [VolumeName] = []
    /// Claims that name no volume.
    package private(set) var unbound: [ObjectKey] = []

    /// Throws `invalid-input` for a claim that cannot be read.
    package init(of objects: [ManifestObject]) throws(DRError) {
        var names: Set<VolumeName> = []
        for object in objects where object.key.kind == "PersistentVolumeClaim" {
            if let text = try Manifest(object).volumeName {
                names.insert(try VolumeName(text))
            } else {
                unbound.append(object.key)
            }
        }
        volumes = names.sorted()
    }
}

extension ObjectKey {
    package static func volume(_ name: VolumeName) -> ObjectKey { ObjectKey(kind: "PersistentVolume", name: name.text) }
}
