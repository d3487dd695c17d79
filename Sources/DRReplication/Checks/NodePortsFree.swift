internal import DRManifest
internal import DRModel

struct NodePortsFree: ManifestCheck {
    static let id = "node-ports-free"
    static let summary = "No service of somebody else has a node port or host port that the applications bring."
    static let verdict = CheckResult.State.failed
    static let fix = "free the port at the destination, or transform it: path spec.ports.*.nodePort"
    static let calm = "no port is taken"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let kinds: Set<String> = ["Service", "Deployment", "StatefulSet", "DaemonSet"]
        var taken: [String: ObjectKey] = [:]
        for other in try await context.others(kinds) { for port in Self.ports(of: other) { taken[port] = other.key } }
        return manifests.flatMap { manifest in
            Self.ports(of: manifest).compactMap { port in
                taken[port].map { "\(port) of \(manifest.key) is taken by \($0)" }
            }
        }
    }

    private static func ports(of manifest: Manifest) -> [String] {
        if manifest.key.kind == "Service" {
            return (manifest.root[["spec", "ports"]]?.items ?? []).compactMap { $0["nodePort"]?.scalar.map { "node port \($0)" } }
        }
        return (manifest.podSpec?["containers"]?.items ?? []).flatMap { $0["ports"]?.items ?? [] }
            .compactMap { $0["hostPort"]?.scalar.map { "host port \($0)" } }
    }
}
