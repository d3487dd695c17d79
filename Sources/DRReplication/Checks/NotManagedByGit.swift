internal import DRManifest
internal import DRModel

struct NotManagedByGit: ManifestCheck {
    static let id = "not-managed-by-git"
    static let summary = "No other tool writes the same objects at the destination."
    static let fix = "let that tool leave replicas and these objects alone at both clusters, or exclude them"
    static let calm = "no object carries the mark of a deployment tool"

    private static let marks = [
        "argocd.argoproj.io/instance": "Argo CD", "kustomize.toolkit.fluxcd.io/name": "Flux", "helm.toolkit.fluxcd.io/name": "Flux",
        "fleet.cattle.io/bundle-name": "Fleet",
    ]

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        manifests.compactMap { manifest in
            let object = manifest.object
            let mark = Self.marks.keys.sorted().first { object.labels[$0] != nil || object.annotations[$0] != nil }
            return mark.flatMap { Self.marks[$0] }.map { "\(manifest.key) is \($0)'s" }
        }
    }
}
