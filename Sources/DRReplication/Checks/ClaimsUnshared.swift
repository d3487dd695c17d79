internal import DRManifest
internal import DRModel

struct ClaimsUnshared: ManifestCheck {
    static let id = "claims-unshared"
    static let summary = "No two claims name one volume."
    static let verdict = CheckResult.State.failed
    static let fix = "give each claim its own volume: two applications cannot move with one"
    static let calm = "each volume has one claim"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let volumes = manifests.compactMap(\.volumeName)
        let claims = try await context.claims(of: Set(volumes))
        return volumes.compactMap { volume in
            guard let sharing = claims[volume], sharing.count > 1 else { return nil }
            return "\(volume) is claimed by \(sharing.map(\.description).joined(separator: " and "))"
        }
    }
}
