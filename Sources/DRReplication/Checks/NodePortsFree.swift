internal import DRManifest
internal import DRModel

struct NodePortsFree: ManifestCheck {
    static let id = "node-ports-free"
    static let summary = "No service of somebody else has a node port or host port that the applications bring."
    static let verdict = CheckResult.State.failed
    static let fix = "free the port at the destination, or transform it: path spec.ports.*.nodePort"
    static let calm = "no port is taken"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let taken = try await context.holders(of: Set(manifests.flatMap(\.ports)))
        return manifests.flatMap { manifest in
            manifest.ports.compactMap { port in taken[port].map { "\(port) of \(manifest.key) is taken by \($0)" } }
        }
    }
}
