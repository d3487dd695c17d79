internal import DRManifest
internal import DRModel

struct TransformsApply: ManifestCheck {
    static let id = "transforms-apply"
    static let summary = "Every transform for the destination finds something to change."
    static let fix = "correct its kind, name or path in dr.yaml"
    static let calm = "every transform finds its place"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let transforms = application.transforms.filter { $0.cluster == context.destination.name }
        guard !transforms.isEmpty else { return [] }
        let homely = try await context.homely(application) ?? []
        return try transforms.compactMap { transform throws(DRError) in
            var concerned = false
            for object in homely where transform.concerns(object.key) {
                concerned = true
                if try !Manifest(object).root.paths(matching: transform.path[...]).isEmpty { return nil }
            }
            let place = "\(transform.kind)\(transform.name.map { " " + $0 } ?? "")"
            return concerned ? "no \(place) of \(application.name) has \(transform.pathText)" : "\(application.name) has no \(place)"
        }
    }
}
