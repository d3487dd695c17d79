internal import DRManifest
internal import DRModel

struct ProjectsMapped: ManifestCheck {
    static let id = "projects-mapped"
    static let summary = "No namespace belongs to a project that only the source's Rancher knows."
    static let fix = "transform the id: { kind: Namespace, path: /metadata/annotations/field.cattle.io~1projectId, set: ... }"
    static let calm = "no namespace names a project of the source"

    private static let mark = "field.cattle.io/projectId"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let mapped = application.transforms.contains { $0.cluster == context.destination.name && $0.path.last == Self.mark }
        return mapped
            ? []
            : manifests.compactMap { manifest in
                (manifest.object.annotations[Self.mark] ?? manifest.object.labels[Self.mark]).map { "\(manifest.key) is in project \($0)" }
            }
    }
}
