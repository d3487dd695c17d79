internal import DRManifest
internal import DRModel

struct ProxyVolumes: ManifestCheck {
    static let id = "no-proxy-volumes"
    static let summary = "No volume is only a door to storage elsewhere."
    static let fix = "see that the storage behind it is there for the destination, too: its data is not copied"
    static let calm = "no proxy or network volumes"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let classes = manifests.filter { $0.key.kind == "StorageClass" && $0.root[["parameters", "proxy_endpoint"]] != nil }
        let names = Set(classes.map(\.key.name))
        return manifests.compactMap { manifest in
            switch manifest.key.kind {
            case "PersistentVolumeClaim":
                manifest.scalar(at: ["spec", "storageClassName"]).flatMap { names.contains($0) ? "\(manifest.key) (class \($0))" : nil }
            case "PersistentVolume":
                ["nfs", "iscsi", "cephfs", "glusterfs", "fc"].first { manifest.root[["spec", $0]] != nil }.map { "\(manifest.key) (\($0))" }
            default: nil
            }
        }
    }
}
