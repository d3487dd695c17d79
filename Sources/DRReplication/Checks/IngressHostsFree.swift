internal import DRManifest
internal import DRModel

struct IngressHostsFree: ManifestCheck {
    static let id = "ingress-hosts-free"
    static let summary = "No ingress or route of somebody else answers for a host that the applications bring."
    static let verdict = CheckResult.State.failed
    static let fix = "free the host at the destination, or transform it: path spec.rules.*.host"
    static let calm = "no host is taken"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        var taken: [String: ObjectKey] = [:]
        for other in try await context.others(["Ingress", "Route"]) { for door in Self.doors(of: other) { taken[door] = other.key } }
        return manifests.flatMap { manifest in
            Self.doors(of: manifest).compactMap { door in taken[door].map { "\(door) of \(manifest.key) is taken by \($0)" } }
        }
    }

    // Two may share a host where their paths differ.
    private static func doors(of manifest: Manifest) -> [String] {
        switch manifest.key.kind {
        case "Ingress":
            return (manifest.root[["spec", "rules"]]?.items ?? []).flatMap { rule -> [String] in
                guard let host = rule["host"]?.scalar else { return [] }
                let paths = (rule[["http", "paths"]]?.items ?? []).compactMap { $0["path"]?.scalar }
                return (paths.isEmpty ? ["/"] : paths).map { host + $0 }
            }
        case "Route": return manifest.scalar(at: ["spec", "host"]).map { [$0 + (manifest.scalar(at: ["spec", "path"]) ?? "/")] } ?? []
        default: return []
        }
    }
}
