internal import DRManifest
internal import DRModel

struct NetworkPoliciesPortable: ManifestCheck {
    static let id = "network-policies-portable"
    static let summary = "No network policy names address ranges, which mean something else at another site."
    static let fix = "select pods or namespaces instead, or transform the ranges"
    static let calm = "no network policy names address ranges"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        var found: [String] = []
        for policy in manifests where policy.key.kind == "NetworkPolicy" {
            for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
                for peer in (policy.root[["spec", rules]]?.items ?? []).flatMap({ $0[peers]?.items ?? [] }) {
                    guard let range = peer[["ipBlock", "cidr"]]?.scalar, range != "0.0.0.0/0", range != "::/0" else { continue }
                    found.append("\(policy.key) names \(range)")
                }
            }
        }
        return found
    }
}
