internal import DRManifest
internal import DRModel

struct IngressHostsFree: ManifestCheck {
    static let id = "ingress-hosts-free"
    static let summary = "No ingress or route of somebody else answers for a host that the applications bring."
    static let verdict = CheckResult.State.failed
    static let fix = "free the host at the destination, or transform it: path spec.rules.*.host"
    static let calm = "no host is taken"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let taken = try await context.holders(of: Set(manifests.flatMap(\.doors).map(Manifest.soleDoor)))
        return manifests.flatMap { manifest in
            manifest.doors.compactMap { door in taken[Manifest.soleDoor(door)].map { "\(door) of \(manifest.key) is taken by \($0)" } }
        }
    }
}
