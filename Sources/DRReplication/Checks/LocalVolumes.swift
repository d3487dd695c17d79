internal import DRManifest
internal import DRModel

struct LocalVolumes: ManifestCheck {
    static let id = "no-local-volumes"
    static let summary = "No volume and no pod is tied to a folder or node of the source."
    static let fix = "claim a volume instead, or give the destination its own with a transform"
    static let calm = "nothing is tied to a node"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        manifests.flatMap { manifest -> [String] in
            if manifest.key.kind == "PersistentVolume" {
                return ["hostPath", "local", "nodeAffinity"].filter { manifest.root[["spec", $0]] != nil }.map { "\(manifest.key) (\($0))" }
            }
            guard let pod = manifest.podSpec else { return [] }
            var found: [String] = []
            if (pod["volumes"]?.items ?? []).contains(where: { $0["hostPath"] != nil }) { found.append("hostPath") }
            if pod["nodeName"] != nil { found.append("nodeName") }
            if pod[["nodeSelector", "kubernetes.io/hostname"]] != nil { found.append("nodeSelector") }
            return found.map { "\(manifest.key) (\($0))" }
        }
    }
}
