internal import DRManifest
internal import DRModel

struct APIVersionsServed: ManifestCheck {
    static let id = "api-versions-served"
    static let summary = "The destination's version serves the API versions the manifests are written in."
    static let verdict = CheckResult.State.failed
    static let fix = "write the manifests in a version that both clusters serve"
    static let calm = "all API versions are served"

    // Served from `since` (1.x) and no more from `until`.
    private static let spans: [String: (since: Int, until: Int)] = [
        "extensions/v1beta1": (0, 22), "apps/v1beta1": (0, 16), "apps/v1beta2": (0, 16), "networking.k8s.io/v1beta1": (14, 22),
        "rbac.authorization.k8s.io/v1beta1": (0, 22), "apiextensions.k8s.io/v1beta1": (0, 22),
        "admissionregistration.k8s.io/v1beta1": (0, 22), "scheduling.k8s.io/v1beta1": (0, 22), "storage.k8s.io/v1beta1": (0, 27),
        "batch/v1beta1": (0, 25), "policy/v1beta1": (0, 25), "discovery.k8s.io/v1beta1": (0, 25), "autoscaling/v2beta1": (0, 25),
        "autoscaling/v2beta2": (12, 26), "node.k8s.io/v1beta1": (0, 25), "networking.k8s.io/v1": (7, .max), "policy/v1": (21, .max),
        "discovery.k8s.io/v1": (21, .max), "autoscaling/v2": (23, .max), "admissionregistration.k8s.io/v1": (16, .max),
        "apiextensions.k8s.io/v1": (16, .max),
    ]

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let version = try await context.destination.facts().version
        guard let minor = KubernetesVersion.parts(version).flatMap({ $0.major == 1 ? $0.minor : nil }) else { return [] }
        return manifests.compactMap { manifest in
            guard let written = manifest.scalar(at: ["apiVersion"]), let span = Self.spans[written] else { return nil }
            if minor >= span.until {
                return "\(manifest.key) is \(written), gone since 1.\(span.until); \(context.destination.name) is \(version)"
            }
            return minor < span.since
                ? "\(manifest.key) is \(written), new in 1.\(span.since); \(context.destination.name) is \(version)" : nil
        }
    }
}
