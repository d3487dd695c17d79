internal import DRManifest
internal import DRModel

struct VirtualMachineVolumes: ManifestCheck {
    static let id = "virtual-machine-volumes"
    static let summary = "Virtual machines with shared block volumes are on OpenShift at both ends."
    static let verdict = CheckResult.State.failed
    static let fix = "use OpenShift Virtualization at both ends, or ReadWriteOnce volumes"
    static let calm = "no virtual machine has a shared block volume outside OpenShift"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        var foreign: [String] = []
        for end in context.ends where try await end.facts().platform != "openshift" { foreign.append(end.name.text) }
        guard !foreign.isEmpty else { return [] }
        let shared = manifests.filter { manifest in
            manifest.key.kind == "PersistentVolumeClaim" && manifest.scalar(at: ["spec", "volumeMode"]) == "Block"
                && (manifest.root[["spec", "accessModes"]]?.items ?? []).contains { $0.scalar == "ReadWriteMany" }
        }
        let names = Set(shared.map { "\($0.key.namespace ?? "")/\($0.key.name)" })
        return manifests.filter { $0.key.kind == "VirtualMachine" && $0.key.group == "kubevirt.io" }.flatMap { machine in
            let disks = machine.root[["spec", "template", "spec", "volumes"]]?.items ?? []
            let claims = disks.compactMap { $0[["persistentVolumeClaim", "claimName"]]?.scalar ?? $0[["dataVolume", "name"]]?.scalar }
            return claims.filter { names.contains("\(machine.key.namespace ?? "")/\($0)") }
                .map { "\(machine.key) uses the ReadWriteMany block volume \($0), but \(foreign.listed) is no OpenShift" }
        }
    }
}
