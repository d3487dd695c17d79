internal import DRManifest
internal import DRModel

struct ClusterObjectsEqual: ManifestCheck {
    static let id = "cluster-objects-equal"
    static let summary = "What serves a whole cluster and is at the destination already is what the applications know."
    static let fix = "bring the two into line by hand: what is there is never changed by us"
    static let calm = "nothing that serves the whole cluster differs"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        let shared = manifests.filter { CarriedObjects.isShared($0.key) && $0.key.kind != "Namespace" }
        guard !shared.isEmpty else { return [] }
        let present = try await context.destination.objects(.keys(Set(shared.map(\.key))))
        let known = Dictionary(try present.map { ($0.key, try Manifest($0)) }) { first, _ in first }
        return shared.compactMap { ours in known[ours.key].flatMap { Self.fits(ours, $0) ? nil : "\(ours.key) differs" } }
    }

    // A binding may have more subjects and a definition more versions than we need.
    private static func fits(_ ours: Manifest, _ theirs: Manifest) -> Bool {
        switch ours.key.kind {
        case "ClusterRoleBinding":
            let present = theirs.root["subjects"]?.items ?? []
            let needed = ours.root["subjects"]?.items ?? []
            return ours.scalar(at: ["roleRef", "name"]) == theirs.scalar(at: ["roleRef", "name"])
                && needed.allSatisfy { subject in present.contains { $0.hasSameContent(as: subject) } }
        case "CustomResourceDefinition":
            let present = Set((theirs.root[["spec", "versions"]]?.items ?? []).compactMap { $0["name"]?.scalar })
            return (ours.root[["spec", "versions"]]?.items ?? []).compactMap { $0["name"]?.scalar }.allSatisfy(present.contains)
        default: return ours.isSame(as: theirs)
        }
    }
}
