internal import DRManifest
internal import DRModel

struct ClaimsUnshared: ManifestCheck {
    static let id = "claims-unshared"
    static let summary = "No two claims name one volume."
    static let verdict = CheckResult.State.failed
    static let fix = "give each claim its own volume: two applications cannot move with one"
    static let calm = "each volume has one claim"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        var claims: [String: [String]] = [:]
        for other in context.inventory.applications where other.name == application.name || context.source != nil {
            let others = other.name == application.name ? manifests : try await context.carried(other).map { try Manifest($0) }
            for manifest in others { if let volume = manifest.volumeName { claims[volume, default: []].append(manifest.key.description) } }
        }
        let own = Set(manifests.compactMap(\.volumeName))
        return claims.filter { own.contains($0.key) && $0.value.count > 1 }.sorted { $0.key < $1.key }.map { volume, claims in
            "\(volume) is claimed by \(claims.sorted().joined(separator: " and "))"
        }
    }
}
