internal import DRManifest
internal import DRModel

struct StorageClassesPresent: ManifestCheck {
    static let id = "storage-classes-present"
    static let summary = "Every storage class that a claim names is at the destination, or goes there."
    static let verdict = CheckResult.State.failed
    static let fix =
        "make the class at the destination, or map it: transforms: [{ at: ..., kind: PersistentVolumeClaim, path: spec.storageClassName, set: ... }]"
    static let calm = "all classes are there"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let classes = manifests.filter { $0.key.kind == "StorageClass" } + (try await context.present(["StorageClass"]))
        let known = Set(classes.map(\.key.name))
        return manifests.compactMap { manifest in
            guard manifest.key.kind == "PersistentVolumeClaim", let name = manifest.scalar(at: ["spec", "storageClassName"]), !name.isEmpty,
                !known.contains(name)
            else { return nil }
            // What is bound needs its class no more, but on Kubernetes its volume names the class, too.
            return "\(manifest.key) names class \(name)"
        }
    }
}
