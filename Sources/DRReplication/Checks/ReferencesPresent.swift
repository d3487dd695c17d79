internal import DRManifest
internal import DRModel

struct ReferencesPresent: ManifestCheck {
    static let id = "references-present"
    static let summary = "Config maps, secrets, accounts and claims that pods name go along, or are at the destination."
    static let fix = "add what is missing, or take it into the application: its pods would not start"
    static let calm = "all that pods name is there"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let own = Set(manifests.map(\.key))
        let open = manifests.map { manifest in
            (manifest.key, Self.references(of: manifest).filter { !Self.isMadeThere($0) && !own.contains($0) })
        }
        let sought = Set(open.flatMap(\.1))
        guard !sought.isEmpty else { return [] }
        let there = Set(try await context.destination.objects(.keys(sought)).map(\.key))
        return open.flatMap { key, references in references.filter { !there.contains($0) }.map { "\(key) names \($0)" } }
    }

    private static func isMadeThere(_ key: ObjectKey) -> Bool {
        key.name == "kube-root-ca.crt" || key.name == "openshift-service-ca.crt"
            || key.kind == "ServiceAccount" && LeftBehind.accounts.contains(key.name)
    }

    private static func references(of manifest: Manifest) -> [ObjectKey] {
        guard let pod = manifest.podSpec else { return [] }
        var found: [ObjectKey] = []
        func note(_ kind: String, _ node: YAMLNode?, _ field: String) {
            guard let node, let name = node[field]?.scalar, node["optional"]?.scalar != "true" else { return }
            found.append(ObjectKey(kind: kind, namespace: manifest.key.namespace, name: name))
        }
        for volume in pod["volumes"]?.items ?? [] {
            note("ConfigMap", volume["configMap"], "name")
            note("Secret", volume["secret"], "secretName")
            note("PersistentVolumeClaim", volume["persistentVolumeClaim"], "claimName")
        }
        for container in (pod["containers"]?.items ?? []) + (pod["initContainers"]?.items ?? []) {
            for source in container["envFrom"]?.items ?? [] {
                note("ConfigMap", source["configMapRef"], "name")
                note("Secret", source["secretRef"], "name")
            }
            for variable in container["env"]?.items ?? [] {
                note("ConfigMap", variable[["valueFrom", "configMapKeyRef"]], "name")
                note("Secret", variable[["valueFrom", "secretKeyRef"]], "name")
            }
        }
        note("ServiceAccount", pod, "serviceAccountName")
        for secret in pod["imagePullSecrets"]?.items ?? [] { note("Secret", secret, "name") }
        return found
    }
}
