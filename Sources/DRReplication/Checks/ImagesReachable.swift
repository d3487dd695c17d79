internal import DRManifest
internal import DRModel

struct ImagesReachable: ManifestCheck {
    static let id = "images-reachable"
    static let summary = "No image comes from a registry that only the source has."
    static let fix =
        "push the images to a registry both clusters reach, or map them: transforms: [{ at: ..., kind: Deployment, path: spec.template.spec.containers.*.image, replace: ..., with: ... }]"
    static let calm = "no image names a registry of the source alone; whether registries answer was not tried"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        manifests.flatMap { manifest -> [String] in
            let pod = manifest.podSpec
            let containers = (pod?["containers"]?.items ?? []) + (pod?["initContainers"]?.items ?? [])
            return containers.compactMap { $0["image"]?.scalar }.filter(Self.isInside).map { "\(manifest.key) runs \($0)" }
        }
    }

    private static func isInside(_ image: String) -> Bool {
        guard let slash = image.firstIndex(of: "/") else { return false }
        let host = image[..<slash].split(separator: ":").first ?? ""
        return host == "localhost" || host == "127.0.0.1" || host.hasSuffix(".svc") || host.hasSuffix(".svc.cluster.local")
    }
}
