internal import DRManifest
internal import DRModel

struct CustomResourcesServed: ManifestCheck {
    static let id = "custom-resources-served"
    static let summary = "The destination knows every kind of custom resource, or learns it with the application."
    static let verdict = CheckResult.State.failed
    static let fix = "install the operator at the destination: a custom resource without one is dead text"
    static let calm = "every kind of custom resource is known there"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        guard manifests.contains(where: \.object.isCustomResource) else { return [] }
        let definitions = manifests + (try await context.present(["CustomResourceDefinition"]))
        let known = Set(
            definitions.filter { $0.key.kind == "CustomResourceDefinition" }.map {
                "\($0.scalar(at: ["spec", "names", "kind"]) ?? "").\($0.scalar(at: ["spec", "group"]) ?? "")"
            })
        return manifests.filter { $0.object.isCustomResource && !known.contains("\($0.key.kind).\($0.key.group)") }
            .map { "\($0.key.kind).\($0.key.group)" }
    }
}
