internal import DRManifest
internal import DRModel

struct DirectAccessVolumes: ManifestCheck {
    static let id = "no-direct-access-volumes"
    static let summary = "No volume is a FlashArray or FlashBlade Direct Access one: their data is not copied."
    static let verdict = CheckResult.State.failed
    static let fix = "move the data to a volume that is replicated, or exclude the claim"
    static let calm = "no Direct Access volumes"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let direct = Set(["pure_block", "pure_file"])
        let classes = (manifests + (try await context.present(["StorageClass"]))).filter {
            $0.key.kind == "StorageClass" && direct.contains($0.scalar(at: ["parameters", "backend"]) ?? "")
        }
        let names = Set(classes.map(\.key.name))
        return manifests.compactMap { manifest in
            switch manifest.key.kind {
            case "PersistentVolumeClaim":
                manifest.scalar(at: ["spec", "storageClassName"]).flatMap { names.contains($0) ? "\(manifest.key) (class \($0))" : nil }
            case "PersistentVolume":
                manifest.scalar(at: ["spec", "csi", "volumeAttributes", "backend"]).flatMap {
                    direct.contains($0) ? "\(manifest.key) (\($0))" : nil
                }
            default: nil
            }
        }
    }
}
